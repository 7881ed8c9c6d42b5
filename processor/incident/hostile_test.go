package incident

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/incident"
)

// Any number of principals in one account are a thousand incidents and one storm, with every alert in one of them.
func TestStorm(t *testing.T) {
	const principals = 200_000
	before, budget := liveHeap(), &Budget{}
	g := New(Options{Settings: settings(), Budget: budget})
	g.Add(fact(0, day), day)
	for n := 1; n < principals; n++ {
		g.Add(fact(n, day, failed, func(f *alert.Facts) { f.Actor = fmt.Sprint("decoy ", n) }), day)
	}
	g.Add(fact(0, day), day) // again
	g.Add(fact(principals, day), day)
	g.Flush()
	if incidents, ids := g.Size(); incidents != 1_001 || ids != principals+1 {
		t.Errorf("%d incidents and %d ids are remembered", incidents, ids)
	}
	fits(t, "principals", before, budget)
	if c := g.Counts(); c.Counted != principals+1 || c.Repeated != 1 {
		t.Errorf("%+v", c)
	}
	all := g.All()
	if storm := all[0]; storm.Kind != incident.KindStorm || storm.Severity != "Critical" || storm.Counts.Alerts != principals-1_000 {
		t.Errorf("the first is %+v", storm)
	}
	if own := all[1]; own.Principal.ID != fact(0, day).Actor || own.Counts.Alerts != 2 {
		t.Errorf("the principal that has an incident does not keep it: %+v", own)
	}
	addsUp(t, g)
}

// In a storm, decoys do not keep a new region, a first success or the one who succeeded out.
func TestStormShowsTheRealOne(t *testing.T) {
	g := New(Options{Settings: settings(), MaxPerWindow: 1})
	g.Add(fact(0, day), day)
	for n := 1; n < 5_000; n++ {
		g.Add(fact(n, day, failed, func(f *alert.Facts) { f.Actor = fmt.Sprint("decoy ", n) }), day)
	}
	g.Flush()
	want(t, "another decoy", run(g, day, fact(6_000, day, failed, func(f *alert.Facts) { f.Actor = "decoy" })), "")
	culprit := func(f *alert.Facts) { f.Actor = "real" }
	want(t, "another region", run(g, day, fact(6_001, day, failed, elsewhere, func(f *alert.Facts) { f.Actor = "decoy 1" })), "Update 5001 new-region")
	want(t, "a success", run(g, day, fact(6_002, day, culprit)), "Update 5002 first-success")
	want(t, "a success in the other region", run(g, day, fact(6_003, day, culprit, elsewhere)), "Update 5003 first-success")
	if top := g.All()[0].Principals[0]; top.Name != "real" {
		t.Errorf("the first principal is %+v", top)
	}
}

// An alert of a storm that comes again is found in it, even if its key could have its own incident by then.
func TestStormIsFoundAgain(t *testing.T) {
	g := New(Options{Settings: settings(), MaxPerWindow: 1})
	stray := fact(2, day, func(f *alert.Facts) { f.Actor = "stray" })
	g.Add(fact(1, day), day)
	g.Add(stray, day)
	g.Add(stray, day.Add(26*time.Hour))
	g.Advance(day.Add(26 * time.Hour))
	g.Add(stray, day.Add(26*time.Hour))
	if c := g.Counts(); c != (Counts{Read: 4, Counted: 2, Repeated: 2}) {
		t.Errorf("%+v", c)
	}
}

// A storm that is over takes no more alerts, although another incident of its window goes on: they are late for it.
func TestLateForAStorm(t *testing.T) {
	g := New(Options{Settings: settings(), MaxPerWindow: 1})
	by := func(n int, actor string) *alert.Facts { return fact(n, day, func(f *alert.Facts) { f.Actor = actor }) }
	g.Add(by(1, "first"), day)
	g.Add(by(2, "second"), day)
	storm := g.All()[0]
	if g.Flush(); storm.Kind != incident.KindStorm {
		t.Fatalf("%+v", storm)
	}
	g.Add(by(3, "first"), day.Add(24*time.Hour-time.Minute))
	for _, d := range []time.Duration{24*time.Hour + time.Minute, 26 * time.Hour, 49 * time.Hour} {
		g.Advance(day.Add(d)) // the storm closes; so does the incident; the storm's grace is over
		g.Flush()
	}
	g.Add(by(4, "third"), day.Add(49*time.Hour))
	list := g.Flush()
	if len(list) != 1 || list[0].Kind != incident.KindLate || list[0].LateFor != storm.ID {
		t.Errorf("%+v, want one late for %s", list, storm.ID)
	}
}

// One principal with any number of sessions is one incident.
func TestSessionsAreOnePrincipal(t *testing.T) {
	g := New(Options{Settings: settings()})
	const text = `{"id":"9169434c-c222-55e9-959c-%012d","ruleId":"AWS.UnusedRegion","severity":"High","eventTime":"2026-11-20T01:00:00Z",` +
		`"eventName":"RunInstances","awsRegion":"eu-west-3","recipientAccountId":"111122223333","userAgent":"agent %[1]d","sourceIPAddress":"192.0.2.%[1]d",` +
		`"userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLE:session-%[1]d","arn":"arn:aws:sts::111122223333:assumed-role/dev/session-%[1]d",` +
		`"sessionContext":{"sessionIssuer":{"type":"Role","arn":"arn:aws:iam::111122223333:role/dev"}}},"principal":{"name":"dev"},"policy":{},"origin":{}}`
	for n := range 20_000 {
		f, err := alert.ReadFacts(fmt.Appendf(nil, text, n))
		if err != nil {
			t.Fatal(err)
		}
		g.Add(&f, day)
	}
	all := g.All()
	if len(all) != 1 || all[0].Counts.Alerts != 20_000 || len(all[0].Agents) > incident.MaxTop {
		t.Errorf("%d incidents, the first %+v", len(all), all[0])
	}
}

// No event moves a clock, whatever its time.
func TestEventTimes(t *testing.T) {
	g := New(Options{Settings: settings()})
	stamp := day.Add(12 * time.Hour)
	for n, at := range []time.Time{time.Unix(0, 0).UTC(), day.AddDate(80, 0, 0), time.Unix(math.MaxInt32*50, 0).UTC(), {}} {
		f := fact(n, at)
		f.Stamp = stamp
		g.Add(f, stamp)
	}
	if !g.clock.Equal(stamp) {
		t.Errorf("the clock stands at %s", g.clock)
	}
	all := g.All()
	if len(all) != 2 || all[0].Counts.Alerts != 3 || !all[0].LastSeen.Equal(stamp.Add(time.Hour)) || all[1].Window.Start.Unix() != 0 {
		t.Errorf("%+v", all)
	}
}

// A foreign producer with any number of accounts and times cannot exceed the bounds.
func TestBoundOfIncidents(t *testing.T) {
	g := New(Options{Settings: settings(), Budget: &Budget{MaxIncidents: 100}, Durable: true})
	const n = 5_000
	for i := range n {
		g.Add(fact(i, day.AddDate(0, 0, -i%700), func(f *alert.Facts) { f.Account = fmt.Sprint(i % 90); f.Actor = fmt.Sprint(i) }), day)
	}
	for i := range n {
		g.Add(fact(n+i, day, func(f *alert.Facts) { f.Account = fmt.Sprint("account ", i) }), day)
	}
	if incidents, _ := g.Size(); incidents > 126 {
		t.Errorf("%d incidents", incidents)
	}
	if len(g.accounts) > 126 {
		t.Errorf("%d accounts", len(g.accounts))
	}
	var sum uint64
	for _, i := range g.All() {
		sum += i.Counts.Alerts
	}
	if c := g.Counts(); sum != 2*n || c.Counted != 2*n {
		t.Errorf("%d alerts in incidents, %+v", sum, c)
	}
}

// Beyond the bound of ids an incident estimates, says so, and goes on after a restore.
func TestEstimate(t *testing.T) {
	o := Options{Settings: settings(), ExactIDs: 10_000, Durable: true}
	g, state := New(o), topic{}
	for n := range 60_000 {
		g.Add(fact(n, day), day)
		if n%7_000 == 0 {
			g.Flush()
			state.write(g.State())
			g = state.restore(t, o)
		}
	}
	i := g.All()[0]
	if c := i.Counts; !c.Estimate || math.Abs(float64(c.Alerts)-60_000) > 1_500 {
		t.Errorf("%+v", c)
	}
	if _, ids := g.Size(); ids != 0 {
		t.Errorf("%d ids are remembered", ids)
	}
	for n := range 60_000 {
		g.Add(fact(n, day), day)
	}
	if again := g.All()[0].Counts; math.Abs(float64(again.Alerts)-60_000) > 1_500 {
		t.Errorf("repeats change the estimate from %d to %d", i.Counts.Alerts, again.Alerts)
	}
	g.Flush()
	state.write(g.State())
	for key := range state {
		if key[0] == stateChunk {
			t.Fatal("a chunk is left")
		}
	}
	for _, days := range []int{2, 4} { // it closes, and is forgotten
		g.Advance(day.AddDate(0, 0, days))
	}
	if len(g.entries) > 0 {
		t.Errorf("%d are left", len(g.entries))
	}
	addsUp(t, g)
}

// Any number of names costs a bounded amount of memory.
func TestBoundOfNames(t *testing.T) {
	g := New(Options{Settings: settings()})
	for n := range 3_000 {
		g.Add(fact(n, day, func(f *alert.Facts) {
			f.Action, f.Agent, f.Address = fmt.Sprint("Action", n, strings.Repeat("x", maxDetail)), strings.Repeat("é", n), fmt.Sprint(n)
		}), day)
	}
	var e *entry
	for _, e = range g.entries {
	}
	if len(e.actions.list) != maxActions || len(e.agents.list) != maxAgents || len(e.sources.list) != maxSources || len(e.escalations) > incident.MaxEscalations {
		t.Errorf("%d actions, %d agents, %d sources", len(e.actions.list), len(e.agents.list), len(e.sources.list))
	}
	if c := e.counts(); c.Actions != maxActions || !c.MoreActions {
		t.Errorf("%+v", c)
	}
	if len(e.escalations) == 0 || slices.ContainsFunc(e.escalations, func(x escalation) bool { return len(x.detail) > maxDetail }) {
		t.Errorf("escalations %.1000s", fmt.Sprint(e.escalations))
	}
}

func TestRestoreFailure(t *testing.T) {
	o := Options{Settings: settings(), Durable: true}
	g, state := New(o), topic{}
	for n := range 1_500 {
		g.Add(fact(n, day), day)
	}
	g.Flush()
	state.write(g.State())
	f := func(what, text string, spoil func(key string, value []byte) []byte) {
		t.Helper()
		r := NewRestorer(o)
		for key, value := range state {
			if value = spoil(key, value); value == nil {
				continue
			}
			if err := r.Record([]byte(key), value); err != nil {
				if got := err.Error(); !strings.Contains(got, text) || strings.Contains(got, "\n") {
					t.Errorf("%s: %s", what, got)
				}
				return
			}
		}
		if _, err := r.Finish(); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v", what, err)
		}
	}
	of := func(kind byte, change func([]byte) []byte) func(string, []byte) []byte {
		return func(key string, value []byte) []byte {
			if key[0] == kind {
				return change(value)
			}
			return value
		}
	}
	gone := func([]byte) []byte { return nil }
	f("no chunk", "inconsistent", of(stateChunk, gone))
	f("no account", "inconsistent", of(stateAccount, gone))
	f("half a chunk", "inconsistent", of(stateChunk, func(v []byte) []byte { return v[:len(v)-16] }))
	f("half an id", "alert ids", of(stateChunk, func(v []byte) []byte { return v[:len(v)-1] }))
	f("half an incident", "damaged", of(stateEntry, func(v []byte) []byte { return v[:len(v)/2] }))
	f("another version", "version 2, this program reads version 1", of(stateEntry, func(v []byte) []byte {
		return append([]byte{2}, v[1:]...)
	}))
	f("more than an incident", "damaged", of(stateEntry, func(v []byte) []byte { return append(bytes.Clone(v), 0) }))
	f("another incident's ids", "inconsistent", of(stateChunk, func(v []byte) []byte { return bytes.Repeat(v[:16], len(v)/16) }))
	f("no incident", "inconsistent", of(stateEntry, gone))
	f("no window", "damaged", of(stateAccount, func([]byte) []byte { return schedule{{}}.encode() }))
	f("no schedule", "damaged", of(stateAccount, func([]byte) []byte { return schedule{}.encode() }))
	for _, key := range []string{"", "x", "i123", "z0123456789abcdef"} {
		if err := NewRestorer(o).Record([]byte(key), []byte("{}")); err == nil {
			t.Errorf("key %q: no error", key)
		}
	}
}

// A deleted incident leaves no alert ids behind: its record goes after them, so ids that are still there are of one that was
// lost.
//
// Guard: hasIDs in dropEntry.
func TestRestoreDeletedIncident(t *testing.T) {
	id, ids := alertID(1), make([]byte, 16)
	f := func(ok bool, records ...StateRecord) {
		t.Helper()
		r := NewRestorer(Options{Settings: settings(), Durable: true})
		var err error
		for _, record := range records {
			err = errors.Join(err, r.Record(record.Key, record.Value))
		}
		if (err == nil) != ok || err != nil && !errors.Is(err, errTorn) {
			t.Errorf("%q: %v", records, err)
		}
	}
	deleted := StateRecord{Key: stateKey(stateEntry, id)}
	for n := range 2 {
		key := chunkKey(id, n)
		f(true, StateRecord{key, ids}, StateRecord{Key: key}, deleted)
		f(false, StateRecord{key, ids}, deleted)
	}
	f(true, StateRecord{Key: stateKey(stateSketch, id)}, deleted)
	set := idSet{last: bytes.Repeat(ids, smallSet+1)}
	many := StateRecord{chunkKey(id, 0), set.chunk(0)}
	set.estimate()
	sketch, err := set.sketch.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	f(false, StateRecord{stateKey(stateSketch, id), sketch}, deleted)
	r := NewRestorer(Options{Settings: settings(), Durable: true, Budget: &Budget{MaxIDs: 1}}) // what is read becomes an estimate
	if err := errors.Join(r.Record(many.Key, many.Value), r.Record(deleted.Key, nil)); len(r.estimates) != 1 || !errors.Is(err, errTorn) {
		t.Errorf("%d estimates, %v", len(r.estimates), err)
	}
}

// An incident that is forgotten below its threshold comes back under the same id, and is restored as it came back.
//
// Guards: what drop forgets; leaveAccount in leave.
func TestRestoreIncidentThatCameBack(t *testing.T) {
	o := Options{Settings: settings(func(g *policy.Incidents) { g.Threshold = 3 }), Durable: true}
	g, state := New(o), stateLog{}
	for n, days := range []int{0, 2, 4, 5} {
		now := day.AddDate(0, 0, days)
		if g.Advance(now); n == 0 || n == 3 {
			g.Add(fact(n, day), now)
		}
		g.Flush()
		state = append(state, g.State()...)
		if n == 2 && len(g.entries)+len(g.accounts) > 0 {
			t.Errorf("%d incidents and %d accounts are left", len(g.entries), len(g.accounts))
		}
		addsUp(t, state.restore(t, o))
	}
	if again := state.restore(t, o); len(again.entries) != 1 || again.Counts().Below != 1 {
		t.Errorf("%d incidents, %+v, want the one that came back", len(again.entries), again.Counts())
	}
}

// A restore that fails costs nobody their room.
//
// Guard: Release in Finish.
func TestFailedRestoreIsNotCharged(t *testing.T) {
	o := Options{Settings: settings(), Durable: true, Budget: &Budget{}}
	g, state := New(o), topic{}
	for n := range 300 {
		g.Add(fact(n, day, func(f *alert.Facts) { f.Actor = fmt.Sprint(n) }), day)
	}
	g.Flush()
	state.write(g.State())
	g.Release()
	for key := range state {
		if key[0] == stateChunk {
			delete(state, key) // of one incident: others may be restored before it
			break
		}
	}
	r := NewRestorer(o)
	for key, value := range state {
		if err := r.Record([]byte(key), value); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Finish(); !errors.Is(err, errTorn) {
		t.Errorf("%v, want %v", err, errTorn)
	}
	if o.Budget.charged() != 0 {
		t.Errorf("%d bytes are charged", o.Budget.charged())
	}
}
