// Package processor is the stream engine: it reads records from Kafka, has them decided, writes alerts
// and dead letters, and commits what is done.
//
// It guarantees at least once by default: an offset is marked only after every alert and dead letter
// of its record, and of all records before it, is acknowledged by the broker. With ExactlyOnce offsets,
// alerts and dead letters are committed in one transaction.
//
// The two guarantees are two engines over the same decision and the same output:
//
//	at least once   consumer, poll, flow, queue, partition: a worker for each partition, marks and commits
//	exactly once    session, transaction: clients with a transactional id, one transaction after another
//	both            start, drain; package topics: what is there, where reading begins, topics that are created again
//
// Every goroutine is started by [Processor.Run] or by something that Run waits for; none is left when Run returns.
package processor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/regionwatch/regionwatch/processor/decompress"
	"github.com/regionwatch/regionwatch/processor/flow"
	"github.com/regionwatch/regionwatch/processor/output"
	"github.com/regionwatch/regionwatch/processor/progress"
	"github.com/regionwatch/regionwatch/processor/topics"
)

// Processor runs the pipeline. Make it with [New].
type Processor struct {
	o              Options
	log            *slog.Logger
	tally          *progress.Tally
	lag            *progress.Lags
	ends           *progress.Ends
	pace           *flow.Pace
	health         *progress.Health
	metrics        *progress.Metrics
	outputs        *output.Outputs
	decompressor   *decompress.Decompressor
	topics         *topics.Topics
	brokers        int // in the cluster, as of the start
	newDecider     func() decider
	deciders       *deciders
	running        atomic.Bool
	staged         staged
	revokePatience time.Duration
	consumer       atomic.Pointer[consumer] // of AtLeastOnce, once it runs
}

// New checks the options and returns a processor that has not connected yet. The error names every fault.
func New(o Options) (*Processor, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	p := &Processor{
		o:              o,
		log:            o.Logger,
		tally:          new(progress.Tally),
		lag:            progress.NewLags(),
		ends:           new(progress.Ends),
		health:         progress.NewHealth(o.clients(), 2*o.SessionTimeout+requestOverhead, o.RebalanceTimeout),
		revokePatience: defaultRevokePatience,
	}
	p.pace = &flow.Pace{PerSecond: o.MaxRecordsPerSecond, Lag: p.lag, Tally: p.tally, Log: o.Logger}
	p.newDecider, p.deciders = p.o.newDetector, newDeciders()
	p.topics = p.newTopics()
	var err error
	if p.outputs, err = output.New(output.Options{
		Topics: o.outputTopics(), Format: o.AlertFormat, CopyHeaders: o.CopyHeaders, MaxRecordBytes: o.MaxRecordBytes, Log: o.Logger, Registry: o.Registry,
		Transactional: o.Delivery == ExactlyOnce, Tally: p.tally, LookSoon: p.topics.LookSoon, OnAlert: o.OnAlert, OnDeadLetter: o.OnDeadLetter,
	}); err != nil {
		return nil, err
	}
	if p.metrics, err = progress.Register(o.Registry, progress.Sources{
		Delivery: o.Delivery.String(), Group: o.Group, Tally: p.tally, Lags: p.lag, Ends: p.ends, Health: p.health, Unacked: p.outputs.Unacked,
	}); err != nil {
		return nil, fmt.Errorf("registering metrics: %w", err)
	}
	if p.decompressor, err = decompress.New(o.MaxBatchBytes); err != nil {
		return nil, fmt.Errorf("making decompressor: %w", err)
	}
	return p, nil
}

func (p *Processor) newTopics() *topics.Topics {
	o := &p.o
	return topics.New(topics.Options{
		Group: o.Group, Inputs: o.InputTopics, Pattern: o.InputPattern, Outputs: o.outputTopics().Names(), Start: o.Start,
		Create: o.CreateTopics, Partitions: o.Partitions, Replicas: o.Replicas,
		State: o.StateTopic, NewClient: p.newClient, ClientID: clientID,
		Log: o.Logger, Tally: p.tally, Lag: p.lag, Ends: p.ends, Health: p.health,
	})
}

// Run consumes until ctx ends, then drains: it finishes what is in flight, commits, leaves the group and returns nil,
// or an error if that took longer than DrainTimeout. Any other error is one that the client cannot recover from. A
// Processor runs once.
func (p *Processor) Run(ctx context.Context) error {
	if p.running.Swap(true) {
		return errors.New("a Processor runs once")
	}
	if err := p.start(ctx); err != nil {
		if ctx.Err() != nil {
			return nil // nothing was read yet: there is nothing to drain
		}
		return err
	}
	stopWatch, err := p.topics.Watch(context.WithoutCancel(ctx)) // members may begin while they drain
	if err != nil {
		return fmt.Errorf("making client: %w", err)
	}
	defer stopWatch()
	defer p.health.Waiting("stopped")
	if p.o.Delivery == ExactlyOnce {
		return p.runExactlyOnce(ctx)
	}
	return p.runAtLeastOnce(ctx)
}

// Ready returns nil once partitions are assigned (possibly none) and while the brokers answer. Otherwise it says what
// is missing.
// With a stage it also says how many partitions wait for their state for the first time.
func (p *Processor) Ready() error {
	err := p.health.Ready()
	if err == nil && p.o.Stage != nil {
		err = p.staged.restored(p.health.Assignment())
	}
	return err
}
