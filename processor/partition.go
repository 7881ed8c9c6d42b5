package processor

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/regionwatch/regionwatch/processor/flow"
	"github.com/regionwatch/regionwatch/processor/output"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/regionwatch/regionwatch/processor/progress"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/deadletter"
	"github.com/regionwatch/regionwatch/processor/detection"
)

var (
	// errStopped is returned by a worker that was stopped.
	errStopped = errors.New("stopped")
	// errAbandoned is why a worker stops waiting for acknowledgements, and marks nothing.
	errAbandoned = fmt.Errorf("%w before all was acknowledged", errStopped)
)

// partition is the worker of one assigned partition: one goroutine that takes batches in order, has each record
// decided, waits until all alerts and dead letters of the batch are acknowledged, and then marks the batch's last
// record. Only it marks that partition, so when it has ended nothing marks any more.
type partition struct {
	tp       kadm.Partition
	c        *consumer
	queue    *flow.Queue
	output   *output.Output
	decision *decision

	ctx      context.Context         // ends when the worker must abandon its batch, or the client does
	abandon  context.CancelCauseFunc // ends ctx
	stopOnce sync.Once
	quit     chan struct{} // closed to stop the worker at its next record
	done     chan struct{} // closed when it has ended
}

// startPartition starts a worker. Its owner is the consumer, which stops it and waits for it.
func (c *consumer) startPartition(tp kadm.Partition) *partition {
	w := &partition{
		tp:    tp,
		c:     c,
		queue: flow.NewQueue(),
		quit:  make(chan struct{}),
		done:  make(chan struct{}),
	}
	w.ctx, w.abandon = context.WithCancelCause(c.ctx)
	w.output = c.p.outputs.Open(w.ctx, c.client.Produce, w.stopped)
	w.decision = c.p.newDecision(c.client, w.output, w.quit)
	go w.run()
	return w
}

// stop makes the worker end at its next record.
func (w *partition) stop() { w.stopOnce.Do(func() { close(w.quit) }) }

// stopped returns errStopped once the worker must stop.
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
	defer w.output.Close()
	defer w.abandon(errStopped) // releases the context
	for {
		b, ok := w.queue.Take(w.quit)
		if !ok {
			return
		}
		if err := w.process(b); err != nil {
			if !errors.Is(err, errStopped) && w.c.ctx.Err() == nil { // the client was given up: its owner reports why
				w.c.fail(err)
			}
			return
		}
	}
}

// giveUp counts what is left in the queue of a worker that has ended: it is read again, from the last commit.
func (w *partition) giveUp() {
	n := w.queue.Drain()
	w.c.p.tally.Update(func(t *progress.Totals) { t.Abandoned += uint64(n) })
}

// process decides a batch and marks it once all its alerts and dead letters are acknowledged. If it stops early, what
// is done is marked and the rest counted as abandoned. The batch itself is released as soon as it is decided, because
// acknowledgements may take long.
func (w *partition) process(b flow.Batch) error {
	start := time.Now()
	n, stop := w.decision.decide(w.c.p.o.Policy(), start, b.Records)
	read, last := flow.CountData(b.Records), lastOf(b.Records[:n])
	n = flow.CountData(b.Records[:n])
	clear(b.Records)
	w.c.flow.Done(w.tp, b.Bytes)
	err := w.output.Flush()
	flushed := err == nil
	if err != nil || (stop != nil && !errors.Is(stop, errStopped)) {
		n, last = 0, nil // not all of it is acknowledged: mark nothing of the batch
	}
	if err == nil {
		err = stop
	}
	w.finish(n, read, last)
	w.c.p.outputs.Delivered(w.output.Take(flushed))
	w.c.p.metrics.ObserveBatch(time.Since(start))
	return err
}

// finish marks the last record that is done, and counts n of the records read as done; last is nil if none is.
func (w *partition) finish(n, read int, last *kgo.Record) {
	done := w.decision.take()
	if last == nil {
		done = decided{} // it will be decided again
	}
	if last != nil && w.ctx.Err() == nil {
		w.c.client.MarkCommitRecords(last)
		w.c.p.lag.Done(w.tp, last.Offset+1, last.Timestamp)
	}
	w.c.p.tally.Update(func(t *progress.Totals) {
		done.addTo(t)
		t.Abandoned += uint64(read - n)
	})
}

// lastOf returns a copy of the last record with what a commit needs, so that its batch can be freed.
func lastOf(records []*kgo.Record) *kgo.Record {
	if len(records) == 0 {
		return nil
	}
	r := records[len(records)-1]
	return &kgo.Record{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, LeaderEpoch: r.LeaderEpoch, Timestamp: r.Timestamp}
}

// fill makes d the detection record of r. The value is r's own memory, which stays valid until the batch
// is done.
func fill(d *detection.Record, r *kgo.Record, at time.Time) *detection.Record {
	*d = detection.Record{
		Value: r.Value, Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Timestamp: r.Timestamp,
		DecidedAt: at, Identity: deadletter.ReplayIdentity(r.Headers),
	}
	return d
}
