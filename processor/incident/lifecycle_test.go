package incident

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/incident"
)

// run adds alerts and returns what was written.
func run(g *Grouper, at time.Time, list ...*alert.Facts) string {
	for _, f := range list {
		g.Add(f, at)
	}
	g.Advance(at)
	return written(g.Flush())
}

func want(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: wrote %q, want %q", what, got, want)
	}
}

func failed(f *alert.Facts)    { f.Failed = true }
func critical(f *alert.Facts)  { f.Severity = "Critical" }
func elsewhere(f *alert.Facts) { f.Region = "ap-east-1" }
func other(f *alert.Facts)     { f.Action = "CreateKeyPair" }

func TestLifeOfAnIncident(t *testing.T) {
	g := New(Options{Settings: settings()})
	at := day.Add(10 * time.Hour)
	want(t, "first alert", run(g, at, fact(1, at, failed)), "Create 1")
	want(t, "the same again", run(g, at, fact(1, at, failed)), "")
	want(t, "another", run(g, at, fact(2, at, failed)), "")
	want(t, "within the interval", run(g, at.Add(4*time.Minute)), "")
	want(t, "after it", run(g, at.Add(5*time.Minute+time.Second)), "Update 2")
	want(t, "nothing new", run(g, at.Add(time.Hour)), "")
	want(t, "first success", run(g, at, fact(3, at)), "Update 3 first-success")
	want(t, "new action", run(g, at, fact(4, at, other)), "Update 4 new-action")
	want(t, "severity", run(g, at, fact(5, at, critical)), "Update 5 severity")
	for n := range 4 {
		want(t, "more", run(g, at, fact(6+n, at)), "")
	}
	want(t, "ten", run(g, at, fact(10, at)), "Update 10 count")
	want(t, "second region", run(g, at, fact(11, at, elsewhere)), "Update 10 new-region, Create 1")
	end := day.Add(24 * time.Hour)
	want(t, "the window's end", run(g, end), "")
	want(t, "past it", run(g, end.Add(time.Second)), "Close 1, Close 10 new-region")
	want(t, "in grace", run(g, end.Add(time.Hour), fact(12, at)), "Update 11 new-region")
	if c := g.Counts(); c != (Counts{Read: 13, Counted: 12, Repeated: 1}) {
		t.Errorf("%+v", c)
	}
}

// A list of actions that is full, or short for want of memory, hides no incident.
//
// Guard: more in reached.
func TestActionsBeyondTheList(t *testing.T) {
	f := func(threshold uint64, budget *Budget) {
		t.Helper()
		g := New(Options{Settings: settings(func(g *policy.Incidents) { g.ByAction, g.Threshold = true, threshold }), Budget: budget})
		for i := range 300 {
			g.Add(fact(i, day, func(f *alert.Facts) { f.Action = fmt.Sprint("A", i) }), day)
		}
		if c := g.Counts(); c.Below != 0 {
			t.Errorf("threshold %d: %+v", threshold, c)
		}
	}
	f(policy.MaxActions, &Budget{})
	f(10, &Budget{MaxDetail: 1})
	f(maxActions+1, &Budget{}) // of a state that an older policy made
}

// Repeats that an estimate cannot tell do not make more failures and successes than alerts.
//
// Guard: share in counts.
func TestEstimateAddsUp(t *testing.T) {
	g := New(Options{Settings: settings(), ExactIDs: 1000})
	for range 3 {
		for i := range 4000 {
			g.Add(fact(i, day, func(f *alert.Facts) { f.Failed, f.Partial = i%2 == 0, i%4 == 0 }), day)
		}
	}
	c := g.All()[0].Counts
	near := func(n, want uint64) bool { return n > want-want/20 && n < want+want/20 }
	if c.Failed+c.Succeeded != c.Alerts || !near(c.Alerts, 4000) || !near(c.Failed, 2000) || !near(c.Partial, 1000) {
		t.Errorf("%+v", c)
	}
}

// What is due after a time is not due at that time, whatever else is due then.
//
// Guards: each comparison with now in act and isDue.
func TestNotDueYet(t *testing.T) {
	end := day.Add(24 * time.Hour)
	g := New(Options{Settings: settings()})
	at := day.Add(10 * time.Hour)
	want(t, "first", run(g, at, fact(1, at)), "Create 1")
	want(t, "at the interval's end", run(g, at.Add(5*time.Minute), fact(2, at)), "")
	want(t, "after it", run(g, at.Add(5*time.Minute+1)), "Update 2")
	g.Add(fact(3, at), at.Add(6*time.Minute))
	g.Flush()
	want(t, "at the window's end", run(g, end), "Update 3") // the update is due, the end is not
	want(t, "after it", run(g, end.Add(1)), "Close 3")
	g.Add(fact(4, at), end.Add(2))
	g.Flush()
	last := end.Add(1).Add(policy.DefaultIncidents.Grace)
	want(t, "at the grace's end", run(g, last), "Update 4")
	want(t, "a repeat at the grace's end", run(g, last, fact(4, at)), "")
	want(t, "after it", run(g, last.Add(1)), "")
	if n, _ := g.Size(); n != 0 {
		t.Errorf("%d incidents are left", n)
	}
}

// What changed within its grace is written at its end, not later.
//
// Guard: unsent in forget.
func TestLastUpdate(t *testing.T) {
	g := New(Options{Settings: settings()})
	run(g, day, fact(1, day))
	closed := day.Add(24*time.Hour + 1)
	want(t, "closed", run(g, closed), "Close 1")
	last := closed.Add(policy.DefaultIncidents.Grace)
	want(t, "in grace", run(g, last.Add(-time.Minute), fact(2, day)), "Update 2")
	want(t, "just before its end", run(g, last, fact(3, day)), "")
	want(t, "its end", run(g, last.Add(1)), "Update 3")
}

func TestQuietKeepsAnIncidentOpen(t *testing.T) {
	g := New(Options{Settings: settings()})
	late := day.Add(25 * time.Hour)
	want(t, "after the window's end", run(g, late, fact(1, day)), "Create 1")
	want(t, "not yet quiet", run(g, late.Add(time.Hour)), "")
	want(t, "quiet", run(g, late.Add(time.Hour+time.Second)), "Close 1")
}

func TestThreshold(t *testing.T) {
	g := New(Options{Settings: settings(func(g *policy.Incidents) { g.Threshold = 3 })})
	want(t, "two alerts", run(g, day, fact(1, day), fact(2, day)), "")
	if c := g.Counts(); c.Below != 2 || c.Counted != 0 {
		t.Errorf("%+v", c)
	}
	want(t, "the third", run(g, day, fact(3, day)), "Create 3")
	if c := g.Counts(); c.Below != 0 || c.Counted != 3 {
		t.Errorf("%+v", c)
	}
	g = New(Options{Settings: settings(func(g *policy.Incidents) { g.Threshold, g.ByAction = 2, true })})
	want(t, "one action", run(g, day, fact(1, day), fact(2, day)), "")
	want(t, "two", run(g, day, fact(3, day, other)), "Create 3")
}

// Alerts after the grace form a late incident that names the first, with a new id each time.
func TestLate(t *testing.T) {
	o, state := Options{Settings: settings(), Durable: true}, topic{}
	g := New(o)
	at := day.Add(time.Hour)
	g.Add(fact(1, at), at)
	first := g.Flush()[0]
	state.write(g.State())
	ids := map[string]bool{first.ID: true}
	for n := 1; n <= 3; n++ {
		clock := day.AddDate(0, 0, 7*n)
		g.Advance(clock)
		g.Advance(clock.AddDate(0, 0, 2))
		g.Flush()
		state.write(g.State())
		now := clock.AddDate(0, 0, 3)
		g.Add(fact(10*n, at), now)
		g.Add(fact(10*n+1, at), now)
		g.Add(fact(10*n, at), now)
		list := g.Flush()
		if len(list) != 1 || list[0].Kind != incident.KindLate || !list[0].Late || list[0].LateFor != first.ID || list[0].Counts.Alerts != 2 || ids[list[0].ID] ||
			list[0].ID != incident.LateID(uuid.MustParse(first.ID), n).String() {
			t.Fatalf("round %d: %+v", n, list)
		}
		ids[list[0].ID] = true
		state.write(g.State())
		restored := state.restore(t, o)
		if c := restored.Counts(); c != (Counts{Read: 2, Late: 2}) {
			t.Errorf("round %d, restored: %+v", n, c)
		}
	}
	if c := g.Counts(); c != (Counts{Read: 10, Counted: 1, Late: 6, Repeated: 3}) {
		t.Errorf("%+v", c)
	}
}

// The clock never moves back.
func TestAdvanceBack(t *testing.T) {
	g := New(Options{Settings: settings()})
	g.Advance(day.Add(time.Hour))
	if g.Advance(day); !g.clock.Equal(day.Add(time.Hour)) {
		t.Errorf("it stands at %s", g.clock)
	}
}

// The end of one of a principal's incidents leaves those in other regions linked.
func TestRegionsOutliveOne(t *testing.T) {
	g := New(Options{Settings: settings()})
	g.Add(fact(1, day), day)
	g.Add(fact(2, day, elsewhere), day.Add(24*time.Hour-time.Minute))
	g.Add(fact(4, day, func(f *alert.Facts) { f.Region = "af-south-1" }), day.Add(24*time.Hour-time.Minute))
	for _, d := range []time.Duration{24*time.Hour + time.Minute, 26 * time.Hour, 49 * time.Hour} {
		g.Advance(day.Add(d)) // the first closes; so does the second; the first's grace is over
		g.Flush()
	}
	g.Add(fact(3, day, func(f *alert.Facts) { f.Region = "sa-east-1" }), day.Add(49*time.Hour))
	for _, i := range g.Flush() {
		if i.Region == "sa-east-1" && !slices.Equal(i.OtherRegions, []string{"af-south-1", "ap-east-1"}) {
			t.Errorf("other regions %q", i.OtherRegions)
		}
	}
	if n, _ := g.Size(); n != 3 {
		t.Errorf("%d incidents, want all but the first", n)
	}
	addsUp(t, g)
}

// A backfill of old events makes incidents like any other: they are late for nothing.
func TestBackfill(t *testing.T) {
	g := New(Options{Settings: settings()})
	for n := range 365 {
		g.Add(fact(n, day.AddDate(-1, 0, n)), day)
	}
	list := g.Flush()
	if len(list) != 365 || g.Counts().Counted != 365 {
		t.Fatalf("%d incidents, %+v", len(list), g.Counts())
	}
	for _, i := range g.All() {
		if continues := i.Continues != ""; i.Kind != incident.KindIncident || continues == i.Window.Start.Equal(day.AddDate(-1, 0, 0)) {
			t.Errorf("%s: kind %s, continues %q", i.Window.Start, i.Kind, i.Continues)
		}
	}
}

// A changed window holds for windows that begin later, whatever an event's time.
func TestChangedWindow(t *testing.T) {
	now := policy.DefaultIncidents
	g := New(Options{Settings: func(string) policy.Incidents { return now }})
	at := day.Add(10 * time.Hour)
	g.Add(fact(1, at), at)
	now.Window = time.Hour
	for n, hours := range []int{11, 12, 23, 24, 24, 25} {
		g.Add(fact(2+n, day.Add(time.Duration(hours)*time.Hour)), at.Add(14*time.Hour))
	}
	got := map[string]uint64{}
	for _, i := range g.All() {
		got[fmt.Sprintf("%s+%s", i.Window.Start.Sub(day), i.Window.End.Sub(i.Window.Start))] = i.Counts.Alerts
	}
	// The first alert under the new window comes when the clock stands at the day's end, so the next day is the
	// last of the old length that an alert could be in.
	if len(got) != 2 || got["0s+24h0m0s"] != 4 || got["24h0m0s+24h0m0s"] != 3 {
		t.Errorf("%v", got)
	}
	g.Add(fact(20, day.Add(49*time.Hour)), day.Add(49*time.Hour))
	got = map[string]uint64{}
	for _, i := range g.All() {
		got[fmt.Sprintf("%s+%s", i.Window.Start.Sub(day), i.Window.End.Sub(i.Window.Start))] = i.Counts.Alerts
	}
	if got["49h0m0s+1h0m0s"] != 1 {
		t.Errorf("%v", got)
	}
}

// A late alert belongs to the incident of its time although the account's windows have changed since and nothing of the
// account is left but incidents whose grace is over, also after a restore. When they are forgotten, so is the account.
//
// Guard: ended in leaveAccount.
func TestLateAfterAChangedWindow(t *testing.T) {
	now := policy.DefaultIncidents
	o := Options{Settings: func(string) policy.Incidents { return now }, Durable: true, Budget: &Budget{MaxGone: 1}}
	g, state := New(o), topic{}
	at := day.Add(10 * time.Hour)
	g.Add(fact(1, at, func(f *alert.Facts) { f.AccountFacts = []byte(`{"name":"prod"}`) }), at)
	first := g.Flush()[0]
	now.Window = time.Hour
	g.Add(fact(2, at), at)
	for _, days := range []int{2, 4} {
		g.Advance(day.AddDate(0, 0, days))
		g.Flush()
	}
	state.write(g.State())
	if chargedRight(t, g); len(g.entries) != 0 || len(g.accounts) != 1 || len(g.accounts["111122223333"].facts) != 0 {
		t.Fatalf("%d incidents, %d accounts", len(g.entries), len(g.accounts))
	}
	for range 2 {
		g.Add(fact(3, at), day.AddDate(0, 0, 5))
		if list := g.Flush(); len(list) != 1 || list[0].Kind != incident.KindLate || list[0].LateFor != first.ID || !list[0].Window.Start.Equal(day) {
			t.Errorf("%+v, want a late one of %s", list, first.ID)
		}
		g.Release()
		g = state.restore(t, o)
	}
	now.Window = 2 * time.Hour
	there := func(f *alert.Facts) { f.Account = "444455556666" }
	g.Add(fact(4, at, there), day.AddDate(0, 0, 5))
	for _, days := range []int{7, 9} {
		g.Advance(day.AddDate(0, 0, days))
		g.Flush()
	}
	state.write(g.State())
	if len(g.accounts) != 1 || g.accounts["444455556666"] == nil || len(state) != 2 {
		t.Errorf("%d accounts and %d records for one ended incident", len(g.accounts), len(state))
	}
	indexedRight(t, g)
	chargedRight(t, g)
	g.Release()
	if n := o.Budget.detail.Load(); n != 0 {
		t.Errorf("%d bytes are charged", n)
	}
}

// A lowered threshold creates what has reached it as soon as the settings are looked at again, in steps, and also after a
// restore. A raised one takes nothing back. The counts are exact all the time.
//
// Guards: Reconsider, nextDue and act.
func TestChangedThreshold(t *testing.T) {
	const principals = maxDue + 100
	now := policy.DefaultIncidents
	now.Threshold = 3
	o := Options{Settings: func(string) policy.Incidents { return now }, Durable: true}
	g, state := New(o), topic{}
	for n := range 2 * principals {
		g.Add(fact(n, day, func(f *alert.Facts) { f.Account = fmt.Sprint(n % principals) }), day)
	}
	g.Add(fact(2*principals, day, func(f *alert.Facts) { f.Account = "one alert" }), day)
	g.Flush()
	state.write(g.State())
	total := uint64(2*principals + 1)
	counts := func(what string, g *Grouper, below uint64) {
		t.Helper()
		addsUp(t, g)
		if c := g.Counts(); c.Below != below || c.Counted != total-below || len(g.All()) != int(total-below)/2 {
			t.Errorf("%s: %+v in %d incidents", what, c, len(g.All()))
		}
	}
	lowered := func(what string, g *Grouper) {
		t.Helper()
		clock := day.Add(time.Minute)
		for range 3 {
			g.Advance(clock)
			if list := g.Flush(); len(list) > maxDue {
				t.Errorf("%s: %d in one step", what, len(list))
			}
			clock = clock.Add(time.Second)
			state.write(g.State())
		}
		counts(what, g, 1)
		for _, i := range g.All() {
			if i.Activity != incident.Create || i.Revision != 1 || i.Counts.Alerts != 2 {
				t.Fatalf("%s: %+v", what, i)
			}
		}
	}
	counts("before", g, total)
	now.Threshold = 2
	lowered("restored", state.restore(t, o))
	g.Reconsider()
	lowered("reconsidered", g)
	now.Threshold = 50
	g.Reconsider()
	g.Advance(day.Add(time.Hour))
	counts("raised", g, 1)
	g = state.restore(t, o)
	counts("raised and restored", g, 1)
	g.Add(fact(0, day, func(f *alert.Facts) { f.Account = "0" }), day.Add(time.Hour))
	g.Add(fact(9*principals, day, func(f *alert.Facts) { f.Account = "0" }), day.Add(time.Hour))
	if c := g.Counts(); c.Repeated != 1 || c.Counted != total || c.Below != 1 {
		t.Errorf("%+v", c)
	}
}

// What ends earlier by changed settings ends without waiting for the time that was set before.
func TestReconsiderEnds(t *testing.T) {
	now := policy.DefaultIncidents
	now.Grace = 10 * 24 * time.Hour
	g := New(Options{Settings: func(string) policy.Incidents { return now }})
	g.Add(fact(1, day), day)
	g.Advance(day.AddDate(0, 0, 2))
	now.Grace = time.Hour
	g.Reconsider()
	g.Advance(day.AddDate(0, 0, 3))
	if n, _ := g.Size(); n != 0 {
		t.Errorf("%d incidents are left", n)
	}
}
