package main

import (
	"github.com/spf13/cobra"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/broker/check"
	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/deadletters/view"
)

func newDeadLetterListCommand() *cobra.Command {
	format, acls := cli.NewChoice("table", "json"), new(aclFlags)
	cmd := &cobra.Command{
		Use:   "list",
		Short: "Count dead letters by reason, origin, time and shape",
		Long: "Count dead letters by reason, by the partition their record was read from, by the time they were written, and\n" +
			"by the shape recognized before the fault. A letter in parts counts once. Memory does not grow with the topic.",
		Example: "  regionwatch deadletter list --brokers kafka-1:9092 --since 24h\n" +
			"  regionwatch deadletter list --brokers kafka-1:9092 --reason truncated,syntax --format json",
		Args: cli.NoArguments,
	}
	flags := addLetterFlags(cmd)
	format.AddTo(cmd, "format", "format of the counts")
	acls.addTo(cmd, "the command")
	cli.AddSettings(cmd, append(config.Reach(), "config", "dead-letter-topic", "max-batch-bytes")...)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return listLetters(cmd, flags, acls, format.String()) }
	return cmd
}

func listLetters(cmd *cobra.Command, flags *letterFlags, acls *aclFlags, format string) error {
	s, err := cli.ReadSomeSettings(cmd, "brokers")
	if err != nil {
		return cli.Mistake(err)
	}
	selection, err := flags.selection()
	if err != nil {
		return err
	}
	if acls.wanted {
		return acls.printLetters(cmd, format, s, check.Letters{})
	}
	ctx, stop := cli.StopOnSignal(cmd.Context(), letterDrain, nil)
	defer stop()
	topic, closeBar, err := letterTopic(ctx, s, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	tally, err := topic.Count(ctx, &selection, uint64(flags.limit.Value))
	closeBar()
	if err != nil {
		return letterError(ctx, err)
	}
	return view.Tally(cmd.OutOrStdout(), format, s.DeadLetterTopic, tally)
}
