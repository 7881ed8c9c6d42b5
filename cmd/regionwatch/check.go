package main

import (
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/regionwatch/regionwatch/internal/broker/check"
	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/internal/setup"
)

// checkFlags are check's own flags, apart from settings.
type checkFlags struct {
	format *cli.Choice
	acls   aclFlags
}

func newCheckCommand() *cobra.Command {
	f := checkFlags{format: cli.NewChoice("text", "json")}
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Try what run needs of the brokers, step by step, and say what is refused",
		Long: "Connect with the settings of run and try, step by step, what it needs: resolve the brokers' names,\n" +
			"connect, TLS, authenticate, reach every broker of the cluster, describe and read the input, join the\n" +
			"group, write each of the outputs, and under exactly-once use the transactional ids. What is refused\n" +
			"comes with its remedy: the flag to change, or the line of kafka-acls that adds what is missing.\n\n" +
			"It can be run beside instances that are at work: it writes no record, joins no group, commits no\n" +
			"offset, makes no topic and takes no transactional id, so that nothing is rebalanced or fenced. It\n" +
			"asks for what brokers authorize and then cannot do: to write to and read from partition 2147483647,\n" +
			"to join with a member id that the group does not have, to abort a transaction of a producer that\n" +
			"never was. Topics that --create-topics would make are only validated. What it leaves is what it\n" +
			"costs: some connections and requests, a producer id, a line of the authorizer for each refusal,\n" +
			"and on a cluster without any group or transaction the topics that the brokers keep those in.\n" +
			"It cannot tell how large a record the brokers take, or whether they allow --transaction-timeout.\n" +
			"An --input-topic-pattern that matches no topic which we may see is refused here, where run warns and\n" +
			"waits for one: brokers do not tell the two apart. With AWS_MSK_IAM the remedy is what to allow in an IAM policy.\n\n" +
			"--acls connects to nothing and prints the least list of ACLs with which run works with these\n" +
			"settings, as kafka-acls lines (kafka-acls.sh in Apache's distribution). Describe comes with Read and\n" +
			"Write. What exactly-once needs is for one instance where --instance-id is given, else for every\n" +
			"instance of the group. Read of topics by --input-topic-pattern is for all that begin as the pattern\n" +
			"does.\n\n" +
			"Exit status: 0 all works, 1 something is refused, 2 a mistake in flags, settings or policy.",
		Example: "  regionwatch check --config /etc/regionwatch.yaml\n" +
			"  regionwatch check --config /etc/regionwatch.yaml --acls --principal User:regionwatch",
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return runCheck(cmd, &f) },
	}
	addRunSettings(cmd)
	f.format.AddTo(cmd, "format", "form of the output")
	f.acls.addTo(cmd, "run")
	return cmd
}

// errRefused is the error behind a check's exit status 1.
var errRefused = errors.New("not all that run needs works")

func runCheck(cmd *cobra.Command, f *checkFlags) error {
	s, _, err := loadBoth(cmd)
	if err = errors.Join(err, setup.CheckConnection(s)); err != nil {
		return cli.Mistake(err)
	}
	connection, err := setup.Connection(s, nil)
	if err != nil {
		return err
	}
	o := setup.Check(s, connection, f.acls.principal)
	if f.acls.wanted {
		return printACLs(cmd.OutOrStdout(), f.format.String(), "run", &o, o.Entries())
	}
	for _, w := range s.Warnings() {
		cli.Report(cmd.ErrOrStderr(), errors.New("warning: "+w))
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
	marks := display.IsTerminal(w)
	_, err := io.WriteString(w, result.Text(marks, marks && os.Getenv("NO_COLOR") == ""))
	return err
}
