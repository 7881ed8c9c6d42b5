package demo

import (
	"context"
	"errors"
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
	events    uint64 // number of events after which it ends; 0 means never
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
	began, events := time.Now(), uint64(0)
	for (t.events == 0 || events < t.events) && pace.Wait(ctx) {
		if made := t.made.Load(); made%(maxAhead/10) == 0 {
			caughtUp := func() bool { return made < p.Status().Counts.Records+maxAhead }
			if until(ctx, caughtUp) != nil {
				break
			}
		}
		if err = t.attack(ctx, out, time.Since(began)); err != nil {
			break
		}
		r := t.generator.Next()
		if err = out.Write(ctx, r); err != nil {
			break
		}
		events += uint64(len(r.Events))
		t.made.Add(1)
	}
	if err == nil && ctx.Err() == nil { // the traffic was too short for the whole attack
		err = t.attack(ctx, out, time.Hour)
	}
	return errors.Join(err, out.Close())
}

// attack makes the calls that are due after the elapsed time.
func (t *traffic) attack(ctx context.Context, out generate.Writer, elapsed time.Duration) error {
	for t.attacked != "" && t.attacks < len(attack) && elapsed >= attackDelay+time.Duration(t.attacks)*attackStep {
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
