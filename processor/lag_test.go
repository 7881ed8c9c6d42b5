package processor

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// The lag of a partition in records and in time, as its records arrive and are done.
func TestLag(t *testing.T) {
	tp := topicPartition{inputTopic, 0}
	fetch := func(first, end int64, at time.Time) *kgo.FetchPartition {
		return &kgo.FetchPartition{HighWatermark: end, Records: []*kgo.Record{{Offset: first, Timestamp: at}}}
	}
	begin := func(table *lagTable, end int64, age time.Duration) {
		table.assigned(tp, 10, end)
		table.fetched(tp, fetch(10, end, time.Now().Add(-age)))
	}
	f := func(name string, records int64, behind time.Duration, do func(*lagTable)) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				table := newLagTable()
				do(table)
				if l := table.all(); len(l) != 1 || l[0].records != records || l[0].behind != behind {
					t.Errorf("%+v, want %d records and %v", l, records, behind)
				}
			})
		})
	}
	f("a backlog is as old as its first record", 5, time.Hour, func(table *lagTable) { begin(table, 15, time.Hour) })
	f("nothing waits", 0, 0, func(table *lagTable) {
		begin(table, 11, time.Hour)
		table.done(tp, 11, time.Now())
		time.Sleep(time.Hour)
	})
	f("what is done makes it younger", 2, 20*time.Minute, func(table *lagTable) {
		begin(table, 15, time.Hour)
		table.done(tp, 13, time.Now().Add(-20*time.Minute))
	})
	f("after a quiet time it is no older than that", 3, 15*time.Second, func(table *lagTable) {
		begin(table, 11, 0)
		table.done(tp, 11, time.Now())
		time.Sleep(time.Hour)
		table.reach(tp, 0, 11)
		time.Sleep(15 * time.Second)
		table.reach(tp, 0, 14)
	})
	f("it grows while nothing is fetched", 100, time.Hour, func(table *lagTable) {
		begin(table, 11, 0)
		for i := range int64(60) {
			time.Sleep(time.Minute)
			table.reach(tp, 0, 20+i*90/59)
		}
	})
	f("a look that is older than the fetch", 5, 0, func(table *lagTable) {
		begin(table, 15, 0)
		table.reach(tp, 0, 12)
	})
	f("a record from the future hides nothing", 2, time.Minute, func(table *lagTable) {
		begin(table, 15, 0)
		table.done(tp, 13, time.Now().Add(1000*time.Hour))
		time.Sleep(time.Minute)
	})
	f("a record from long ago is no lag once it is done", 1, 0, func(table *lagTable) {
		begin(table, 11, 0)
		table.done(tp, 11, time.Unix(0, 0))
		table.reach(tp, 0, 12)
	})
}

// A partition that is not assigned has no lag, whatever its end.
func TestLagOfOthers(t *testing.T) {
	table := newLagTable()
	table.reach(topicPartition{inputTopic, 0}, 0, 100)
	if l := table.all(); len(l) != 0 {
		t.Errorf("lags %v of no partition", l)
	}
}
