package incident

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/incident"
)

// Every reason to hurry applies to incidents and storms alike, at once. What is none waits.
//
// Guards: each because in escalate, escalateStorm and linkRegions.
func TestEscalations(t *testing.T) {
	decoy := func(f *alert.Facts) { f.Actor = "decoy" }
	f := func(kind string, o Options, prepare ...*alert.Facts) {
		t.Helper()
		g := New(o)
		want := func(what, wanted string, list ...*alert.Facts) {
			t.Helper()
			if got := run(g, day, list...); !strings.Contains(got, wanted) || wanted == "" && got != "" {
				t.Errorf("%s, %s: wrote %q, want %q", kind, what, got, wanted)
			}
		}
		run(g, day, prepare...)
		want("created", "Create 1", fact(1, day, failed, decoy))
		want("nothing new", "", fact(2, day, failed, decoy))
		want("success after failures", "Update 3 first-success", fact(3, day, decoy))
		want("another success", "", fact(4, day, decoy))
		want("new kind of action", "Update 5 new-action", fact(5, day, decoy, other))
		want("that action again", "", fact(6, day, decoy, other))
		want("more", "", fact(7, day, decoy), fact(8, day, decoy), fact(9, day, decoy))
		want("count", "Update 10 count", fact(10, day, decoy))
		switch kind {
		case incident.KindStorm:
			want("Critical already", "", fact(11, day, decoy, critical))
			want("new region", "Update 12 new-region", fact(12, day, decoy, failed, elsewhere))
			want("success there", "Update 13 first-success", fact(13, day, decoy, elsewhere))
		default:
			want("severity", "Update 11 severity", fact(11, day, decoy, critical))
			want("lower", "", fact(12, day, decoy))
			want("second region", "Update 12 new-region, Create 1", fact(13, day, decoy, elsewhere))
		}
		for n := range 100 {
			g.Add(fact(100+n, day, decoy), day)
		}
		want("count", "count")
	}
	f(incident.KindIncident, Options{Settings: settings()})
	f(incident.KindStorm, Options{Settings: settings(), MaxPerWindow: 1}, fact(0, day))
}

// An incident learns that its principal is in another region although the alerts from there are in a storm.
//
// Guard: escalatePrincipal.
func TestRegionInAStorm(t *testing.T) {
	g := New(Options{Settings: settings(), MaxPerWindow: 1})
	want(t, "first", run(g, day, fact(1, day)), "Create 1")
	want(t, "a storm", run(g, day, fact(2, day, elsewhere, func(f *alert.Facts) { f.Actor = "decoy" })), "Create 1")
	want(t, "the principal in it", run(g, day, fact(3, day, elsewhere)), "Update 1 new-region")
	want(t, "again", run(g, day, fact(4, day, elsewhere)), "")
	run(g, day, fact(5, day, func(f *alert.Facts) { f.Region = "sa-east-1" }))
	for _, i := range g.All() {
		if i.Kind == incident.KindIncident && !slices.Equal(i.OtherRegions, []string{"ap-east-1", "sa-east-1"}) {
			t.Errorf("other regions %q", i.OtherRegions)
		}
	}
}

// With no memory left for names, a storm still has every region.
//
// Guard: MaxRegions in escalateStorm.
func TestStormHasEveryRegion(t *testing.T) {
	g := New(Options{Settings: settings(), MaxPerWindow: 1, Budget: &Budget{MaxDetail: 1}})
	run(g, day, fact(1, day), fact(2, day, func(f *alert.Facts) { f.Actor = "decoy" }))
	for n := range incident.MaxRegions - 1 {
		in := func(f *alert.Facts) { f.Actor, f.Region = "decoy", fmt.Sprint("region ", n) }
		want(t, "another region", run(g, day, fact(10+n, day, in, failed)), fmt.Sprintf("Update %d new-region", n+2))
	}
}
