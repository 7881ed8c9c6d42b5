package processor

import (
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// batch is what one fetch brought of one partition, in the partition's order.
type batch struct {
	records []*kgo.Record
	bytes   int // of the records' values, as they lie in memory
}

// queue is the hand-off from the poll loop to one partition's worker. Putting never waits: the poll loop
// asks for room before it polls. It is safe for concurrent use.
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

// take removes and returns the first batch. It waits for one, or returns false when quit is closed.
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

func (q *queue) pop() (batch, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.batches) == 0 {
		return batch{}, false
	}
	b := q.batches[0]
	q.batches[0] = batch{} // let go of its records
	q.batches = q.batches[1:]
	return b, true
}

// drain removes every batch that nobody took, and returns how many records they hold.
func (q *queue) drain() (records int) {
	for {
		b, ok := q.pop()
		if !ok {
			return records
		}
		records += len(b.records)
	}
}
