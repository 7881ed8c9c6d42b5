package processor

import (
	"testing"
	"time"

	"github.com/regionwatch/regionwatch/processor/detection"
)

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
