package processor

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/deadletter"
	"github.com/regionwatch/regionwatch/processor/detection"
)

// errStopped is what a worker gives up with when it is told to stop.
var errStopped = errors.New("stopped")

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

	stopOnce sync.Once
	quit     chan struct{} // closed to stop the worker at its next record
	done     chan struct{} // closed when it has ended
	lost     atomic.Bool   // set before quit: the partition is not ours any more, mark nothing
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
	w.output = c.p.newOutput(c.ctx, c.client.Produce, w.stopped)
	go w.run()
	return w
}

// stop tells the worker to end at its next record; lost tells it not to mark what it is doing.
func (w *partition) stop(lost bool) {
	w.stopOnce.Do(func() {
		w.lost.Store(lost)
		close(w.quit)
	})
}

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
	if n > 0 && !w.lost.Load() {
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
