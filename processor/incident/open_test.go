package incident

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/incident"
)

// Open has the first of the open incidents in the order of Compare, however many there are. What is closed, or below its
// threshold, is none.
//
// Guards: isOpen, the bounds in Open, each comparison of compareEntries.
func TestOpen(t *testing.T) {
	g := New(Options{Settings: settings(func(g *policy.Incidents) { g.Threshold = 2 })})
	run(g, day, fact(1, day), fact(2, day))
	g.Advance(day.AddDate(0, 0, 2)) // it closes
	r, now := rand.New(rand.NewPCG(8, 8)), day.AddDate(0, 0, 2)
	for n := range 60 {
		for k := range 1 + n%4 { // a quarter of them are below
			run(g, now, fact(1_000*(n+1)+k, now, func(f *alert.Facts) {
				f.Actor, f.Severity, f.Failed = fmt.Sprint(n), alert.Severities[r.IntN(2)+2], r.IntN(2) == 0
			}))
		}
	}
	var want []string
	for _, i := range g.All() {
		if i.Status == incident.StatusOpen {
			want = append(want, i.ID)
		}
	}
	if len(want) != 45 {
		t.Fatalf("%d open, want 45", len(want))
	}
	for _, n := range []int{-1, 0, 1, 2, 44, 45, 46, 100} {
		var got []string
		for _, i := range g.Open(n) {
			got = append(got, i.ID)
		}
		if !slices.Equal(got, want[:max(0, min(n, len(want)))]) {
			t.Errorf("the first %d: %q, want %q", n, got, want)
		}
	}
	ids := 2 + 15*(1+2+3+4)
	if got := g.Sizes(); got != (Sizes{Open: 45, Remembered: 61, IDs: ids}) {
		t.Errorf("%+v", got)
	}
}

// Sizes and counts of several Groupers add up, each to its own.
func TestAdd(t *testing.T) {
	sizes := Sizes{Open: 1, Storms: 2, Remembered: 3, IDs: 4, Estimates: 5}
	if sizes.Add(sizes); sizes != (Sizes{Open: 2, Storms: 4, Remembered: 6, IDs: 8, Estimates: 10}) {
		t.Errorf("%+v", sizes)
	}
	counts := Counts{Read: 1, Counted: 2, Repeated: 3, Below: 4, Late: 5}
	if counts.Add(counts); counts != (Counts{Read: 2, Counted: 4, Repeated: 6, Below: 8, Late: 10}) {
		t.Errorf("%+v", counts)
	}
}

// Storms and estimates have their sizes.
func TestSizes(t *testing.T) {
	g := New(Options{Settings: settings(), MaxPerWindow: 2, ExactIDs: 3})
	for n := range 9 {
		g.Add(fact(n, day, func(f *alert.Facts) { f.Actor = fmt.Sprint(min(n, 5)) }), day) // two incidents, and a storm of seven
	}
	if got := g.Sizes(); got != (Sizes{Open: 3, Storms: 1, Remembered: 3, IDs: 2, Estimates: 1}) {
		t.Errorf("%+v", got)
	}
	if incidents, ids := g.Size(); incidents != 3 || ids != 2 {
		t.Errorf("%d incidents, %d ids", incidents, ids)
	}
}

// Two incidents are ordered by severity, success, alerts, age and id, in this order, encoded or not.
//
// Guards: each comparison of Compare and compareEntries.
func TestCompare(t *testing.T) {
	first := entry{record: record{severity: 3, alerts: 9, failed: 8, firstSeen: 100}, id: alertID(1), account: &account{id: "1"}}
	for name, change := range map[string]func(e *entry){
		"severity": func(e *entry) { e.severity, e.alerts, e.firstSeen = 2, 90, 1 },
		"success":  func(e *entry) { e.alerts, e.failed, e.firstSeen = 90, 90, 1 },
		"alerts":   func(e *entry) { e.alerts, e.firstSeen = 8, 1; e.failed = 7 },
		"age":      func(e *entry) { e.firstSeen, e.id = 101, alertID(0) },
		"id":       func(e *entry) { e.id = alertID(2) },
	} {
		second := first
		change(&second)
		if compareEntries(&first, &second) >= 0 || compareEntries(&second, &first) <= 0 {
			t.Errorf("%s does not decide among entries", name)
		}
		if a, b := first.snapshot(), second.snapshot(); Compare(a, b) >= 0 || Compare(b, a) <= 0 {
			t.Errorf("%s does not decide among incidents", name)
		}
	}
}
