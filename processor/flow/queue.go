package flow

import (
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Batch is records of one partition, in order, from one or more fetches.
type Batch struct {
	Records []*kgo.Record // including transaction markers
	Bytes   int           // of the records' values in memory
}

// CountData returns how many records are not transaction markers.
func CountData(records []*kgo.Record) (n int) {
	for _, r := range records {
		if !r.Attrs.IsControl() {
			n++
		}
	}
	return n
}

// Queue is the hand-off from the poll loop to one partition's worker. Putting never waits: the poll loop asks for room
// before it polls. It is safe for concurrent use.
type Queue struct {
	mu      sync.Mutex
	batches []Batch
	ready   chan struct{} // holds a token while batches may be waiting
}

// NewQueue returns an empty Queue.
func NewQueue() *Queue { return &Queue{ready: make(chan struct{}, 1)} }

// Put appends a batch.
func (q *Queue) Put(b Batch) {
	q.mu.Lock()
	q.batches = append(q.batches, b)
	q.mu.Unlock()
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// Take removes and returns everything that is waiting, as one batch. It waits for some, or returns false when quit is
// closed. A worker that took one fetch at a time would wait for an acknowledgement per fetch, and fall ever further
// behind if that takes longer than the next fetch.
func (q *Queue) Take(quit <-chan struct{}) (Batch, bool) {
	for {
		select {
		case <-quit:
			return Batch{}, false
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
func (q *Queue) pop() (Batch, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.batches) == 0 {
		return Batch{}, false
	}
	all := q.batches[0]
	all.Records = slices.Clip(all.Records) // what lies behind it may be the client's
	for _, b := range q.batches[1:] {
		all.Records = append(all.Records, b.Records...)
		all.Bytes += b.Bytes
	}
	q.batches = nil // free the records
	return all, true
}

// Drain removes every batch that was not taken, and returns how many records they hold.
func (q *Queue) Drain() (records int) {
	for {
		b, ok := q.pop()
		if !ok {
			return records
		}
		records += CountData(b.Records)
	}
}
