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
	"github.com/regionwatch/regionwatch/internal/rebuild"
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
	return printACLs(cmd.OutOrStdout(), format, &o, aclList{"deadletter " + cmd.Name(), o.LetterEntries(&l)})
}

// printRebuild prints the ACLs that incidents rebuild needs with these settings.
func (f *aclFlags) printRebuild(cmd *cobra.Command, s *config.Settings) error {
	connection, err := setup.Connection(s, nil)
	if err != nil {
		return err
	}
	o := setup.CheckIncidents(s, connection, f.principal)
	return printACLs(cmd.OutOrStdout(), "text", &o, aclList{"incidents rebuild", o.RebuildEntries(rebuild.TransactionalID(o.Group))})
}

// aclList is what a command needs.
type aclList struct {
	command string
	entries []check.Entry
}

func printACLs(w io.Writer, format string, o *check.Options, lists ...aclList) error {
	if !o.UsesACLs() {
		return cli.Mistake(errors.New("flag --acls: with sasl-mechanism " + o.Connection.Mechanism() + " brokers check IAM policies, not ACLs"))
	}
	if format == "json" {
		var all []check.Entry
		for _, l := range lists {
			for _, e := range l.entries {
				e.For = l.command
				all = append(all, e)
			}
		}
		return display.WriteIndented(w, all)
	}
	for _, l := range lists {
		if _, err := io.WriteString(w, o.ACLText(l.command, l.entries)); err != nil {
			return err
		}
	}
	return nil
}
