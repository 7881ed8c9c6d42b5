package processor

import (
	"context"

	"github.com/regionwatch/regionwatch/processor/detection"
)

// Processor runs the pipeline. Make it with [New].
type Processor struct{}

// New checks the options and returns a processor that has not connected yet. The error names every fault.
func New(o Options) (*Processor, error) { panic("not built yet") }

// Run consumes until ctx ends, then drains: it finishes what is in flight, commits, leaves the group and
// returns nil, or an error where that took longer than DrainTimeout. Any other error is one that the
// client cannot get over.
func (p *Processor) Run(ctx context.Context) error { panic("not built yet") }

// Ready returns nil once partitions (or the knowledge that there are none for us) have been assigned and
// while the brokers answer, and else says what is missing.
func (p *Processor) Ready() error { panic("not built yet") }

// Status is a snapshot for people.
type Status struct {
	Counts     detection.Counts
	Acked      uint64 // alerts that the broker has acknowledged
	DeadLetter uint64 // dead letters that the broker has acknowledged
	Assigned   int    // partitions
	Lag        int64  // records behind the end, as far as the last fetches tell
}

// Status returns a snapshot. It may be called at any time from any goroutine.
func (p *Processor) Status() Status { panic("not built yet") }
