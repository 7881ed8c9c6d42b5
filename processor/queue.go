package processor

import (
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// batch is records of one partition, in order, from one or more fetches.
type batch struct {
	records []*kgo.Record // including transaction markers
	bytes   int           // of the records' values in memory
}

// countData returns how many records are not transaction markers.
func countData(records []*kgo.Record) (n int) {
	for _, r := range records {
		if !r.Attrs.IsControl() {
			n++
		}
	}
	return n
}

// queue is the hand-off from the poll loop to one partition's worker. Putting never waits: the poll loop asks for room
// before it polls. It is safe for concurrent use.
type queue struct {
	mu      sync.Mutex
	batches []batch
	ready   chan struct{} // holds a token while batches may be waiting
}

func newQueue() *queue { return &queue{ready: make(chan struct{}, 1)} }

// put appends a batch.
func (q *queue) put(b batch) {
	q.mu.Lock()
	q.batches = append(q.batches, b)
	q.mu.Unlock()
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// take removes and returns everything that is waiting, as one batch. It waits for some, or returns false when quit is
// closed. A worker that took one fetch at a time would wait for an acknowledgement per fetch, and fall ever further
// behind if that takes longer than the next fetch.
func (q *queue) take(quit <-chan struct{}) (batch, bool) {
	for {
		select {
		case <-quit:
			return batch{}, false
		default:
		}
		if b, ok := q.pop(); ok {
			return b, true
		}
		select {
		case <-quit:
		case <-q.ready:
		}
	}
}

// pop returns what is waiting. It needs no limit, because flow limits what is put.
func (q *queue) pop() (batch, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.batches) == 0 {
		return batch{}, false
	}
	all := q.batches[0]
	all.records = slices.Clip(all.records) // what lies behind it may be the client's
	for _, b := range q.batches[1:] {
		all.records = append(all.records, b.records...)
		all.bytes += b.bytes
	}
	q.batches = nil // free the records
	return all, true
}

// drain removes every batch that was not taken, and returns how many records they hold.
func (q *queue) drain() (records int) {
	for {
		b, ok := q.pop()
		if !ok {
			return records
		}
		records += countData(b.records)
	}
}
