package demo

import (
	"context"
	"errors"
	"math"
	"sync/atomic"
	"time"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/generate"
	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/schema/cloudtrail/sample"
)

// traffic generates records and writes them to the input topic.
type traffic struct {
	generator *sample.Generator
	rate      float64
	events    uint64   // number of events after which it ends; 0 means never
	unused    []string // regions in which a damaged event still counts, because it alerts
	made      atomic.Uint64
	attacked  string // the attacked account; empty for no attack
	attacks   int    // calls of the attack so far
}

// maxAhead bounds how many records the traffic may be ahead of the processor, checked every maxAhead/10 records: the
// broker keeps its records in memory and drops old ones.
const maxAhead = 5000

// run produces records until there are enough events or ctx ends, and waits for their acknowledgement.
func (t *traffic) run(ctx context.Context, broker string, p *processor.Processor) error {
	out, err := generate.Topic(context.WithoutCancel(ctx), &config.Settings{Brokers: []string{broker}}, inputTopic, "lz4")
	if err != nil {
		return err
	}
	pace := generate.NewPace(t.rate)
	began := time.Now()
	for t.missing() > 0 && pace.Wait(ctx) {
		if made := t.made.Load(); made%(maxAhead/10) == 0 {
			caughtUp := func() bool { return made < p.Status().Counts.Records+maxAhead }
			if until(ctx, caughtUp) != nil {
				break
			}
		}
		if err = t.attack(ctx, out, time.Since(began)); err != nil {
			break
		}
		next := t.generator.Next
		if t.missing() < mostPerRecord {
			next = t.generator.NextSingle
		}
		if err = out.Write(ctx, next()); err != nil {
			break
		}
		t.made.Add(1)
	}
	if err == nil && ctx.Err() == nil { // the traffic was too short for the whole attack
		err = t.attack(ctx, out, time.Hour)
	}
	return errors.Join(err, out.Close())
}

// mostPerRecord is the largest number of events in a record: [EventsPerRecord], twice with NDJSON around it.
const mostPerRecord = 2 * EventsPerRecord

// missing returns how many events the generator still has to make, besides those of the attack.
func (t *traffic) missing() uint64 {
	if t.events == 0 {
		return math.MaxUint64
	}
	truth := t.generator.Truth()
	made := truth.Events + truth.PartialAlerts(t.unused) + uint64(t.planned())
	return t.events - min(made, t.events)
}

// planned returns the number of calls in the attack.
func (t *traffic) planned() int {
	switch {
	case t.attacked == "":
		return 0
	case t.events > 0 && t.events < uint64(len(attack)):
		return int(t.events)
	}
	return len(attack)
}

// attack makes the calls that are due after the elapsed time.
func (t *traffic) attack(ctx context.Context, out generate.Writer, elapsed time.Duration) error {
	for t.attacks < t.planned() && elapsed >= attackDelay+time.Duration(t.attacks)*attackStep {
		if err := out.Write(ctx, attackRecord(t.attacks, t.attacked, time.Now())); err != nil {
			return err
		}
		t.attacks++
		t.made.Add(1)
	}
	return nil
}

// records returns the number of records produced.
func (t *traffic) records() uint64 { return t.made.Load() }

// truth returns what must be found in the records. Call it after run has returned.
func (t *traffic) truth() sample.Truth { return t.generator.Truth() }
