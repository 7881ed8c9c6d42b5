package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/internal/generate"
	"github.com/regionwatch/regionwatch/internal/setup"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
	"github.com/regionwatch/regionwatch/schema/cloudtrail/sample"
)

// generateFlags are generate's own flags, apart from settings.
type generateFlags struct {
	count, rate, seed, accounts, perRecord *cli.Parsed[int64]
	company                                *cli.Parsed[int64]
	matching, damaged                      *cli.Parsed[float64]
	eventTime                              *cli.Parsed[time.Time]
	compression                            *cli.Choice
	regions, shapes                        []string
	topic, outputDir, truth                string
	force                                  bool
}

func newGenerateCommand() *cobra.Command {
	f := generateFlags{
		count:       cli.NewNumber("1000", 0, 1_000_000_000_000),
		rate:        cli.NewNumber("0", 0, math.MaxInt32),
		seed:        cli.NewNumber("1", 0, math.MaxInt64),
		accounts:    cli.NewNumber("3", 1, sample.MaxAccounts),
		perRecord:   cli.NewNumber("10", 1, 1_000_000),
		company:     cli.NewNumber("0", 0, sample.MaxAccounts),
		matching:    cli.NewShare("0.01"),
		damaged:     cli.NewShare("0"),
		eventTime:   cli.NewMoment("2026-11-01T00:00:00Z"),
		compression: setup.NewCompression(),
	}
	cmd := &cobra.Command{
		Use:   "generate",
		Short: "Make sample CloudTrail on standard output, in a folder or in a topic",
		Long: "Make sample CloudTrail. The same flags give the same records, with events of all identity types and many\n" +
			"services; some match, and some are damaged on purpose.\n\n" +
			"Records go to standard output, one per line; with --output-dir to files, one each; with --topic to Kafka, keyed\n" +
			"by account. At the end, standard error says exactly what must be found in them; --truth writes that as JSON.\n\n" +
			"--company makes 90 days of a company instead, for policy learn: log files, its organization as the AWS CLI's\n" +
			"outputs and as CSV, and truth.json with the regions that each account uses.",
		Example: "  regionwatch generate --count 5 | jq .eventName\n" +
			"  regionwatch generate --shape gzip+records --output-dir logs --damaged-share 0.05\n" +
			"  regionwatch generate --brokers localhost:9092 --topic cloudtrail --create-topics \\\n" +
			"    --rate 500 --count 0\n" +
			"  regionwatch generate --company 20 --output-dir company",
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.addTo(cmd)
	cli.AddSettings(cmd, append(config.Reach(), "create-topics", "partitions", "replicas", "unused-regions")...)
	return cmd
}

func (f *generateFlags) addTo(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.Var(f.count, "count", "records to make; 0 goes on until a signal to stop")
	flags.Var(f.rate, "rate", "records per second; 0 has no limit")
	flags.Var(f.seed, "seed", "selects the sample; the same seed gives the same records")
	flags.Var(f.accounts, "accounts", fmt.Sprintf("number of accounts in the events, up to %d", sample.MaxAccounts))
	flags.Var(f.company, "company", "make a company with that many accounts, whose traffic ends at --event-time; needs --output-dir")
	flags.Var(f.perRecord, "events-per-record", "events in a record whose shape can hold several, such as records, ndjson or cloudwatch-logs")
	flags.Var(f.matching, "match-share", "share of events that are writes in an unused region, from 0 to 1")
	flags.Var(f.damaged, "damaged-share", "share of records that are damaged, from 0 to 1")
	flags.Var(f.eventTime, "event-time", "eventTime of the first event: now, or RFC 3339; others follow every 10 ms")
	flags.StringSliceVar(&f.regions, "regions", []string{"us-east-1", "us-west-2", "eu-west-1"}, "regions in use, with commas")
	addShapeFlag(cmd, &f.shapes, "event")
	flags.StringVar(&f.topic, "topic", "", "topic to write to; needs --brokers")
	flags.StringVar(&f.outputDir, "output-dir", "", "folder to write to, one file for each record")
	flags.BoolVar(&f.force, "force", false, "write into an output folder that is not empty")
	flags.StringVar(&f.truth, "truth", "", "file for what must be found in the records, as JSON")
	f.compression.AddTo(cmd, "compression", "compression of records in a topic")
	cli.Must(cmd.MarkFlagDirname("output-dir"))
}

// addShapeFlag adds --shape, with completion.
func addShapeFlag(cmd *cobra.Command, shapes *[]string, standard ...string) {
	cmd.Flags().StringSliceVar(shapes, "shape", standard,
		"shapes of the records, the outermost layer first with + between, several with commas, such as event,sqs+sns+records ("+
			strings.Join(sample.ShapeNames(), ", ")+")")
	cli.CompleteList(cmd, "shape", ",+", sample.ShapeNames())
}

// companyFlags are the only flags that go with --company.
var companyFlags = []string{"company", "seed", "event-time", "output-dir", "force"}

// runCompany makes a company.
func (f *generateFlags) runCompany(cmd *cobra.Command) error {
	var err error
	cmd.Flags().Visit(func(flag *pflag.Flag) {
		if !slices.Contains(companyFlags, flag.Name) {
			err = errors.Join(err, fmt.Errorf("flag --%s: does not go with --company; allowed: --%s", flag.Name, strings.Join(companyFlags[1:], ", --")))
		}
	})
	if f.outputDir == "" {
		err = errors.Join(err, errors.New("flag --company: needs --output-dir"))
	}
	if err != nil {
		return cli.Mistake(err)
	}
	c, err := sample.NewCompany(uint64(f.seed.Value), int(f.company.Value), f.eventTime.Value)
	if err != nil {
		return cli.Mistake(err)
	}
	out, err := generate.NewCompany(f.outputDir, f.force, c)
	if err != nil {
		return cli.Mistake(err)
	}
	ctx, stop := cli.StopOnSignal(cmd.Context(), generate.Drain, nil)
	defer stop()
	began := time.Now()
	if err := errors.Join(out.Run(ctx), cli.Stopped(ctx)); err != nil {
		return err
	}
	out.Print(cmd.ErrOrStderr(), time.Since(began))
	return nil
}

func (f *generateFlags) run(cmd *cobra.Command) error {
	if f.company.Value > 0 {
		return f.runCompany(cmd)
	}
	s, _, err := loadPolicy(cmd) // also checks the unused regions
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
	if f.truth != "" { // a file that cannot be written is reported before the work, not after it
		if err := os.WriteFile(f.truth, nil, 0o644); err != nil {
			return cli.Mistake(fmt.Errorf("flag --truth: %w", err))
		}
	}
	ctx, stop := cli.StopOnSignal(cmd.Context(), generate.Drain, nil)
	defer stop()
	out, err := f.open(ctx, cmd, s, o.Shapes)
	if err != nil {
		return err
	}
	began := time.Now()
	err = errors.Join(f.write(ctx, cmd, g, out), out.Close())
	t := generate.NewTruth(g, out.Written(), s.UnusedRegions)
	t.Print(cmd.ErrOrStderr(), out.Name(), time.Since(began), ctx.Err() != nil)
	if f.truth != "" {
		err = errors.Join(err, t.Save(f.truth))
	}
	return err
}

// options returns the generator's options. The error lists every mistake.
func (f *generateFlags) options(s *config.Settings) (sample.Options, error) {
	shapes, err := generate.Shapes(f.shapes)
	switch {
	case f.topic != "" && f.outputDir != "":
		err = errors.Join(err, errors.New("flags --topic and --output-dir: only one of them is allowed"))
	case f.topic != "" && len(s.Brokers) == 0:
		err = errors.Join(err, errors.New("flag --topic: needs --brokers"))
	case f.topic == "" && s.Origin("brokers").Source == config.FromFlag && len(s.Brokers) > 0:
		err = errors.Join(err, errors.New("flag --brokers: needs --topic"))
	}
	return sample.Options{
		Seed: uint64(f.seed.Value), Accounts: int(f.accounts.Value), Shapes: shapes,
		Regions: f.regions, UnusedRegions: s.UnusedRegions,
		MatchShare: f.matching.Value, DamagedShare: f.damaged.Value,
		EventsPerRecord: int(f.perRecord.Value), Start: f.eventTime.Value,
	}, err
}

// open returns the writer for the records.
func (f *generateFlags) open(ctx context.Context, cmd *cobra.Command, s *config.Settings, shapes []cloudtrail.Chain) (generate.Writer, error) {
	switch {
	case f.topic != "":
		return generate.Topic(ctx, s, f.topic, f.compression.String())
	case f.outputDir != "":
		out, err := generate.Folder(f.outputDir, f.force)
		return out, cli.Mistake(err)
	}
	for _, chain := range shapes {
		if sample.IsBinary(chain) {
			return nil, cli.Mistake(fmt.Errorf("flag --shape: %s is binary and cannot go to standard output, where records are lines; give --output-dir or --topic", sample.FormatShape(chain)))
		}
	}
	return generate.Lines(cmd.OutOrStdout()), nil
}

// write generates the records. It shows a progress bar on a terminal, unless the records go to that terminal.
func (f *generateFlags) write(ctx context.Context, cmd *cobra.Command, g *sample.Generator, out generate.Writer) error {
	total, w := f.count.Value, cmd.ErrOrStderr()
	if total == 0 {
		total = -1
	}
	toTerminal := f.topic == "" && f.outputDir == "" && display.IsTerminal(cmd.OutOrStdout())
	bar := display.NewCountBar(w, total, "records", display.IsTerminal(w) && !toTerminal)
	defer func() { _ = bar.Exit() }()
	return generate.Run(ctx, g, out, f.count.Value, float64(f.rate.Value), func() { _ = bar.Add(1) }) // ignore progress bar errors
}
