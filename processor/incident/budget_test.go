package incident

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/regionwatch/regionwatch/schema/alert"
)

// However many partitions a process has, in however many goroutines, they stay within one budget, and drop nothing.
func TestBudgetIsShared(t *testing.T) {
	const partitions, alerts = 8, 3_000
	budget := &Budget{MaxIncidents: 100, MaxIDs: 5_000}
	all := make([]*Grouper, partitions)
	var wg sync.WaitGroup
	for p := range all {
		wg.Go(func() {
			g := New(Options{Partition: int32(p), Settings: settings(), Durable: true, Budget: budget})
			for n := range alerts {
				g.Add(fact(p*alerts+n, day, func(f *alert.Facts) { f.Account, f.Actor = fmt.Sprint(p, n%70), fmt.Sprint(n) }), day)
				if n%100 == 0 {
					g.Flush()
					g.State()
				}
			}
			all[p] = g
		})
	}
	wg.Wait()
	incidents, ids := budget.Size()
	large := 0 // ids of incidents that have more than a few: those never become estimates
	for _, g := range all {
		for _, e := range g.entries {
			if n := e.ids.len(); n > smallSet {
				large += n
			}
		}
	}
	// A storm of its own for each partition, and the alert that each goroutine was adding.
	if incidents > 125+2*partitions || large > 5_000+partitions {
		t.Errorf("%d incidents, %d ids, %d of them in large ones", incidents, ids, large)
	}
	for _, g := range all {
		addsUp(t, g)
		if c := g.Counts(); c.Counted != alerts {
			t.Errorf("%+v, want %d counted", c, alerts)
		}
		g.Release()
		g.Add(fact(1, day), day) // by a goroutine that does not know yet
	}
	if incidents, ids := budget.Size(); incidents != 0 || ids != 0 || budget.detail.Load() != 0 || budget.gone.Load() != 0 {
		t.Errorf("after release: %d incidents, %d ids, %d bytes, %d gone", incidents, ids, budget.detail.Load(), budget.gone.Load())
	}
}

// A partition that moves here is restored as it is, whatever the budget says: only new alerts make estimates. What comes
// from more instances than this one has memory for is within twice the budget of ids.
//
// Guard: hasRestored in chunk.
func TestRestoreWithinBudget(t *testing.T) {
	o := Options{Settings: settings(), Durable: true}
	g, state := New(o), topic{}
	for n := range 4_000 {
		g.Add(fact(n, day, func(f *alert.Facts) { f.Actor = fmt.Sprint(n % 4) }), day)
	}
	g.Flush()
	state.write(g.State())

	o.Budget = &Budget{MaxIncidents: 1, MaxIDs: 2_500}
	g = state.restore(t, o)
	if incidents, ids := o.Budget.Size(); incidents != 4 || ids != 4_000 || g.Sizes().Estimates != 0 || len(g.State()) != 0 {
		t.Errorf("%d incidents, %d ids, %+v", incidents, ids, g.Sizes())
	}
	g.Add(fact(1, day, func(f *alert.Facts) { f.Actor = "1" }), day)
	if sizes := g.Sizes(); sizes.Estimates != 0 {
		t.Errorf("a repeated alert made %d estimates", sizes.Estimates)
	}
	g.Add(fact(4_000, day, func(f *alert.Facts) { f.Actor = "0" }), day)
	if sizes := g.Sizes(); sizes.Estimates != 1 {
		t.Errorf("a new alert made %d estimates", sizes.Estimates)
	}
	g.Release()

	o.Budget = &Budget{MaxIDs: 1_200}
	g = state.restore(t, o)
	if _, ids := o.Budget.Size(); ids > 2_400 {
		t.Errorf("%d ids", ids)
	}
	state.write(g.State())
	chunks := 0
	for key := range state {
		if key[0] == stateChunk {
			chunks++
		}
	}
	if sizes := g.Sizes(); sizes.Estimates != 2 || chunks != 2 {
		t.Errorf("%+v and %d chunks, want 2 estimates and the other chunks", sizes, chunks)
	}
}

// Names as long as they may be, in every list of every incident, cost a bounded amount of memory, and hide no count.
func TestBoundOfDetail(t *testing.T) {
	const limit, incidents = 4 << 20, 300
	g := New(Options{Settings: settings(), Budget: &Budget{MaxDetail: limit}})
	before := liveHeap()
	for n := range 60_000 {
		long := fmt.Sprint(n, strings.Repeat("x", 2*maxName))
		g.Add(fact(n, day, func(f *alert.Facts) {
			f.Actor, f.Action, f.Agent, f.Address = fmt.Sprint(n%incidents), long, long, long
			f.AccountFacts = fmt.Appendf(nil, `{"name":%q}`, long)
		}), day)
		if n%1_000 == 0 {
			g.Flush()
		}
	}
	used := liveHeap() - before
	// Beyond the limit each incident still has a few names of each kind.
	const few = incidents * 4 * 5 * (2*maxName + namedSize)
	if detail := g.share.of.detail.Load(); detail > limit+few {
		t.Errorf("%d bytes of detail", detail)
	}
	if used > 3*limit {
		t.Errorf("%d bytes of memory", used)
	}
	for _, i := range g.All() {
		if i.Counts.Alerts != 200 || !i.Counts.MoreActions || len(i.Actions) < 5 {
			t.Fatalf("%+v with %d actions", i.Counts, len(i.Actions))
		}
	}
}

// Incidents whose grace has ended are remembered up to a limit.
func TestBoundOfGone(t *testing.T) {
	budget := &Budget{MaxGone: 50}
	for p := range 3 {
		g := New(Options{Partition: int32(p), Settings: settings(), Durable: true, Budget: budget})
		for n := range 200 {
			g.Add(fact(n, day, func(f *alert.Facts) { f.Actor = fmt.Sprint(n) }), day)
		}
		g.Advance(day.AddDate(0, 0, 2))
		g.Advance(day.AddDate(0, 0, 4))
		if len(g.entries) > 0 || len(g.gone.ended) != len(g.gone.order) {
			t.Errorf("%d incidents, %d and %d gone", len(g.entries), len(g.gone.ended), len(g.gone.order))
		}
	}
	if got := budget.gone.Load(); got != 50 {
		t.Errorf("%d are remembered", got)
	}
}

// Ended incidents that are restored beyond the limit are forgotten, the oldest first, in steps, and all of them in the end.
//
// Guard: trimGone, its limit, and that Flush resets it.
func TestRestoredGoneAreForgottenInSteps(t *testing.T) {
	const n, kept = 2*maxDue + 500, 50
	o := Options{Settings: settings(), Durable: true}
	g, state := New(o), stateLog{}
	for i := range n {
		g.Add(fact(i, day, func(f *alert.Facts) { f.Account, f.Actor = fmt.Sprint(i%7), fmt.Sprint(i) }), day)
	}
	for hour := range 100 {
		g.Advance(day.Add(time.Duration(hour) * time.Hour))
		g.Flush()
		state = append(state, g.State()...)
	}
	if len(g.entries) != 0 || len(g.gone.order) != n {
		t.Fatalf("%d incidents, %d gone", len(g.entries), len(g.gone.order))
	}
	youngest := g.gone.order[n-kept:]
	o.Budget = &Budget{MaxGone: kept}
	g = state.restore(t, o)
	live, steps := topic{}, 0
	live.write(state)
	for ; ; steps++ {
		g.Flush()
		records := g.State()
		if len(records) == 0 {
			break
		}
		if live.write(records); len(records) > maxDue+7 { // and those of accounts
			t.Errorf("%d records in one step", len(records))
		}
	}
	if steps != 3 || len(live) > kept+7 || !slices.Equal(g.gone.order, youngest) || o.Budget.gone.Load() != kept {
		t.Errorf("%d steps, %d records left, %d remembered", steps, len(live), len(g.gone.order))
	}
	if again := live.restore(t, o); len(again.gone.order) != kept || len(again.accounts) != len(live)-kept {
		t.Errorf("restored again: %d gone of %d accounts", len(again.gone.order), len(again.accounts))
	}
}

// Ended incidents are forgotten as long as there are too many of them in all partitions: all of this one, and then no more.
//
// Guard: the length in trimGone.
func TestGoneOfOthers(t *testing.T) {
	restored := func(budget *Budget, first, n int) *Grouper {
		r := NewRestorer(Options{Settings: settings(), Budget: budget})
		for i := range n {
			if err := r.Record(stateKey(stateGone, alertID(first+i)), encodeGone(ended{account: &account{}})); err != nil {
				t.Fatal(err)
			}
		}
		g, err := r.Finish()
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	budget := &Budget{MaxGone: 1}
	others, g := restored(budget, 10, 3), restored(budget, 1, 2)
	for range 2 {
		if g.Flush(); len(g.gone.order) != 0 || len(others.gone.order) != 3 {
			t.Errorf("%d are remembered, and %d of others", len(g.gone.order), len(others.gone.order))
		}
	}
}

// Hundreds of thousands of sessions of one principal, or event times anywhere, take little memory.
func TestMemoryOfHostileAlerts(t *testing.T) {
	f := func(what string, alerts int, change func(n int, f *alert.Facts)) *Grouper {
		t.Helper()
		before, budget := liveHeap(), &Budget{MaxIDs: 100_000}
		g := New(Options{Settings: settings(), Budget: budget})
		for n := range alerts {
			a := fact(n, day)
			change(n, a)
			g.Add(a, day)
			if n%10_000 == 0 {
				g.Flush()
			}
		}
		g.Flush()
		fits(t, what, before, budget)
		addsUp(t, g)
		if c := g.Counts(); c.Counted != uint64(alerts) {
			t.Errorf("%s: %+v", what, c)
		}
		runtime.KeepAlive(g)
		return g
	}
	g := f("sessions", 200_001, func(n int, f *alert.Facts) {
		f.Address, f.Agent, f.Principal.Session = fmt.Sprint("192.0.2.", n), fmt.Sprint("agent ", n), fmt.Sprint("session ", n)
	})
	if all := g.All(); len(all) != 1 || !all[0].Counts.Estimate {
		t.Errorf("sessions: %d incidents, the first %+v", len(all), all[0].Counts)
	}
	years := []time.Time{time.Unix(0, 0).UTC(), time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC), day, {}}
	g = f("years", 50_000, func(n int, f *alert.Facts) {
		f.Actor, f.Time, f.Stamp = fmt.Sprint("decoy ", n), years[n%len(years)], day
	})
	if incidents, _ := g.Size(); incidents != 2_002 {
		t.Errorf("years: %d incidents", incidents)
	}
	g = f("windows", 50_000, func(n int, f *alert.Facts) { f.Time = time.Unix(0, 0).UTC().AddDate(0, 0, n%20_000) })
	if incidents, _ := g.Size(); incidents != 20_000 {
		t.Errorf("windows: %d incidents", incidents)
	}
}
