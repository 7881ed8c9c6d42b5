package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/internal/scan"
	"github.com/regionwatch/regionwatch/processor/detection"
)

// explainFlags are the flags of explain that are no settings.
type explainFlags struct {
	format  *cli.Choice
	number  *cli.Parsed[int64]
	eventID string
	limit   *cli.Parsed[int64]
}

func newExplainCommand() *cobra.Command {
	f := explainFlags{
		format: cli.NewChoice("text", "json"), number: cli.NewNumber("0", 0, 1<<40), limit: cli.NewNumber("100", 1, 1_000_000_000),
	}
	cmd := &cobra.Command{
		Use:   "explain FILE|-|TOPIC:PARTITION:OFFSET",
		Short: "Tell step by step why events did or did not raise an alert",
		Long: "Tell of each event step by step why it did or did not raise an alert: the shape that was recognized,\n" +
			"the fields that were read, what the policy says of the region, how readOnly was taken, the decision\n" +
			"and the alert. What holds no events and what could not be read is told with the reason. The decision\n" +
			"is that of run and scan, by the same code.\n\n" +
			"A record of a topic is read by its coordinates, without a consumer group: no offset is committed. A\n" +
			"file that is named like one counts as a file.\n\n" +
			explainSchema,
		Example: "  regionwatch explain trail.json.gz --event-id 3b0f6c5e-0000-4000-8000-000000000002\n" +
			"  regionwatch explain cloudtrail:3:42 --brokers kafka-1:9092 --format json",
		Args: explainArguments,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
	}
	f.format.AddTo(cmd, "format", "form of the explanation")
	cmd.Flags().Var(f.number, "index", "explain the event with this number only; the first event of the input is 0")
	cmd.Flags().StringVar(&f.eventID, "event-id", "", "explain the events with this eventID only")
	cmd.Flags().Var(f.limit, "limit", "most events, skipped parts and unreadable parts to explain")
	cli.AddSettings(cmd, append(config.Reach(), "config", "policy", "unused-regions", "missing-read-only", "policy-version", "max-event-bytes")...)
	return cmd
}

func explainArguments(_ *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	return fmt.Errorf("%d arguments given; name one file, - for standard input, or a record as TOPIC:PARTITION:OFFSET", len(args))
}

// run explains what the argument names.
func (f *explainFlags) run(cmd *cobra.Command, name string) error {
	s, policy, err := loadPolicy(cmd)
	if err != nil {
		return err
	}
	e := explanation{
		detector: detection.NewDetector(detection.Options{MaxEventBytes: s.MaxEventBytes}),
		policy:   policy, chosen: f.chosen(cmd), limit: f.limit.Value, show: f.show(cmd.OutOrStdout()),
	}
	if err := f.read(cmd, s, name, e.visit); err != nil {
		return err
	}
	switch {
	case e.failed != nil:
		return fmt.Errorf("writing the explanation: %w", e.failed)
	case e.more:
		cli.Report(cmd.ErrOrStderr(), fmt.Errorf("there is more than these %s; --index or --event-id choose, --limit allows more", display.Number(e.shown)))
	case e.shown == 0:
		return cli.Mistake(e.nothing(name))
	}
	return nil
}

// chosen returns which events are wanted.
func (f *explainFlags) chosen(cmd *cobra.Command) selection {
	c := selection{number: -1, eventID: f.eventID}
	if cmd.Flags().Changed("index") {
		c.number = f.number.Value
	}
	return c
}

// show returns what writes one step in the form that is wanted.
func (f *explainFlags) show(stdout io.Writer) func(*explainLine) error {
	if f.format.String() == "text" {
		return func(l *explainLine) error { return l.writeText(stdout) }
	}
	if display.IsTerminal(stdout) {
		stdout = display.EscapeJSON(stdout) // JSON may hold what a terminal obeys
	}
	return func(l *explainLine) error { return l.writeJSON(stdout) }
}

// read hands the records on that the argument names.
func (f *explainFlags) read(cmd *cobra.Command, s *config.Settings, name string, visit func(*scan.Part) error) error {
	if place, ok := parsePlace(name); ok && !exists(name) {
		ctx, stop := cli.StopOnSignal(cmd.Context(), scanDrain, nil)
		defer stop()
		part, err := readRecord(ctx, s, place)
		if err != nil {
			return err
		}
		return ignoreEnough(visit(part))
	}
	sources, err := scan.List([]string{name}, cmd.InOrStdin())
	switch {
	case err != nil:
		return cli.Mistake(err)
	case len(sources) != 1 || sources[0].Name != name:
		return cli.Mistake(fmt.Errorf("%s is a folder; name one file", name))
	}
	return ignoreEnough(scan.Records(&sources[0], s.MaxEventBytes, visit))
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

func ignoreEnough(err error) error {
	if errors.Is(err, scan.ErrEnough) {
		return nil
	}
	return err
}
