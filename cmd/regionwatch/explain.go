package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/internal/explain"
	"github.com/regionwatch/regionwatch/internal/scan"
)

// explainFlags are explain's own flags, apart from settings.
type explainFlags struct {
	format  *cli.Choice
	number  *cli.Parsed[int64]
	eventID string
	limit   *cli.Parsed[int64]
	alerts  *cli.Parsed[int64] // partition of the alerts topic
}

func newExplainCommand() *cobra.Command {
	f := explainFlags{
		format: cli.NewChoice("text", "json"), number: cli.NewNumber("0", 0, 1<<40), limit: cli.NewNumber("100", 1, 1_000_000_000),
		alerts: cli.NewNumber("0", 0, 1<<31-1),
	}
	cmd := &cobra.Command{
		Use:   "explain FILE|-|TOPIC:PARTITION:OFFSET",
		Short: "Explain step by step why events did or did not raise an alert",
		Long: "Explain for each event, step by step, why it did or did not raise an alert: the recognized shape, the fields\n" +
			"that were read, what the policy says about the region, how readOnly was read, the decision and the alert.\n" +
			"Parts without events and unreadable parts are explained too. The decision is that of run and scan, by the\n" +
			"same code.\n\n" +
			"A record of a topic is read by its coordinates, without a consumer group; no offset is committed. A file that\n" +
			"is named like coordinates is read as a file.\n\n" +
			explain.Schema,
		Example: "  regionwatch explain trail.json.gz --event-id 3b0f6c5e-0000-4000-8000-000000000002\n" +
			"  regionwatch explain cloudtrail:3:42 --brokers kafka-1:9092 --format json",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				return nil
			}
			return fmt.Errorf("%s given; name one file, - for standard input, or a record as TOPIC:PARTITION:OFFSET", display.Plural(len(args), "argument"))
		},
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
	}
	f.format.AddTo(cmd, "format", "format of the explanation")
	cmd.Flags().Var(f.number, "index", "explain only the event with this number; the first event of the input is 0")
	cmd.Flags().StringVar(&f.eventID, "event-id", "", "explain only the events with this eventID")
	cmd.Flags().Var(f.limit, "limit", "most events, skipped parts and unreadable parts to explain")
	cmd.Flags().Var(f.alerts, "partition", "partition of the alerts topic for an alert without an account, on which its incident depends")
	cmd.Flags().Lookup("partition").DefValue = "" // none is unknown
	cli.AddSettings(cmd, append(config.Reach(), "config", "policy", "unused-regions", "missing-read-only", "policy-version", "max-event-bytes")...)
	return cmd
}

// run explains the named input.
func (f *explainFlags) run(cmd *cobra.Command, name string) error {
	s, p, err := loadPolicy(cmd)
	if err != nil {
		return err
	}
	o := explain.Options{
		Policy: p, MaxEventBytes: s.MaxEventBytes, Number: -1, EventID: f.eventID, Limit: f.limit.Value, Show: f.show(cmd.OutOrStdout()),
	}
	if cmd.Flags().Changed("index") {
		o.Number = f.number.Value
	}
	if cmd.Flags().Changed("partition") {
		partition := int32(f.alerts.Value)
		o.Partition = &partition
	}
	e := explain.New(o)
	if err := f.read(cmd, s, name, e.Visit); err != nil {
		return err
	}
	lines, more, err := e.Finish(name)
	if more {
		cli.Report(cmd.ErrOrStderr(), fmt.Errorf("there is more than these %s; select with --index or --event-id, or raise --limit", display.Number(lines)))
	}
	return err
}

// show returns a function that writes a line in the chosen format.
func (f *explainFlags) show(stdout io.Writer) func(*explain.Line) error {
	if f.format.String() == "text" {
		return func(l *explain.Line) error { return l.WriteText(stdout) }
	}
	if display.IsTerminal(stdout) {
		stdout = display.EscapeJSON(stdout)
	}
	return func(l *explain.Line) error { return l.WriteJSON(stdout) }
}

// read visits the records that the argument names.
func (f *explainFlags) read(cmd *cobra.Command, s *config.Settings, name string, visit func(*scan.Part) error) error {
	if place, ok := explain.ParsePlace(name); ok && !exists(name) {
		ctx, stop := cli.StopOnSignal(cmd.Context(), scanDrain, nil)
		defer stop()
		part, err := explain.ReadRecord(ctx, s, place)
		if err != nil {
			return err
		}
		return explain.IgnoreEnough(visit(part))
	}
	sources, err := scan.List([]string{name}, cmd.InOrStdin())
	switch {
	case err != nil:
		return cli.Mistake(err)
	case len(sources) != 1 || sources[0].Name != name:
		return cli.Mistake(fmt.Errorf("%s is a folder; name one file", name))
	}
	return explain.IgnoreEnough(scan.Records(&sources[0], s.MaxEventBytes, visit))
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}
