package processor

import (
	"errors"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A worker waits for the broker once per batch. Everything that arrives while it waits must become one batch, or a slow
// broker makes it fall behind for good.
func TestQueueTakesAllThatWaits(t *testing.T) {
	fetched := []*kgo.Record{{Offset: 0}, {Offset: 1}, {Offset: 99}} // the last still belongs to the client
	q := newQueue()
	q.put(batch{records: fetched[:2], bytes: 20})
	q.put(batch{records: []*kgo.Record{{Offset: 2}}, bytes: 5})
	q.put(batch{records: []*kgo.Record{{Offset: 3}, {Offset: 4}}, bytes: 7})

	b, ok := q.take(nil)
	if !ok || b.bytes != 32 || len(b.records) != 5 {
		t.Fatalf("took %d records of %d bytes, %v; want 5 of 32", len(b.records), b.bytes, ok)
	}
	for i, r := range b.records {
		if r.Offset != int64(i) {
			t.Errorf("record %d has offset %d", i, r.Offset)
		}
	}
	if fetched[2].Offset != 99 {
		t.Error("the client's own record was overwritten")
	}
	if n := q.drain(); n != 0 {
		t.Errorf("%d records left in the queue", n)
	}
}

func TestQueueStopsWaiting(t *testing.T) {
	quit := make(chan struct{})
	close(quit)
	q := newQueue()
	q.put(batch{records: []*kgo.Record{{}}})
	if _, ok := q.take(quit); ok {
		t.Error("took a batch after quit")
	}
	if n := q.drain(); n != 1 {
		t.Errorf("drained %d records, want 1", n)
	}
}

// A worker that must stop says so to its output, which asks between the alerts of a large record.
func TestStopped(t *testing.T) {
	w := &partition{quit: make(chan struct{})}
	if err := w.stopped(); err != nil {
		t.Error(err)
	}
	w.stop()
	if err := w.stopped(); !errors.Is(err, errStopped) {
		t.Errorf("%v, want %v", err, errStopped)
	}
}
