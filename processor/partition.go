package processor

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/deadletter"
	"github.com/regionwatch/regionwatch/processor/detection"
)

var (
	// errStopped is what a worker gives up with when it is told to stop.
	errStopped = errors.New("stopped")
	// errAbandoned is why a worker stops to wait for acknowledgements, and marks nothing.
	errAbandoned = fmt.Errorf("%w before all was acknowledged", errStopped)
)

// partition is the worker of one assigned partition: one goroutine that takes batches in order, has each
// record decided, waits until all that came of the batch is acknowledged, and then marks the batch's last
// record. It is the only one who marks that partition, so when it has ended nothing marks any more.
type partition struct {
	tp      topicPartition
	c       *consumer
	queue   *queue
	decider decider
	output  *output
	record  detection.Record // of the record at hand, reused

	ctx      context.Context         // ends when the worker is to abandon its batch, or the client
	abandon  context.CancelCauseFunc // ends ctx
	stopOnce sync.Once
	quit     chan struct{} // closed to stop the worker at its next record
	done     chan struct{} // closed when it has ended
}

// startPartition starts a worker. Its owner is the consumer, which stops it and waits for it.
func (c *consumer) startPartition(tp topicPartition) *partition {
	w := &partition{
		tp:      tp,
		c:       c,
		queue:   newQueue(),
		decider: c.p.newDecider(),
		quit:    make(chan struct{}),
		done:    make(chan struct{}),
	}
	w.ctx, w.abandon = context.WithCancelCause(c.ctx)
	w.output = c.p.newOutput(w.ctx, c.client.Produce, w.stopped)
	go w.run()
	return w
}

// stop makes the worker end at its next record.
func (w *partition) stop() { w.stopOnce.Do(func() { close(w.quit) }) }

// stopped returns errStopped once the worker is told to stop.
func (w *partition) stopped() error {
	select {
	case <-w.quit:
		return errStopped
	default:
		return nil
	}
}

func (w *partition) run() {
	defer close(w.done)
	defer w.abandon(errStopped) // releases the context
	for {
		b, ok := w.queue.take(w.quit)
		if !ok {
			return
		}
		if err := w.process(b); err != nil {
			if !errors.Is(err, errStopped) && w.c.ctx.Err() == nil { // whoever gave the client up tells why
				w.c.fail(err)
			}
			return
		}
		w.c.flow.done(w.tp, b.bytes)
	}
}

// giveUp counts what is left in the queue of a worker that has ended: it is read again, from the last
// commit.
func (w *partition) giveUp() {
	if n := w.queue.drain(); n > 0 {
		w.c.p.tally.update(func(t *totals) { t.Returned += uint64(n) })
	}
}

// process decides a batch and, when all that came of it is acknowledged, marks it. Where it stops early
// what is done is marked and the rest counted as returned.
func (w *partition) process(b batch) error {
	start := now()
	n, stop := w.decide(b.records)
	err := w.output.flush()
	flushed := err == nil
	if err != nil || (stop != nil && !errors.Is(stop, errStopped)) {
		n = 0 // not all of it is acknowledged: nothing of the batch may be marked
	}
	if err == nil {
		err = stop
	}
	w.finish(b, n)
	w.c.p.delivered(w.output.take(flushed))
	w.c.p.metrics.batchSeconds.Observe(now().Sub(start).Seconds())
	return err
}

// decide has records decided, in order, and returns how many. Told to stop, it stops between two
// records; only a record with very many alerts is given up in its middle, and then the whole batch is.
func (w *partition) decide(records []*kgo.Record) (n int, err error) {
	policy, at := w.c.p.o.Policy(), now()
	for i, r := range records {
		if err := w.stopped(); err != nil {
			return i, err
		}
		w.output.begin(r)
		if err := w.decider.Detect(policy, fill(&w.record, r, at), w.output); err != nil {
			return 0, err
		}
	}
	return len(records), nil
}

// finish marks the first n records of b as done, and counts them and the rest.
func (w *partition) finish(b batch, n int) {
	counts := w.decider.take()
	if n == 0 {
		counts = detection.Counts{} // what was decided is not done: it is decided again
	}
	if n > 0 && w.ctx.Err() == nil {
		last := b.records[n-1]
		w.c.client.MarkCommitRecords(last)
		w.c.p.lag.done(w.tp, last.Offset+1, last.Timestamp)
	}
	w.c.p.tally.update(func(t *totals) {
		t.Counts.Add(&counts)
		t.Returned += uint64(len(b.records) - n)
	})
}

// fill makes d the detection record of r. The value is r's own memory, which stays valid until the batch
// is done.
func fill(d *detection.Record, r *kgo.Record, at time.Time) *detection.Record {
	*d = detection.Record{
		Value: r.Value, Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Timestamp: r.Timestamp,
		DecidedAt: at,
	}
	if len(r.Headers) > 0 {
		d.Identity = deadletter.ReplayIdentity(r.Headers)
	}
	return d
}
