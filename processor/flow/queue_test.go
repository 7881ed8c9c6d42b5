package flow

import (
	"testing"
	"testing/synctest"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A worker waits for the broker once per batch. Everything that arrives while it waits must become one batch, or a slow
// broker makes it fall behind for good.
func TestQueueTakesAllThatWaits(t *testing.T) {
	fetched := []*kgo.Record{{Offset: 0}, {Offset: 1}, {Offset: 99}} // the last still belongs to the client
	q := NewQueue()
	q.Put(Batch{Records: fetched[:2], Bytes: 20})
	q.Put(Batch{Records: []*kgo.Record{{Offset: 2}}, Bytes: 5})
	q.Put(Batch{Records: []*kgo.Record{{Offset: 3}, {Offset: 4}}, Bytes: 7})

	b, ok := q.Take(nil)
	if !ok || b.Bytes != 32 || len(b.Records) != 5 {
		t.Fatalf("took %d records of %d bytes, %v; want 5 of 32", len(b.Records), b.Bytes, ok)
	}
	for i, r := range b.Records {
		if r.Offset != int64(i) {
			t.Errorf("record %d has offset %d", i, r.Offset)
		}
	}
	if fetched[2].Offset != 99 {
		t.Error("the client's own record was overwritten")
	}
	if n := q.Drain(); n != 0 {
		t.Errorf("%d records left in the queue", n)
	}
}

func TestQueueStopsWaiting(t *testing.T) {
	quit := make(chan struct{})
	close(quit)
	q := NewQueue()
	q.Put(Batch{Records: []*kgo.Record{{}}})
	if _, ok := q.Take(quit); ok {
		t.Error("took a batch after quit")
	}
	if n := q.Drain(); n != 1 {
		t.Errorf("drained %d records, want 1", n)
	}
}

// A worker waits until something is put, or it is to end.
func TestQueueWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, quit, taken := NewQueue(), make(chan struct{}), make(chan bool)
		take := func() {
			_, ok := q.Take(quit)
			taken <- ok
		}
		go take()
		synctest.Wait()
		q.Put(Batch{Records: []*kgo.Record{{}}})
		if !<-taken {
			t.Error("took nothing")
		}
		go take()
		synctest.Wait()
		close(quit)
		if <-taken {
			t.Error("took what nobody put")
		}
	})
}

// Transaction markers do not count as records.
func TestCountData(t *testing.T) {
	marker := &kgo.Record{Attrs: kgo.NewRecordAttrs(kgo.RecordAttrsOpts{Control: true})}
	if n := CountData([]*kgo.Record{{}, marker, {}}); n != 2 {
		t.Errorf("%d records, want 2", n)
	}
}
