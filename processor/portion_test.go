package processor

import (
	"testing"
	"time"

	"github.com/regionwatch/regionwatch/processor/detection"
)

// A transaction that takes too long makes the next ones smaller, down to one record, and quick ones make them larger again.
func TestPortion(t *testing.T) {
	t.Parallel()
	var p portion
	f := func(records int, took time.Duration, want int) {
		t.Helper()
		if p.learn(records, took, 16*time.Second); p.limit() != want {
			t.Errorf("after %d records in %v: %d, want %d", records, took, p.limit(), want)
		}
	}
	f(50_000, 7*time.Second, maxTransaction)
	f(200, 8*time.Second, 25)
	f(25, 4*time.Second, 25)
	f(25, time.Second, 50)
	f(10, 20*time.Second, 1)
	f(1, 20*time.Second, 1)
	f(0, 20*time.Second, 1)
	f(1, 0, 2)
	for want := 4; want < maxTransaction; want *= 2 {
		f(want/2, 0, want)
	}
	f(30_000, 0, maxTransaction)
	f(1000, 0, maxTransaction)
}

// Records that together take longer than a transaction may are decided in several, however slow they are.
//
// Guards: portion.learn in transact; the portion in both polls; runSession keeps it.
func TestSlowRecordsNeedSeveralTransactions(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	const n = 60
	c.ProduceValues(inputTopic, 1, values(n, "alert %d")...)
	o := exactlyOnce(c)
	o.TransactionTimeout = 1200 * time.Millisecond
	r := start(t, o, holding(func(*detection.Record) { time.Sleep(40 * time.Millisecond) }))
	c.Eventually("all committed", func() bool { return committedToEnd(c, 1) })
	r.mustStop()
	if r.tally.Snapshot().Aborted == 0 {
		t.Error("no transaction was too long: the test tests nothing")
	}
	ids := alertIDs(c.ReadAll(alertTopic))
	for id, times := range ids {
		if times != 1 {
			t.Errorf("alert %s stands %d times", id, times)
		}
	}
	if len(ids) != n {
		t.Errorf("%d alerts, want %d", len(ids), n)
	}
}
