// Package demo shows the whole pipeline at work in one process: an embedded broker, generated traffic, the processor that
// run starts, and a client that reads the alerts and dead letters back. At the end all counts must add up.
//
// [Run] owns every goroutine and waits for all of them.
package demo

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
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

// The demo's topics, with run's default names, and its consumer group.
const (
	inputTopic      = "cloudtrail"
	alertTopic      = "cloudtrail-alerts"
	deadLetterTopic = "cloudtrail-dead-letters"
	group           = "regionwatch-demo"
)

// EventsPerRecord is for the generator's options.
const EventsPerRecord = 5

// Settle bounds how long records in flight may take to arrive after the traffic has ended.
const Settle = 60 * time.Second

// Options of a demo. All but Events and Attacked are required.
type Options struct {
	Settings *config.Settings
	Policy   *policy.Policy
	Origin   string // source of the policy, for display
	Build    cli.Build

	Port    int // port of the broker; 0 means [Port], or a free port if that is taken
	Traffic *sample.Generator
	Rate    float64 // records per second
	Events  uint64  // number of events after which the traffic ends; 0 runs until ctx ends
	// Attacked is the account that an attacker compromises, under the policy of [Company]. Empty means no attack.
	Attacked string

	Stdout, Stderr io.Writer
}

// Run shows the pipeline until ctx ends or enough events were produced, and then whether all counts add up. It returns an
// error if they do not.
func Run(ctx context.Context, o Options) error {
	lasting := context.WithoutCancel(ctx) // what is in flight still arrives after ctx has ended
	broker, err := startBroker(lasting, o.Port)
	if err != nil {
		return err
	}
	defer broker.close()
	d := &demo{
		Options: o, broker: broker, view: newView(&o, broker.address),
		traffic: &traffic{generator: o.Traffic, rate: o.Rate, events: o.Events, attacked: o.Attacked, unused: o.Settings.UnusedRegions},
	}
	if err := d.connect(); err != nil {
		return err
	}
	defer d.reader.close()
	closePage, err := d.openPage(ctx)
	if err != nil {
		return err
	}
	defer closePage()
	d.view.begin()
	err = d.run(ctx)
	d.view.end()
	if err != nil {
		return err
	}
	s := d.summary()
	s.print(o.Stdout)
	return s.check()
}

// demo is the processor, with traffic as its input and a reader of its output.
type demo struct {
	Options
	broker    *broker
	traffic   *traffic
	processor *processor.Processor
	reader    *reader
	view      *view
	registry  *prometheus.Registry
	page      *admin.Source
}

// connect creates the clients and the processor.
func (d *demo) connect() error {
	o := setup.Processor(d.Settings)
	o.Brokers = []string{d.broker.address}
	o.InputTopics, o.InputPattern = []string{inputTopic}, false
	o.AlertTopic, o.DeadLetterTopic = alertTopic, deadLetterTopic
	o.Group, o.InstanceID = group, "demo"
	o.AlertFormat = alert.Native // the view reads this format
	o.Policy = func() *policy.Policy { return d.Policy }
	o.Logger = d.view.logger(d.Stderr)
	o.OnAlert = d.view.alert
	d.registry = setup.Registry(d.Build)
	o.Registry = d.registry
	d.page = setup.AdminSource(d.Settings, d.Build, &o)
	since := time.Now()
	d.page.Policy = func() admin.PolicyState {
		return admin.PolicyState{Policy: d.Policy, Origin: d.Origin, Since: since}
	}
	var err error
	if d.processor, err = processor.New(o); err != nil {
		return cli.Mistake(err)
	}
	d.reader, err = newReader(d.broker.address, d.Policy)
	return err
}

// openPage serves the admin page, as run does, and adds its address to the view.
func (d *demo) openPage(ctx context.Context) (closePage func(), err error) {
	server, err := setup.Admin(ctx, d.Settings, d.registry, d.processor, d.page, slog.New(slog.DiscardHandler))
	if err != nil || server == nil {
		return func() {}, err
	}
	if url := server.PageURL(); url != "" {
		d.view.head = append(d.view.head, "the page is at "+url)
	}
	return func() { _ = server.Close() }, nil
}

// run produces traffic until there is enough or ctx ends, and stops the processor when all of it has arrived. It returns
// the error that keeps records from arriving.
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
	group.Go(func() error { return d.view.run(reading, d.processor.Status) })
	group.Go(func() error {
		defer stopReading()
		defer stopProcessing()
		making, stop := context.WithCancel(ctx)
		defer stop()
		defer context.AfterFunc(running, stop)()
		if err := d.traffic.run(making, d.broker.address, d.processor); err != nil {
			return err
		}
		settling, cancel := context.WithTimeout(running, Settle)
		defer cancel()
		return d.settle(settling, stopProcessing, processed)
	})
	return group.Wait()
}

// settle waits until the processor has read all records, stops it, and waits until all its output has been read back.
func (d *demo) settle(ctx context.Context, stopProcessing func(), processed <-chan struct{}) error {
	err := until(ctx, func() bool { return d.processor.Status().Counts.Records >= d.traffic.records() })
	stopProcessing()
	if err != nil {
		return fmt.Errorf("waiting for the processor: %s of %s records read: %w",
			display.Number(d.processor.Status().Counts.Records), display.Number(d.traffic.records()), err)
	}
	<-processed // bounded by its own drain timeout
	if err := until(ctx, func() bool { return d.reader.atEnd(ctx) }); err != nil {
		return fmt.Errorf("reading alerts and dead letters back: %w", err)
	}
	return nil
}

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

func (d *demo) summary() *summary {
	list, counts := d.reader.incidents()
	return &summary{
		incidents: list, grouped: counts,
		status: d.processor.Status(), truth: d.traffic.truth(), produced: d.traffic.records(),
		alertsBack: d.reader.alerts.Load(), lettersBack: d.reader.letters.Load(), unused: d.Settings.UnusedRegions, ownPolicy: d.Settings.Policy != "",
		attacks: d.traffic.attacks,
	}
}
