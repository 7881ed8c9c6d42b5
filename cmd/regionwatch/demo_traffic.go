package main

import (
	"context"
	"sync/atomic"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/schema/cloudtrail/sample"
)

// demoTraffic makes records and writes them to the input topic.
type demoTraffic struct {
	generator *sample.Generator
	rate      float64
	events    uint64 // after which it ends; 0 is never
	made      atomic.Uint64
}

// demoAhead is how many records the traffic may be ahead of the processor, which is looked at every
// demoAhead/10 records: the broker keeps its records in memory and drops what is old.
const demoAhead = 5000

// run makes records until there are enough events or ctx ends, and waits for their acknowledgement.
func (t *demoTraffic) run(ctx context.Context, broker string, p *processor.Processor) error {
	out, err := openTopic(context.WithoutCancel(ctx), &config.Settings{Brokers: []string{broker}}, demoInput, "lz4")
	if err != nil {
		return err
	}
	pace := newPace(t.rate)
	var events uint64
	for (t.events == 0 || events < t.events) && pace.wait(ctx) {
		if made := t.made.Load(); made%(demoAhead/10) == 0 {
			caughtUp := func() bool { return made < p.Status().Counts.Records+demoAhead }
			if until(ctx, caughtUp) != nil {
				break
			}
		}
		r := t.generator.Next()
		if err = out.write(ctx, r); err != nil {
			break
		}
		events += uint64(len(r.Events))
		t.made.Add(1)
	}
	if closeErr := out.close(); err == nil {
		err = closeErr
	}
	return err
}

// records returns how many records have been made.
func (t *demoTraffic) records() uint64 { return t.made.Load() }

// truth returns what must come of them. It may be called when run has returned.
func (t *demoTraffic) truth() sample.Truth { return t.generator.Truth() }
