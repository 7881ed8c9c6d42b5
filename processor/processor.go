package processor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"sync"
	"sync/atomic"
	"time"

	"github.com/regionwatch/regionwatch/processor/output"

	"github.com/regionwatch/regionwatch/processor/progress"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/regionwatch/regionwatch/processor/decompress"
)

// Processor runs the pipeline. Make it with [New].
type Processor struct {
	o              Options
	log            *slog.Logger
	tally          *progress.Tally
	lag            *progress.Lags
	ends           *progress.Ends
	pace           *pace
	health         *progress.Health
	metrics        *progress.Metrics
	outputs        *output.Outputs
	decompressor   *decompress.Decompressor
	patterns       []*regexp.Regexp        // InputTopics, if they are patterns
	unmatched      bool                    // no topic matched them at the last look
	brokers        int                     // in the cluster, as of the start
	cluster        string                  // its id, as of the start; empty where brokers have none
	admin          *kadm.Client            // of the goroutine that watches the topics
	atStart        map[string]kadm.TopicID // the input topics when Run began, for a start position; read-only afterwards
	nudge          chan struct{}           // holds a token when the topics need a look
	newDecider     func() decider
	deciders       *deciders
	running        atomic.Bool
	revokePatience time.Duration
	consumer       atomic.Pointer[consumer] // of AtLeastOnce, once it runs

	mu        sync.Mutex
	restarts  map[int]func(error) // see onRestart
	restartID int
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
		nudge:          make(chan struct{}, 1),
		revokePatience: defaultRevokePatience,
	}
	p.pace = &pace{perSecond: o.MaxRecordsPerSecond, lag: p.lag, tally: p.tally, log: o.Logger}
	p.newDecider, p.deciders = p.o.newDetector, newDeciders()
	if o.InputPattern {
		for _, pattern := range o.InputTopics {
			p.patterns = append(p.patterns, regexp.MustCompile(pattern)) // validate has compiled it
		}
	}
	var err error
	if p.outputs, err = output.New(output.Options{
		Topics: o.outputTopics(), Format: o.AlertFormat, CopyHeaders: o.CopyHeaders, MaxRecordBytes: o.MaxRecordBytes, Log: o.Logger, Registry: o.Registry,
		Tally: p.tally, LookSoon: p.lookSoon, OnAlert: o.OnAlert, OnDeadLetter: o.OnDeadLetter,
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
	stopWatch, err := p.startWatch(context.WithoutCancel(ctx)) // members may begin while they drain
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
func (p *Processor) Ready() error { return p.health.Ready() }
