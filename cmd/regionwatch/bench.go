package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/bench"
	"github.com/regionwatch/regionwatch/internal/broker/check"
	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/internal/generate"
	"github.com/regionwatch/regionwatch/internal/memory"
	"github.com/regionwatch/regionwatch/internal/setup"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/cloudtrail/sample"
)

// benchPartitions is the default number of input partitions on the embedded broker.
const benchPartitions = 12

// benchDrain bounds how long deleting the topics may take after a signal to stop.
const benchDrain = 30 * time.Second

// benchFlags are bench's own flags, apart from settings.
type benchFlags struct {
	records, rounds, seed, perRecord *cli.Parsed[int64]
	matching                         *cli.Parsed[float64]
	compression                      *cli.Choice
	shapes                           []string
	file                             string
	incidents                        bool
	remembered                       *cli.Parsed[int64]
}

// idsPerIncident is how many alerts an incident of bench has, on average.
const idsPerIncident = 50

func newBenchCommand() *cobra.Command {
	f := benchFlags{
		records:     cli.NewNumber("200000", 1, math.MaxInt32),
		rounds:      cli.NewNumber("3", 1, 1000),
		seed:        cli.NewNumber("1", 0, math.MaxInt64),
		perRecord:   cli.NewNumber("10", 1, 1_000_000),
		matching:    cli.NewShare("0.01"),
		compression: setup.NewCompression(),
		remembered:  cli.NewNumber("200000", 100, 10_000_000),
	}
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure what the pipeline costs, against a consumer that only reads",
		Long: "Measure what the pipeline costs, against a consumer that only reads: a backlog is written once, then a bare\n" +
			"consumer, the pipeline at least once and the pipeline exactly once each read it.\n\n" +
			"Without --brokers it needs no set-up: it uses the embedded broker, in a separate process. With --brokers it\n" +
			"creates topics and groups named regionwatch-bench-... there, and deletes them at the end. What must be found\n" +
			"in generated records is known: if a single alert is missing, the exit status is 1.\n\n" +
			"With --incidents it measures the second stage instead: grouping alerts, the memory of many incidents with 50\n" +
			"alerts each, and restoring their state.\n\n" +
			"Compare processor times and ratios. Records per second depend on what else uses the machine, and the embedded\n" +
			"broker does.",
		Example: "  regionwatch bench\n" +
			"  regionwatch bench --incidents\n" +
			"  regionwatch bench --brokers kafka-1:9092 --records 2M --partitions 12 --replicas 3",
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	flags := cmd.Flags()
	flags.Var(f.records, "records", "records that each contender reads; more give steadier figures")
	flags.Var(f.rounds, "rounds", "times that each contender reads all records; the medians count")
	flags.Var(f.seed, "seed", "selects the sample; the same seed gives the same records")
	flags.Var(f.perRecord, "events-per-record", "events in a record whose shape can hold several")
	flags.Var(f.matching, "match-share", "share of events that are writes in an unused region, from 0 to 1")
	addShapeFlag(cmd, &f.shapes, "event")
	flags.StringVar(&f.file, "file", "", "file of records, one per line, to repeat instead of generated ones; .gz is unpacked")
	flags.BoolVar(&f.incidents, "incidents", false, "measure grouping alerts into incidents; --records is how many alerts")
	flags.Var(f.remembered, "open-incidents", "incidents whose memory and restore --incidents measures")
	f.compression.AddTo(cmd, "compression", "compression of the records")
	cli.Must(cmd.MarkFlagFilename("file"))
	cli.AddSettings(cmd, append(config.Reach(), "partitions", "replicas", "unused-regions", "sessions")...)
	return cmd
}

// newBenchBrokerCommand is the hidden command that bench starts as its embedded broker.
func newBenchBrokerCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "bench-broker",
		Short:  "The embedded broker of bench, until standard input ends",
		Hidden: true,
		Args:   cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return bench.ServeEmbedded(cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
}

func (f *benchFlags) run(cmd *cobra.Command) (err error) {
	s, p, err := loadPolicy(cmd)
	if err != nil {
		return err
	}
	ctx, stop := cli.StopOnSignal(cmd.Context(), benchDrain, nil)
	defer stop()
	if f.incidents {
		return f.runIncidents(ctx, cmd)
	}
	source, err := f.source(cmd, s)
	if err != nil {
		return cli.Mistake(err)
	}
	where := "the brokers " + strings.Join(s.Brokers, ",")
	if len(s.Brokers) == 0 {
		broker, err := bench.StartEmbedded(ctx, newBenchBrokerCommand().Name())
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, broker.Close()) }()
		s.Brokers, where = []string{broker.Address}, "the embedded broker, in a separate process on this machine"
		if s.Partitions == 0 {
			s.Partitions = benchPartitions
		}
	}
	o, err := f.options(ctx, cmd, s, p, source)
	if err != nil {
		return err
	}
	report, err := bench.Run(ctx, o)
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("%w: %w", cli.Stopped(ctx), err)
	}
	if report != nil {
		err = errors.Join(err, report.Print(cmd.OutOrStdout(), o.Records, o.Rounds, where))
	}
	return err
}

// runIncidents measures the second stage.
func (f *benchFlags) runIncidents(ctx context.Context, cmd *cobra.Command) error {
	memory.Tune(memory.ContainerLimit("/"), os.LookupEnv)
	report, err := bench.MeasureGrouping(ctx, bench.GroupingOptions{
		Alerts: int(f.records.Value), Incidents: int(f.remembered.Value), Each: idsPerIncident,
		Grow: memory.Grow,
		Step: func(text string) { fmt.Fprintln(cmd.ErrOrStderr(), text) },
	})
	if err != nil {
		return err
	}
	return report.Print(cmd.OutOrStdout())
}

// source returns the source of the records.
func (f *benchFlags) source(cmd *cobra.Command, s *config.Settings) (bench.Source, error) {
	if f.file != "" {
		for _, name := range []string{"shape", "match-share", "seed", "events-per-record"} {
			if cmd.Flags().Changed(name) {
				return nil, fmt.Errorf("flag --%s: only for generated records, not with --file", name)
			}
		}
		source, err := bench.Lines(f.file)
		if err != nil {
			return nil, fmt.Errorf("flag --file: %w", err)
		}
		return source, nil
	}
	shapes, err := generate.Shapes(f.shapes)
	if err != nil {
		return nil, err
	}
	generator, err := sample.New(sample.Options{
		Seed: uint64(f.seed.Value), Shapes: shapes, EventsPerRecord: int(f.perRecord.Value), MatchShare: f.matching.Value,
		Regions: generate.UsedRegions(s.UnusedRegions), UnusedRegions: s.UnusedRegions,
	})
	if err != nil {
		return nil, err
	}
	return bench.Generated(generator, s.UnusedRegions), nil
}

// options returns what to measure.
func (f *benchFlags) options(ctx context.Context, cmd *cobra.Command, s *config.Settings, p *policy.Policy, source bench.Source) (bench.Options, error) {
	connection, err := setup.Connection(s, nil)
	if err == nil {
		err = check.Reach(ctx, connection)
	}
	if err != nil {
		return bench.Options{}, err
	}
	o := bench.Options{
		Processor: setup.Processor(s), Records: int(f.records.Value), Rounds: int(f.rounds.Value),
		Partitions: setup.OrBroker(int32(s.Partitions)), Replicas: setup.OrBroker(int16(s.Replicas)), Compression: setup.Codecs[f.compression.String()],
		Next: source.Next, Check: source.Check,
	}
	o.Processor.ClientOpts = connection.ClientOpts()
	o.Processor.Policy = func() *policy.Policy { return p }
	w := cmd.ErrOrStderr()
	var bar *progressbar.ProgressBar
	o.Step = func(text string) {
		if bar != nil {
			_ = bar.Exit()
		}
		fmt.Fprintln(w, text)
		bar = display.NewCountBar(w, int64(o.Records), "records", display.IsTerminal(w))
	}
	o.Progress = func(records int) { _ = bar.Set(records) } // ignore progress bar errors
	return o, nil
}
