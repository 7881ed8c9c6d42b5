package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/admin"
	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/internal/setup"
	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/cloudtrail/sample"
)

// The topics of the demo, by the names that run takes unless told otherwise.
const (
	demoInput       = "cloudtrail"
	demoAlerts      = "cloudtrail-alerts"
	demoDeadLetters = "cloudtrail-dead-letters"
	demoGroup       = "regionwatch-demo"
)

// demoSettle is how long what is on its way may take to arrive once no more is made.
const demoSettle = 60 * time.Second

// demoFlags are the flags of demo that are no settings.
type demoFlags struct {
	port, rate, events, seed, accounts *cli.Parsed[int64]
	matching, damaged                  *cli.Parsed[float64]
	shapes                             []string
}

func newDemoCommand() *cobra.Command {
	f := demoFlags{
		port:     cli.NewNumber("0", 0, 65535),
		rate:     cli.NewNumber("1000", 1, 1_000_000),
		events:   cli.NewNumber("0", 0, 1_000_000_000_000),
		seed:     cli.NewNumber("1", 0, 1_000_000_000_000),
		accounts: cli.NewNumber("4", 1, sample.MaxAccounts),
		matching: cli.NewShare("0.002"),
		damaged:  cli.NewShare("0.002"),
	}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See it work: an embedded broker, generated traffic and alerts as they come",
		Long: "See it work, without anything to set up: a Kafka broker in this process, on a port of 127.0.0.1,\n" +
			"generated CloudTrail of several accounts, some of it damaged, and the same pipeline as in run, which\n" +
			"reads it and writes alerts and dead letters. Any Kafka client can look at the topics meanwhile.\n\n" +
			"A signal to stop, or --events, ends it with an account of all that was read, alerted, passed and\n" +
			"dead-lettered, read back from the topics by a client of its own. The exit status is 1 where it does\n" +
			"not add up.",
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	flags := cmd.Flags()
	flags.Var(f.port, "port", fmt.Sprintf("port of the broker; 0 is %d, or a free one if that is taken", demoPort))
	flags.Var(f.rate, "rate", "records a second")
	flags.Var(f.events, "events", "events after which it ends; 0 goes on until a signal to stop")
	flags.Var(f.seed, "seed", "chooses among all the samples there could be")
	flags.Var(f.accounts, "accounts", fmt.Sprintf("accounts that the events are of, up to %d", sample.MaxAccounts))
	flags.Var(f.matching, "match-share", "share of events that are writes in an unused region, from 0 to 1")
	flags.Var(f.damaged, "damaged-share", "share of records that are damaged, from 0 to 1")
	flags.StringSliceVar(&f.shapes, "shape", []string{"event", "gzip+records", "ndjson"}, "shapes of the records, as generate takes them")
	cli.AddSettings(cmd, "delivery", "policy", "unused-regions", "admin-address")
	return cmd
}

func (f *demoFlags) run(cmd *cobra.Command) error {
	s, policy, err := loadPolicy(cmd)
	if err != nil {
		return err
	}
	traffic, err := f.traffic(s, policy)
	if err != nil {
		return cli.Mistake(err)
	}
	broker, err := startDemoBroker(cmd.Context(), int(f.port.Value))
	if err != nil {
		return err
	}
	defer broker.close()
	d := &demo{settings: s, broker: broker, traffic: traffic, view: newDemoView(cmd, broker.address, s, policy)}
	if err := d.connect(cmd, policy); err != nil {
		return err
	}
	defer d.reader.close()
	ctx, stop := cli.StopOnSignal(cmd.Context(), demoSettle, nil)
	defer stop()
	closeAdmin, err := d.openPage(ctx)
	if err != nil {
		return err
	}
	defer closeAdmin()
	d.view.begin()
	err = d.run(ctx)
	d.view.end()
	if err != nil {
		return err
	}
	return d.account(cmd.OutOrStdout())
}

// traffic returns what makes the records. The error names every mistake.
func (f *demoFlags) traffic(s *config.Settings, p *policy.Policy) (*demoTraffic, error) {
	unused := s.UnusedRegions
	if s.Policy != "" {
		unused = p.Effective("", time.Now()).Unused
	}
	o := sample.Options{
		Seed: uint64(f.seed.Value), Accounts: int(f.accounts.Value), UnusedRegions: unused,
		MatchShare: f.matching.Value, DamagedShare: f.damaged.Value, EventsPerRecord: 5,
		Start: time.Now(), Interval: time.Second / time.Duration(3*f.rate.Value),
	}
	o.Regions = usedRegions(unused)
	var err error
	if o.Shapes, err = parseShapes(f.shapes); err != nil {
		return nil, err
	}
	g, err := sample.New(o)
	if err != nil {
		return nil, err
	}
	return &demoTraffic{generator: g, rate: float64(f.rate.Value), events: uint64(f.events.Value)}, nil
}

// demo is the pipeline that run would start, with traffic before it and a reader behind it.
type demo struct {
	settings  *config.Settings
	broker    *demoBroker
	traffic   *demoTraffic
	processor *processor.Processor
	reader    *demoReader
	view      *demoView
	registry  *prometheus.Registry
	page      *admin.Source
}

// connect makes the clients and the processor.
func (d *demo) connect(cmd *cobra.Command, p *policy.Policy) error {
	o := setup.Processor(d.settings)
	o.Brokers = []string{d.broker.address}
	o.InputTopics, o.InputPattern = []string{demoInput}, false
	o.AlertTopic, o.DeadLetterTopic = demoAlerts, demoDeadLetters
	o.Group, o.InstanceID = demoGroup, "demo"
	o.AlertFormat = alert.Native // the view reads what arrives
	o.Policy = func() *policy.Policy { return p }
	o.Logger = d.view.logger(cmd.ErrOrStderr())
	o.OnAlert = d.view.alert
	d.registry = setup.Registry(thisBuild())
	o.Registry = d.registry
	d.page = setup.AdminSource(d.settings, thisBuild(), &o)
	since := time.Now()
	d.page.Policy = func() admin.PolicyState {
		return admin.PolicyState{Policy: p, Origin: policyOrigin(d.settings), Since: since}
	}
	var err error
	if d.processor, err = processor.New(o); err != nil {
		return cli.Mistake(err)
	}
	d.reader, err = newDemoReader(d.broker.address)
	return err
}

// openPage serves the page, as run does, and tells where.
func (d *demo) openPage(ctx context.Context) (closePage func(), err error) {
	closePage, address, err := setup.Admin(ctx, d.settings, d.registry, d.processor, d.page, slog.New(slog.DiscardHandler))
	if err == nil && address != config.None {
		d.view.head = append(d.view.head, "look at the pipeline with a browser: http://"+address+"/")
	}
	return closePage, err
}

// run makes traffic until there is enough or ctx ends, and stops the processor when all of it has arrived.
// The error is one that keeps it from arriving.
func (d *demo) run(ctx context.Context) error {
	group, running := errgroup.WithContext(context.WithoutCancel(ctx))
	processing, stopProcessing := context.WithCancel(running)
	reading, stopReading := context.WithCancel(running)
	processed := make(chan struct{})
	group.Go(func() error {
		defer close(processed)
		return d.processor.Run(processing)
	})
	group.Go(func() error { return d.reader.run(reading) })
	group.Go(func() error { return d.view.run(reading, d.status) })
	group.Go(func() error {
		defer stopReading()
		defer stopProcessing()
		made, stop := mergeCancel(ctx, running)
		defer stop()
		if err := d.traffic.run(made, d.broker.address, d.processor); err != nil {
			return err
		}
		settling, cancel := context.WithTimeout(running, demoSettle)
		defer cancel()
		return d.settle(settling, stopProcessing, processed)
	})
	return group.Wait()
}

// settle waits until the processor has read all records, ends it, and waits until what it wrote has been
// read back.
func (d *demo) settle(ctx context.Context, stopProcessing func(), processed <-chan struct{}) error {
	err := until(ctx, func() bool { return d.processor.Status().Counts.Records >= d.traffic.records() })
	stopProcessing()
	if err != nil {
		return fmt.Errorf("waiting for the processor: %s of %s records read: %w",
			display.Number(d.processor.Status().Counts.Records), display.Number(d.traffic.records()), err)
	}
	<-processed // which its own drain timeout bounds
	if err := until(ctx, func() bool { return d.reader.atEnd(ctx) }); err != nil {
		return fmt.Errorf("reading alerts and dead letters back: %w", err)
	}
	return nil
}

// status is what the view shows beside the alerts.
func (d *demo) status() processor.Status { return d.processor.Status() }

// until waits until a condition holds.
func until(ctx context.Context, holds func() bool) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// mergeCancel returns a context that ends with either of two.
func mergeCancel(a, b context.Context) (context.Context, func()) {
	merged, cancel := context.WithCancel(a)
	stop := context.AfterFunc(b, cancel)
	return merged, func() { stop(); cancel() }
}

// account tells what became of everything, and whether it adds up.
func (d *demo) account(w io.Writer) error {
	a := demoAccount{
		status: d.processor.Status(), truth: d.traffic.truth(), produced: d.traffic.records(),
		alertsBack: d.reader.alerts.Load(), lettersBack: d.reader.letters.Load(), unused: d.settings.UnusedRegions, ownPolicy: d.settings.Policy != "",
	}
	a.print(w)
	return a.check()
}
