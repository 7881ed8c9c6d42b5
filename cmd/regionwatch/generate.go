package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
	"github.com/regionwatch/regionwatch/schema/cloudtrail/sample"
)

// generateDrain is how long records that were made may take to be written after a signal to stop.
const generateDrain = 20 * time.Second

// generateFlags are the flags of generate that are no settings.
type generateFlags struct {
	count, rate, seed, accounts, perRecord *cli.Parsed[int64]
	matching, damaged                      *cli.Parsed[float64]
	eventTime                              *cli.Parsed[time.Time]
	compression                            *cli.Choice
	regions, shapes                        []string
	topic, outputDir, truth                string
}

func newGenerateCommand() *cobra.Command {
	f := generateFlags{
		count:       cli.NewNumber("1000", 0, 1_000_000_000_000),
		rate:        cli.NewNumber("0", 0, math.MaxInt32),
		seed:        cli.NewNumber("1", 0, math.MaxInt64),
		accounts:    cli.NewNumber("3", 1, sample.MaxAccounts),
		perRecord:   cli.NewNumber("10", 1, 1_000_000),
		matching:    cli.NewShare("0.01"),
		damaged:     cli.NewShare("0"),
		eventTime:   cli.NewMoment("2026-11-01T00:00:00Z"),
		compression: cli.NewChoice("lz4", "zstd", "snappy", "gzip", "none"),
	}
	cmd := &cobra.Command{
		Use:   "generate",
		Short: "Make sample CloudTrail, to standard output, a folder or a topic",
		Long: "Make sample CloudTrail: seeded, so that the same flags give the same records, with events of all\n" +
			"identity types and many services, some of them matching, some damaged on purpose.\n\n" +
			"Records go to standard output, one a line; with --output-dir to files, one each; with --topic to\n" +
			"Kafka, keyed by account. What must come of them, told on standard error at the end, is exact:\n" +
			"--truth writes it for programs.",
		Example: "  regionwatch generate --count 5 | jq .eventName\n" +
			"  regionwatch generate --shape gzip+records --output-dir logs --damaged-share 0.05\n" +
			"  regionwatch generate --brokers localhost:9092 --topic cloudtrail --create-topics --rate 500 --count 0",
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return generate(cmd, &f) },
	}
	f.addTo(cmd)
	cli.AddSettings(cmd, append(config.Reach(), "create-topics", "partitions", "replicas", "unused-regions")...)
	return cmd
}

func (f *generateFlags) addTo(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.Var(f.count, "count", "records to make; 0 goes on until a signal to stop")
	flags.Var(f.rate, "rate", "records a second; 0 is as fast as it goes")
	flags.Var(f.seed, "seed", "chooses among all the samples there could be")
	flags.Var(f.accounts, "accounts", fmt.Sprintf("accounts that the events are of, up to %d", sample.MaxAccounts))
	flags.Var(f.perRecord, "events-per-record", "events in a record whose shape can hold several, such as records, ndjson or cloudwatch-logs")
	flags.Var(f.matching, "match-share", "share of events that are writes in an unused region, from 0 to 1")
	flags.Var(f.damaged, "damaged-share", "share of records that are damaged, from 0 to 1")
	flags.Var(f.eventTime, "event-time", "eventTime of the first event: now, or RFC 3339; others follow every 10 ms")
	flags.StringSliceVar(&f.regions, "regions", []string{"us-east-1", "us-west-2", "eu-west-1"}, "regions in use, with commas")
	flags.StringSliceVar(&f.shapes, "shape", []string{"event"},
		"shape of the records, the outermost layer first with + between, several with commas, such as event,sqs+sns+records ("+
			strings.Join(sample.ShapeNames(), ", ")+")")
	flags.StringVar(&f.topic, "topic", "", "topic to write to; needs --brokers")
	flags.StringVar(&f.outputDir, "output-dir", "", "folder to write to, a file for each record")
	flags.StringVar(&f.truth, "truth", "", "file to write what must come of the records to, as JSON")
	f.compression.AddTo(cmd, "compression", "compression of what goes to a topic")
	cli.Must(cmd.MarkFlagDirname("output-dir"))
}

func generate(cmd *cobra.Command, f *generateFlags) error {
	s, _, err := loadPolicy(cmd) // which checks the unused regions too
	if err != nil {
		return err
	}
	o, err := f.options(s)
	if err != nil {
		return cli.Mistake(err)
	}
	g, err := sample.New(o)
	if err != nil {
		return cli.Mistake(err)
	}
	ctx, stop := cli.StopOnSignal(cmd.Context(), generateDrain, nil)
	defer stop()
	out, err := f.open(ctx, cmd, s, o.Shapes)
	if err != nil {
		return err
	}
	began := time.Now()
	err = errors.Join(f.write(ctx, g, out, f.progress(cmd)), out.close())
	t := newTruth(g, out.written(), s.UnusedRegions)
	t.print(cmd.ErrOrStderr(), out.name(), time.Since(began), ctx.Err() != nil)
	if f.truth != "" {
		err = errors.Join(err, t.save(f.truth))
	}
	return err
}

// options returns the options of the generator. The error names every mistake.
func (f *generateFlags) options(s *config.Settings) (sample.Options, error) {
	o := sample.Options{
		Seed: uint64(f.seed.Value), Accounts: int(f.accounts.Value),
		Regions: f.regions, UnusedRegions: s.UnusedRegions,
		MatchShare: f.matching.Value, DamagedShare: f.damaged.Value,
		EventsPerRecord: int(f.perRecord.Value), Start: f.eventTime.Value,
	}
	var faults []error
	var err error
	if o.Shapes, err = parseShapes(f.shapes); err != nil {
		faults = append(faults, err)
	}
	switch {
	case f.topic != "" && f.outputDir != "":
		faults = append(faults, errors.New("flags --topic and --output-dir: only one of them is allowed"))
	case f.topic != "" && len(s.Brokers) == 0:
		faults = append(faults, errors.New("flag --topic: needs --brokers"))
	case f.topic == "" && s.Origin("brokers").Source == config.FromFlag && len(s.Brokers) > 0:
		faults = append(faults, errors.New("flag --brokers: needs --topic"))
	}
	return o, errors.Join(faults...)
}

// parseShapes returns the shapes that --shape names. The error names every mistake.
func parseShapes(texts []string) (shapes []cloudtrail.Chain, err error) {
	for _, text := range texts {
		chain, fault := sample.ParseShape(text)
		if fault != nil {
			err = errors.Join(err, fmt.Errorf("flag --shape: %w", fault))
		}
		shapes = append(shapes, chain)
	}
	return shapes, err
}

// open returns where the records go.
func (f *generateFlags) open(ctx context.Context, cmd *cobra.Command, s *config.Settings, shapes []cloudtrail.Chain) (recordWriter, error) {
	switch {
	case f.topic != "":
		return openTopic(ctx, s, f.topic, f.compression.String())
	case f.outputDir != "":
		return openFolder(f.outputDir)
	}
	for _, chain := range shapes {
		if sample.IsBinary(chain) {
			return nil, cli.Mistake(fmt.Errorf("flag --shape: %s is binary and cannot stand on standard output, where records are lines; give --output-dir or --topic", sample.FormatShape(chain)))
		}
	}
	return newLines(cmd.OutOrStdout()), nil
}

// write makes records and hands them on, until there are enough of them, a signal or an error.
func (f *generateFlags) write(ctx context.Context, g *sample.Generator, out recordWriter, bar *progressbar.ProgressBar) error {
	pace := newPace(float64(f.rate.Value))
	defer func() { _ = bar.Exit() }()
	for i := int64(0); f.count.Value == 0 || i < f.count.Value; i++ {
		if !pace.wait(ctx) {
			return nil
		}
		if err := out.write(ctx, g.Next()); err != nil {
			return err
		}
		_ = bar.Add(1) // a bar that cannot be drawn does not matter
	}
	return nil
}

// progress returns a bar that is drawn on a terminal only, and not among records.
func (f *generateFlags) progress(cmd *cobra.Command) *progressbar.ProgressBar {
	total := f.count.Value
	if total == 0 {
		total = -1
	}
	w := cmd.ErrOrStderr()
	records := f.topic == "" && f.outputDir == "" && display.IsTerminal(cmd.OutOrStdout())
	return newBar(w, total, "records", display.IsTerminal(w) && !records)
}

// newBar returns a progress bar of this program's looks. It vanishes when it is done.
func newBar(w io.Writer, total int64, unit string, visible bool) *progressbar.ProgressBar {
	return progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetVisibility(visible),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionShowCount(),
		progressbar.OptionShowIts(),
		progressbar.OptionSetItsString(unit),
		progressbar.OptionSetWidth(24),
		progressbar.OptionUseANSICodes(true),
		progressbar.OptionClearOnFinish(),
	)
}

// pace spreads work evenly over time.
type pace struct {
	rate  float64 // a second; 0 is without bound
	start time.Time
	n     float64
}

func newPace(rate float64) *pace { return &pace{rate: rate, start: time.Now()} }

// wait waits until the next piece of work is due, and reports whether the context still holds.
func (p *pace) wait(ctx context.Context) bool {
	if p.rate > 0 {
		due := p.start.Add(time.Duration(p.n / p.rate * float64(time.Second)))
		p.n++
		if early := time.Until(due); early > time.Millisecond {
			select {
			case <-ctx.Done():
			case <-time.After(early):
			}
		}
	}
	return ctx.Err() == nil
}
