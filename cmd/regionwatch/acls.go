package main

import (
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/broker/check"
	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/deadletters"
	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/internal/setup"
)

// aclFlags are the flags of a command that can print the minimal ACLs instead of running.
type aclFlags struct {
	wanted    bool
	principal string
}

// addTo adds the flags to a command. what names the command that needs the ACLs.
func (f *aclFlags) addTo(cmd *cobra.Command, what string) {
	cmd.Flags().BoolVar(&f.wanted, "acls", false, "print the minimal ACLs that "+what+" needs, and connect to nothing")
	cmd.Flags().StringVar(&f.principal, "principal", "", "principal in the ACLs, such as User:alice; without it the user of --sasl-username, or the subject of --tls-certificate")
}

// printLetters prints the ACLs that a dead-letter command needs with these settings.
func (f *aclFlags) printLetters(cmd *cobra.Command, format string, s *config.Settings, l check.Letters) error {
	connection, err := setup.Connection(s, nil)
	if err != nil {
		return err
	}
	o := setup.Check(s, connection, f.principal)
	l.Topic, l.TransactionalID = s.DeadLetterTopic, deadletters.TransactionalID(s.DeadLetterTopic)
	return printACLs(cmd.OutOrStdout(), format, "deadletter "+cmd.Name(), &o, o.LetterEntries(&l))
}

func printACLs(w io.Writer, format, what string, o *check.Options, entries []check.Entry) error {
	if !o.UsesACLs() {
		return cli.Mistake(errors.New("flag --acls: with sasl-mechanism " + o.Connection.Mechanism() + " brokers check IAM policies, not ACLs"))
	}
	if format == "json" {
		return display.WriteIndented(w, entries)
	}
	_, err := io.WriteString(w, o.ACLText(what, entries))
	return err
}
