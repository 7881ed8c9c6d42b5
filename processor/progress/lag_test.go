package progress

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// The lag of a partition in records and in time, as its records arrive and are done.
func TestLag(t *testing.T) {
	tp := kadm.Partition{Topic: "cloudtrail", Partition: 0}
	fetch := func(first, end int64, at time.Time) *kgo.FetchPartition {
		return &kgo.FetchPartition{HighWatermark: end, Records: []*kgo.Record{{Offset: first, Timestamp: at}}}
	}
	begin := func(table *Lags, end int64, age time.Duration) {
		table.Assigned(tp, 10, end)
		table.Fetched(tp, fetch(10, end, time.Now().Add(-age)))
	}
	f := func(name string, records int64, behind time.Duration, do func(*Lags)) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				table := NewLags()
				do(table)
				if l := table.All(); len(l) != 1 || l[0].Records != records || l[0].Behind != behind {
					t.Errorf("%+v, want %d records and %v", l, records, behind)
				}
			})
		})
	}
	f("a backlog is as old as its first record", 5, time.Hour, func(table *Lags) { begin(table, 15, time.Hour) })
	f("nothing waits", 0, 0, func(table *Lags) {
		begin(table, 11, time.Hour)
		table.Done(tp, 11, time.Now())
		time.Sleep(time.Hour)
	})
	f("what is done makes it younger", 2, 20*time.Minute, func(table *Lags) {
		begin(table, 15, time.Hour)
		table.Done(tp, 13, time.Now().Add(-20*time.Minute))
	})
	f("after a quiet time it is no older than that", 3, 15*time.Second, func(table *Lags) {
		begin(table, 11, 0)
		table.Done(tp, 11, time.Now())
		time.Sleep(time.Hour)
		table.Reach(tp, 0, 11)
		time.Sleep(15 * time.Second)
		table.Reach(tp, 0, 14)
	})
	f("it grows while nothing is fetched", 100, time.Hour, func(table *Lags) {
		begin(table, 11, 0)
		for i := range int64(60) {
			time.Sleep(time.Minute)
			table.Reach(tp, 0, 20+i*90/59)
		}
	})
	f("a look that is older than the fetch", 5, 0, func(table *Lags) {
		begin(table, 15, 0)
		table.Reach(tp, 0, 12)
	})
	f("what was done at its end is no lag later", 1, 0, func(table *Lags) {
		begin(table, 11, 0)
		time.Sleep(time.Minute)
		table.Done(tp, 11, time.Now().Add(-30*time.Second))
		table.Reach(tp, 0, 12)
	})
	f("a record from the future hides nothing", 2, time.Minute, func(table *Lags) {
		begin(table, 15, 0)
		table.Done(tp, 13, time.Now().Add(1000*time.Hour))
		time.Sleep(time.Minute)
	})
	f("a record from long ago is no lag once it is done", 1, 0, func(table *Lags) {
		begin(table, 11, 0)
		table.Done(tp, 11, time.Unix(0, 0))
		table.Reach(tp, 0, 12)
	})
}

// A partition that is not assigned has no lag, whatever its end.
func TestLagOfOthers(t *testing.T) {
	table := NewLags()
	table.Reach(kadm.Partition{Topic: "cloudtrail", Partition: 0}, 0, 100)
	if l := table.All(); len(l) != 0 {
		t.Errorf("lags %v of no partition", l)
	}
}

// A partition of which no broker tells where it ends is stalled and not caught up, because records may wait in it, until one
// tells.
//
// Guard: blind.
func TestStalledWithoutLeader(t *testing.T) {
	tp := kadm.Partition{Topic: "cloudtrail", Partition: 0}
	for name, next := range map[string]int64{"committed": 10, "nothing committed": -2} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				table := NewLags()
				check := func(want time.Duration) {
					t.Helper()
					if l := table.All(); len(l) != 1 || l[0].Stalled != want || l[0].Records != 0 || l[0].Behind != 0 {
						t.Errorf("%+v, want stalled for %v and no record", l, want)
					}
					if caughtUp := table.CaughtUp(tp); caughtUp != (want == 0) {
						t.Errorf("caught up: %v", caughtUp)
					}
				}
				table.Assigned(tp, next, -1)
				time.Sleep(time.Minute)
				check(time.Minute)
				table.Reach(tp, 10, 10)
				check(0)
			})
		})
	}
}

// A partition is stalled while records wait and none is done; without waiting records it is not.
func TestStalled(t *testing.T) {
	tp := kadm.Partition{Topic: "cloudtrail", Partition: 0}
	synctest.Test(t, func(t *testing.T) {
		table := NewLags()
		check := func(want time.Duration) {
			t.Helper()
			if l := table.All(); len(l) != 1 || l[0].Stalled != want {
				t.Errorf("%+v, want stalled for %v", l, want)
			}
		}
		table.Assigned(tp, 10, 10)
		time.Sleep(time.Hour)
		table.Reach(tp, 0, 10)
		check(0)
		table.Reach(tp, 0, 20)
		time.Sleep(time.Minute)
		check(time.Minute)
		table.Done(tp, 12, time.Now())
		time.Sleep(time.Second)
		check(time.Second)
		table.Done(tp, 19, time.Now())
		time.Sleep(time.Second)
		check(time.Second) // a single record waits
		table.Done(tp, 20, time.Now())
		time.Sleep(time.Second)
		check(0)
		table.Assigned(tp, 0, 0)
		time.Sleep(time.Second)
		check(0)
		table.Assigned(tp, -2, 20)
		check(0)
		table.Reach(tp, 5, 20)
		time.Sleep(time.Second)
		check(time.Second)
	})
}

// Records without a timestamp have no age.
//
// Guard: timestamp.
func TestNoTimestamp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for milliseconds, want := range map[int64]time.Duration{-1: 0, 0: 0, 1: time.Since(time.UnixMilli(1))} {
			table, tp := NewLags(), kadm.Partition{Topic: "cloudtrail", Partition: 0}
			table.Assigned(tp, 0, 1)
			table.Fetched(tp, &kgo.FetchPartition{HighWatermark: 1, Records: []*kgo.Record{{Timestamp: time.UnixMilli(milliseconds)}}})
			if l := table.All(); l[0].Behind != want {
				t.Errorf("%d: behind by %v, want %v", milliseconds, l[0].Behind, want)
			}
		}
	})
}

// Under a limit partitions of which nothing is in our hands do not stall; one whose records are not done does.
func TestLagHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := NewLags()
		for p := range int32(2) {
			tp := kadm.Partition{Topic: "cloudtrail", Partition: p}
			table.Assigned(tp, 0, 10)
			table.Fetched(tp, &kgo.FetchPartition{HighWatermark: 10, Records: []*kgo.Record{{Offset: 0, Timestamp: time.Now()}}})
		}
		table.Done(kadm.Partition{Topic: "cloudtrail", Partition: 0}, 1, time.Now())
		time.Sleep(time.Hour)
		table.Held()
		all := table.All()
		if all[0].Stalled != 0 || all[0].Behind != time.Hour || all[1].Stalled != time.Hour {
			t.Errorf("%+v", all)
		}
	})
}

// A partition knows where it was read first, what is next, and how much the broker dropped in between.
//
// Guards: the negative offsets in Assigned, Fetched and Reach.
func TestPositions(t *testing.T) {
	tp := kadm.Partition{Topic: "cloudtrail", Partition: 1}
	type want struct{ records, start, next int64 }
	table := NewLags()
	check := func(step string, w want, caughtUp bool) {
		t.Helper()
		for range 2 { // each leaves the table unlocked
			l := table.All()
			if len(l) != 1 || l[0].Partition != tp || (want{l[0].Records, l[0].Start, l[0].Next}) != w || table.Total() != w.records || table.CaughtUp(tp) != caughtUp {
				t.Errorf("%s: %+v, caught up %t, want %+v and %t", step, l, table.CaughtUp(tp), w, caughtUp)
			}
		}
	}
	fetch := func(step string, dropped, logStart, end int64, offsets ...int64) {
		t.Helper()
		f := &kgo.FetchPartition{LogStartOffset: logStart, HighWatermark: end}
		for _, o := range offsets {
			f.Records = append(f.Records, &kgo.Record{Offset: o, Timestamp: time.Now()})
		}
		if got := table.Fetched(tp, f); got != dropped {
			t.Errorf("%s: %d dropped, want %d", step, got, dropped)
		}
	}
	table.Assigned(tp, 10, 15)
	check("assigned", want{5, 10, 10}, false)
	fetch("at once", 0, 0, 16, 10, 12)
	check("fetched", want{6, 10, 10}, false)
	fetch("exactly there", 0, 13, 16, 13)
	fetch("behind the start", 1, 15, 16, 15)
	table.Done(tp, 16, time.Now())
	check("done", want{0, 10, 16}, true)
	table.Assigned(tp, 10, 3) // an end that is older than the commit
	check("assigned at its end", want{0, 10, 10}, true)
	table.Assigned(tp, 0, 7)
	check("assigned at 0", want{7, 0, 0}, false)
	fetch("dropped since 0", 4, 4, 7, 4)
	check("fetched at 4", want{7, 0, 0}, false)
	table.Assigned(tp, 0, 7)
	table.Reach(tp, 4, 7)
	check("looked at 4", want{7, 0, 0}, false)
	table.Assigned(tp, 0, 0)
	check("assigned without a record", want{0, 0, 0}, true)
	table.Assigned(tp, -2, 7)
	check("assigned without a place", want{0, -1, -1}, false)
	table.Reach(tp, 4, 7)
	check("looked", want{3, 4, 4}, false)
	table.Reach(tp, 6, 8)
	check("looked again", want{4, 4, 4}, false)
	table.Assigned(tp, -1, -1)
	fetch("at the first look", 0, 5, 9, 6)
	check("fetched without a place", want{3, 6, 6}, false)
	table.Forget(tp)
	if len(table.All()) > 0 || table.CaughtUp(tp) {
		t.Errorf("%+v is still there", table.All())
	}
	table.Done(tp, 7, time.Now())
	fetch("of nobody", 0, 5, 9, 6)
	check("fetched by nobody", want{3, 6, 6}, false)
}

// Lags come by topic and partition.
func TestLagOrder(t *testing.T) {
	table := NewLags()
	for _, tp := range []kadm.Partition{{Topic: "b", Partition: 0}, {Topic: "a", Partition: 2}, {Topic: "a", Partition: 1}} {
		table.Assigned(tp, 0, 1)
	}
	if l := table.All(); l[0].Partition != (kadm.Partition{Topic: "a", Partition: 1}) || l[1].Partition.Partition != 2 || l[2].Partition.Topic != "b" {
		t.Errorf("%+v", l)
	}
}
