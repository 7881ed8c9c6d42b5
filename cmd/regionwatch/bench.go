package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/bench"
	"github.com/regionwatch/regionwatch/internal/broker/check"
	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/internal/setup"
	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/cloudtrail/sample"
)

// benchPartitions is how many partitions the input has on the embedded broker, unless told otherwise.
const benchPartitions = 12

// benchSettle is how long topics may take to be deleted after a signal to stop.
const benchSettle = 30 * time.Second

// benchFlags are the flags of bench that are no settings.
type benchFlags struct {
	records, rounds, seed, perRecord *cli.Parsed[int64]
	matching                         *cli.Parsed[float64]
	compression                      *cli.Choice
	shapes                           []string
	file                             string
}

func newBenchCommand() *cobra.Command {
	f := benchFlags{
		records:     cli.NewNumber("200000", 1, math.MaxInt32),
		rounds:      cli.NewNumber("3", 1, 1000),
		seed:        cli.NewNumber("1", 0, math.MaxInt64),
		perRecord:   cli.NewNumber("10", 1, 1_000_000),
		matching:    cli.NewShare("0.01"),
		compression: cli.NewChoice("lz4", "zstd", "snappy", "gzip", "none"),
	}
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure what the pipeline costs, against a consumer that only reads",
		Long: "Measure what the pipeline costs, against a consumer that only reads: a backlog is written once, and a\n" +
			"bare consumer, the pipeline at least once and the pipeline exactly once read it in turn.\n\n" +
			"It needs nothing to set up: without --brokers it takes the embedded broker, in a process of its own.\n" +
			"With --brokers it makes topics and groups of its own there, named regionwatch-bench-..., and deletes\n" +
			"them at the end. What must come of generated records is known: the exit status is 1 where a single\n" +
			"alert is missing.\n\n" +
			"Go by the processor time and by the ratios. Records a second depend on who else uses the machine, and\n" +
			"the embedded broker does.",
		Example: "  regionwatch bench\n" +
			"  regionwatch bench --brokers kafka-1:9092 --records 2000000 --partitions 12 --replicas 3",
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	flags := cmd.Flags()
	flags.Var(f.records, "records", "records that each reads; more give steadier figures")
	flags.Var(f.rounds, "rounds", "times that each reads all records; the medians count")
	flags.Var(f.seed, "seed", "chooses among all the samples there could be")
	flags.Var(f.perRecord, "events-per-record", "events in a record whose shape can hold several")
	flags.Var(f.matching, "match-share", "share of events that are writes in an unused region, from 0 to 1")
	flags.StringSliceVar(&f.shapes, "shape", []string{"event"}, "shapes of the records, as generate takes them")
	flags.StringVar(&f.file, "file", "", "file of records, one a line, to repeat in place of generated ones; .gz is unpacked")
	f.compression.AddTo(cmd, "compression", "compression of the records")
	cli.Must(cmd.MarkFlagFilename("file"))
	cli.AddSettings(cmd, append(config.Reach(), "partitions", "replicas", "unused-regions", "sessions")...)
	return cmd
}

func (f *benchFlags) run(cmd *cobra.Command) (err error) {
	s, policy, err := loadPolicy(cmd)
	if err != nil {
		return err
	}
	source, err := f.source(cmd, s)
	if err != nil {
		return err
	}
	ctx, stop := cli.StopOnSignal(cmd.Context(), benchSettle, nil)
	defer stop()
	where := "the brokers " + strings.Join(s.Brokers, ",")
	if len(s.Brokers) == 0 {
		broker, err := startBenchBroker(ctx)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, broker.close()) }()
		s.Brokers, where = []string{broker.address}, "the embedded broker, a process of its own on this machine"
		if s.Partitions == 0 {
			s.Partitions = benchPartitions
		}
	}
	o, err := f.options(ctx, cmd, s, policy, source)
	if err != nil {
		return err
	}
	report, err := bench.Run(ctx, o)
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("stopped by a signal: %w", err)
	}
	if report != nil {
		printBench(cmd.OutOrStdout(), report, o.Records, o.Rounds, where)
	}
	return err
}

// source returns where the records come from.
func (f *benchFlags) source(cmd *cobra.Command, s *config.Settings) (benchSource, error) {
	if f.file != "" {
		for _, name := range []string{"shape", "match-share", "seed", "events-per-record"} {
			if cmd.Flags().Changed(name) {
				return nil, cli.Mistake(fmt.Errorf("flag --%s: only for generated records, not with --file", name))
			}
		}
		return openLinesSource(f.file)
	}
	shapes, err := parseShapes(f.shapes)
	if err != nil {
		return nil, cli.Mistake(err)
	}
	generator, err := sample.New(sample.Options{
		Seed: uint64(f.seed.Value), Shapes: shapes, EventsPerRecord: int(f.perRecord.Value), MatchShare: f.matching.Value,
		Regions: usedRegions(s.UnusedRegions), UnusedRegions: s.UnusedRegions,
	})
	if err != nil {
		return nil, cli.Mistake(err)
	}
	return &generatedSource{generator: generator, unused: s.UnusedRegions}, nil
}

// options returns what to measure.
func (f *benchFlags) options(ctx context.Context, cmd *cobra.Command, s *config.Settings, p *policy.Policy, source benchSource) (bench.Options, error) {
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
		Next: source.next, Check: func(status processor.Status) error { return source.check(status) },
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
		bar = newBar(w, int64(o.Records), "records", display.IsTerminal(w))
	}
	o.Progress = func(records int) { _ = bar.Set(records) } // a bar that cannot be drawn does not matter
	return o, nil
}
