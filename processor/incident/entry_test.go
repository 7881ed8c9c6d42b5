package incident

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/incident"
)

// Counts, times and lists of an incident are those of its alerts, each in its place.
//
// Guards: each line of count and make.
func TestCounted(t *testing.T) {
	g := New(Options{Settings: settings()})
	for n := range 9 {
		g.Add(fact(n, day.Add(time.Duration(5-n)*time.Minute+time.Hour), func(f *alert.Facts) {
			f.Failed, f.Partial, f.Salvaged = n%2 == 0, n%3 == 0, n%4 == 1
			f.Address, f.Agent, f.Principal.Name = "192.0.2.2", "terraform", strings.Repeat("x", maxName+1)
		}), day.Add(2*time.Hour))
	}
	i := g.All()[0]
	want := incident.Counts{Alerts: 9, Failed: 5, Succeeded: 4, Partial: 3, Salvaged: 2, Actions: 1}
	if i.Counts != want || !i.FirstSeen.Equal(day.Add(57*time.Minute)) || !i.LastSeen.Equal(day.Add(65*time.Minute)) {
		t.Errorf("%+v from %s to %s", i.Counts, i.FirstSeen, i.LastSeen)
	}
	for name, list := range map[string][]incident.Count{"ec2.amazonaws.com RunInstances": i.Actions, "192.0.2.2": i.Sources, "terraform": i.Agents} {
		if !slices.Equal(list, []incident.Count{{Name: name, Alerts: 9, Succeeded: 4, Severity: "High"}}) {
			t.Errorf("%s: %+v", name, list)
		}
	}
	if p := i.Principal; p.ID != fact(1, day).Actor || p.Type != "AssumedRole" || p.Name != strings.Repeat("x", maxName) {
		t.Errorf("%+v", p)
	}
}

// Failures, damaged events and what was salvaged shrink with an estimate.
func TestEstimatedCounts(t *testing.T) {
	e := entry{record: record{alerts: 2_000, failed: 1_000, partial: 401, salvaged: 4}, account: &account{}}
	for n := range 1_000 {
		id := alertID(n)
		e.ids.add(&id)
	}
	e.ids.estimate()
	c := e.counts()
	half := func(n uint64) uint64 { return uint64(float64(n)*float64(c.Alerts)/2_000 + 0.5) }
	if want := (incident.Counts{Alerts: c.Alerts, Estimate: true, Failed: half(1_000), Succeeded: c.Alerts - half(1_000), Partial: half(401), Salvaged: half(4)}); c != want {
		t.Errorf("%+v, want %+v", c, want)
	}
	if c.Alerts < 950 || c.Alerts > 1_050 || c.Salvaged != 2 { // a little less is rounded up
		t.Errorf("%+v", c)
	}
	if e.alerts, e.failed = 10, 10; e.counts().Alerts != 10 {
		t.Errorf("%d, more than there were", e.counts().Alerts)
	}
}

// What the policy knows of an account is as long as it may be, and none is remembered without room.
//
// Guards: maxFacts and hasDetail in know.
func TestFacts(t *testing.T) {
	f := func(name string, length int, budget *Budget, kept bool) {
		t.Helper()
		g := New(Options{Settings: settings(), Budget: budget})
		text := strings.Repeat("x", length)
		g.Add(fact(1, day, func(f *alert.Facts) { f.AccountFacts = []byte(text) }), day)
		g.Add(fact(2, day, func(f *alert.Facts) { f.AccountFacts = []byte("other") }), day)
		want := ""
		if kept {
			want = text
		} else if budget.MaxDetail == 0 {
			want = "other" // the first that there is room for
		}
		if got := string(g.All()[0].Account); got != want {
			t.Errorf("%s: facts of %d bytes, want %d", name, len(got), len(want))
		}
		chargedRight(t, g)
	}
	f("short", 1, &Budget{}, true)
	f("longest", maxFacts, &Budget{}, true)
	f("too long", maxFacts+1, &Budget{}, false)
	f("no room", 9, &Budget{MaxDetail: 1}, false)
}

// An action is a source and a name, as far as they are there.
func TestAction(t *testing.T) {
	for _, c := range [][3]string{{"ec2", "Run", "ec2 Run"}, {"", "Run", "Run"}, {"ec2", "", "ec2 "}, {"", "", "unknown"}} {
		if got := action(&alert.Facts{Source: c[0], Action: c[1]}); got != c[2] {
			t.Errorf("%q, want %q", got, c[2])
		}
	}
}

// Without room for names, lists and other regions are short, but there are some.
//
// Guards: few in most, and each use of most.
func TestShortLists(t *testing.T) {
	for budget, want := range map[*Budget]int{{MaxDetail: 1}: 5, {}: 30} {
		g := New(Options{Settings: settings(), Budget: budget})
		for n := range 30 {
			s := fmt.Sprintf("%02d", n)
			g.Add(fact(n, day, func(f *alert.Facts) { f.Action, f.Address, f.Agent = s, s, s }), day)
			g.Add(fact(100+n, day, func(f *alert.Facts) { f.Region, f.Actor = s, "wanderer" }), day)
		}
		for _, e := range g.entries {
			switch {
			case e.actor != "wanderer":
				if len(e.actions.list) != want || len(e.sources.list) != want || len(e.agents.list) != want {
					t.Errorf("%d actions, %d sources, %d agents, want %d", len(e.actions.list), len(e.sources.list), len(e.agents.list), want)
				}
			case want == 5 && len(e.otherRegions) > want, want == 30 && len(e.otherRegions) != 29, len(e.escalations) > want:
				t.Errorf("%d other regions, %d escalations", len(e.otherRegions), len(e.escalations))
			}
		}
		indexedRight(t, g)
		chargedRight(t, g)
	}
}

// An incident names so many regions and escalations, the first regions and the last escalations.
func TestMostRegions(t *testing.T) {
	g := New(Options{Settings: settings()})
	for n := range incident.MaxRegions + 15 {
		g.Add(fact(n, day, func(f *alert.Facts) { f.Region = fmt.Sprintf("region %03d", n) }), day)
		g.Add(fact(1_000+n, day, func(f *alert.Facts) { f.Region, f.Action = "region 000", fmt.Sprint("A", n) }), day)
	}
	for _, i := range g.All() {
		if i.Region != "region 000" {
			continue
		}
		if n := len(i.OtherRegions); n != incident.MaxRegions || i.OtherRegions[0] != "region 001" || i.OtherRegions[n-1] != fmt.Sprintf("region %03d", n) {
			t.Errorf("%d other regions: %q", n, i.OtherRegions)
		}
		if n := len(i.Escalations); n != incident.MaxEscalations || i.Escalations[n-1].Detail != fmt.Sprint("ec2.amazonaws.com A", incident.MaxRegions+14) {
			t.Errorf("%d escalations, the last %+v", n, i.Escalations[n-1])
		}
	}
	chargedRight(t, g)
}

// What texts and lists take is charged, each of them once. Short texts are shared.
//
// Guards: each size in entry.go, and that of an account.
func TestTextsAreCharged(t *testing.T) {
	const header = int(unsafe.Sizeof(""))
	short, long := strings.Repeat("x", longName-1), strings.Repeat("x", longName)
	list := tally{list: []named{{name: "abc"}}}
	for name, c := range map[string]struct {
		e    record
		want int
	}{
		"nothing":      {record{}, 0},
		"actor":        {record{actor: short}, len(short)},
		"its name":     {record{actorName: "abc"}, 3},
		"short texts":  {record{rule: short, region: short, actorType: short}, 0},
		"rule":         {record{rule: long}, len(long)},
		"region":       {record{region: long}, len(long)},
		"type":         {record{actorType: long}, len(long)},
		"regions":      {record{otherRegions: []string{short, long}}, 2*header + len(long)},
		"actions":      {record{actions: list}, namedSize + 3},
		"sources":      {record{sources: list}, namedSize + 3},
		"agents":       {record{agents: list}, namedSize + 3},
		"escalations":  {record{escalations: []escalation{{detail: "abc"}, {}}}, 2*escalationSize + 3},
		"crowd":        {record{crowd: &crowd{list, list}}, 2*namedSize + 6},
		"all together": {record{actor: "a", actorName: "b", rule: long, otherRegions: []string{"c"}, actions: list, escalations: []escalation{{}}}, 2 + len(long) + header + namedSize + 3 + escalationSize},
	} {
		e := entry{record: c.e}
		if got := e.size(); got != c.want {
			t.Errorf("%s: %d bytes, want %d", name, got, c.want)
		}
	}
	if got := (&account{id: "abc"}).size(); got != accountBytes+3 {
		t.Errorf("an account: %d bytes, want %d", got, accountBytes+3)
	}
}

// When an entry is due: at its end, at the end of its grace, at its next update, or long ago if its threshold was lowered.
//
// Guards: each line of nextDue and closeAt.
func TestNextDue(t *testing.T) {
	g := policy.DefaultIncidents
	end := day.AddDate(0, 0, 1)
	early, late := instantOf(day.Add(time.Hour)), instantOf(end.Add(time.Hour))
	quiet := late.add(g.Quiet)
	for name, c := range map[string]struct {
		e    record
		want instant
	}{
		"open":             {record{created: true, lastArrival: early}, instantOf(end)},
		"open, not quiet":  {record{created: true, lastArrival: late}, quiet},
		"late":             {record{created: true, kind: kindLate, lastArrival: early}, early.add(g.Quiet)},
		"unsent":           {record{created: true, lastArrival: early, unsent: true, sent: early}, early.add(g.Update)},
		"unsent, long due": {record{created: true, lastArrival: late, unsent: true, sent: quiet}, quiet},
		"closed":           {record{created: true, lastArrival: early, closedAt: late}, late.add(g.Grace)},
		"closed, unsent":   {record{created: true, lastArrival: early, closedAt: late, unsent: true, sent: late}, late.add(g.Update)},
		"below":            {record{lastArrival: early, unsent: true}, instantOf(end)},
		"lowered":          {record{lastArrival: early, alerts: g.Threshold}, 1},
		"below, closed":    {record{lastArrival: early, closedAt: late}, late.add(g.Grace)},
	} {
		c.e.end = end.Unix()
		e := entry{record: c.e}
		if got := e.nextDue(&g); got != c.want {
			t.Errorf("%s: %s, want %s", name, got.time(), c.want.time())
		}
	}
}

// A threshold counts alerts or kinds of actions. Storms and late incidents have none.
func TestReached(t *testing.T) {
	three := policy.Incidents{Threshold: 3}
	byAction := policy.Incidents{Threshold: 3, ByAction: true}
	for name, c := range map[string]struct {
		e    record
		g    policy.Incidents
		want bool
	}{
		"two alerts":      {record{alerts: 2}, three, false},
		"three":           {record{alerts: 3}, three, true},
		"two actions":     {record{alerts: 9, actions: tally{list: make([]named, 2)}}, byAction, false},
		"three actions":   {record{actions: tally{list: make([]named, 3)}}, byAction, true},
		"more than known": {record{actions: tally{list: make([]named, 1), more: true}}, byAction, true},
		"storm":           {record{kind: kindStorm}, three, true},
		"late":            {record{kind: kindLate}, byAction, true},
	} {
		e := entry{record: c.e}
		if e.reached(&c.g) != c.want {
			t.Errorf("%s: %t", name, !c.want)
		}
	}
}
