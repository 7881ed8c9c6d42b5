package main

import (
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/regionwatch/regionwatch/internal/broker/check"
	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/internal/rebuild"
	"github.com/regionwatch/regionwatch/internal/setup"
)

// checkFlags are check's own flags, apart from settings.
type checkFlags struct {
	format    *cli.Choice
	acls      aclFlags
	incidents bool
}

func newCheckCommand() *cobra.Command {
	f := checkFlags{format: cli.NewChoice("text", "json")}
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Try what run or incidents needs from the brokers, step by step, and report what is refused",
		Long: "Connect with the settings of run and try what it needs, step by step: resolve the brokers' names, connect,\n" +
			"TLS, authenticate, reach every broker of the cluster, describe and read the input, join the group, write\n" +
			"each output, read the policy topic, and for exactly-once use the transactional ids. Every refusal comes with its remedy: the flag\n" +
			"to change, or the kafka-acls line to add. With AWS_MSK_IAM it is the IAM permission to allow.\n\n" +
			"It is safe beside running instances: it writes no record, joins no group, commits no offset, creates no\n" +
			"topic and takes no transactional id, so nothing is rebalanced or fenced. Instead it asks for things that\n" +
			"brokers authorize but cannot do: write to and read from partition 2147483647, join with an unknown member\n" +
			"id, abort a transaction of an unknown producer. Topics that --create-topics would create are only validated.\n" +
			"It costs some connections and requests, a producer id, a line in the authorizer's log per refusal, and on a\n" +
			"cluster that never had a group or transaction the internal topics for those.\n" +
			"It cannot tell how large a record the brokers take, or whether they allow --transaction-timeout. If\n" +
			"--input-topic-pattern matches no visible topic, check reports a refusal, while run warns and waits: brokers\n" +
			"do not distinguish hidden topics from missing ones.\n\n" +
			"--acls connects to nothing and prints the minimal ACLs for run with these settings, as kafka-acls lines\n" +
			"(kafka-acls.sh in Apache's distribution). Read and Write include Describe. The ACLs for exactly-once are for\n" +
			"one instance with --instance-id, otherwise for every instance of the group. With --input-topic-pattern, Read\n" +
			"is for all topics with the prefix that the pattern begins with.\n\n" +
			"--incidents does all this for regionwatch incidents: read the alerts, its group, write incidents and dead letters,\n" +
			"and keep its state in a topic that must be compacted and have as many partitions as the alert topic. With --acls it\n" +
			"also prints what incidents rebuild needs, which is for the person who runs that.\n\n" +
			"Exit status: 0 all works, 1 something is refused, 2 a mistake in flags, settings or policy.",
		Example: "  regionwatch check --config /etc/regionwatch.yaml\n" +
			"  regionwatch check --config /etc/regionwatch.yaml --incidents\n" +
			"  regionwatch check --config /etc/regionwatch.yaml --acls --principal User:regionwatch",
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return runCheck(cmd, &f) },
	}
	addRunSettings(cmd)
	f.format.AddTo(cmd, "format", "format of the output")
	f.acls.addTo(cmd, "run or incidents")
	cmd.Flags().BoolVar(&f.incidents, "incidents", false, "check what incidents needs, instead of run")
	return cmd
}

// errRefused is the error behind a check's exit status 1.
var errRefused = errors.New("not everything that is needed works")

func runCheck(cmd *cobra.Command, f *checkFlags) error {
	s, _, err := loadBoth(cmd)
	if err = errors.Join(err, setup.CheckConnection(s)); err != nil {
		return cli.Mistake(err)
	}
	connection, err := setup.Connection(s, nil)
	if err != nil {
		return err
	}
	o, command := setup.Check(s, connection, f.acls.principal), "run"
	if f.incidents {
		o, command = setup.CheckIncidents(s, connection, f.acls.principal), "incidents"
	}
	if f.acls.wanted {
		lists := []aclList{{command, o.Entries()}}
		if f.incidents {
			lists = append(lists, aclList{"incidents rebuild", o.RebuildEntries(rebuild.TransactionalID(o.Group))})
		}
		return printACLs(cmd.OutOrStdout(), f.format.String(), &o, lists...)
	}
	for _, w := range s.Warnings() {
		cli.Report(cmd.ErrOrStderr(), errors.New("warning: "+w))
	}
	if o.PolicyKeys, err = setup.PolicyKeys(s); err != nil {
		return cli.Mistake(err)
	}
	result := check.Run(cmd.Context(), o)
	if err := f.print(cmd.OutOrStdout(), result); err != nil {
		return err
	}
	if !result.OK() {
		return errRefused
	}
	return nil
}

func (f *checkFlags) print(w io.Writer, result *check.Report) error {
	if f.format.String() == "json" {
		return display.WriteIndented(w, result)
	}
	width, _, _ := display.TerminalSize(w)
	_, err := io.WriteString(w, result.Text(width, width > 0 && os.Getenv("NO_COLOR") == ""))
	return err
}
