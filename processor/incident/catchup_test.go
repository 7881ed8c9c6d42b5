package incident

import (
	"testing"
	"time"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/incident"
)

// Catching up may begin, escalate and end an incident within one transaction. All of it is written: readers page for Create
// and for escalations, not for Close.
//
// Guard: hurry in act.
func TestBeginsAndEndsAtOnce(t *testing.T) {
	for _, durable := range []bool{false, true} {
		g := New(Options{Settings: settings(), Durable: durable})
		later := day.AddDate(0, 0, 3)
		g.Add(fact(1, day), day)
		want(t, "days at once", run(g, later, fact(2, later)), "Create 1, Close 1, Create 1")
		g.Add(fact(3, later, critical), later)
		after := later.AddDate(0, 0, 2)
		g.Add(fact(4, after), after)
		list := g.Flush()
		want(t, "an escalation and the end", written(list), "Update 2 severity, Close 2 severity, Create 1")
		if list[0].Revision != 2 || list[0].Status != incident.StatusOpen || list[1].Revision != 3 || list[1].Status != incident.StatusClosed {
			t.Errorf("%+v", list[:2])
		}
	}
}

// An incident that reaches its threshold after the window was over and quiet is open, until it is quiet again.
//
// Guard: closedAt in create.
func TestThresholdReachedInGrace(t *testing.T) {
	g := New(Options{Settings: settings(func(g *policy.Incidents) { g.Threshold = 2 })})
	want(t, "below", run(g, day, fact(1, day)), "")
	late := day.Add(30 * time.Hour)
	want(t, "quiet", run(g, late), "")
	g.Add(fact(2, day), late)
	if list := g.Flush(); written(list) != "Create 2" || list[0].Status != incident.StatusOpen {
		t.Errorf("%+v", list)
	}
	want(t, "not quiet yet", run(g, late.Add(time.Hour)), "")
	want(t, "quiet again", run(g, late.Add(time.Hour+1)), "Close 2")
	want(t, "its grace", run(g, late.Add(25*time.Hour), fact(3, day)), "Update 3")
}

// Continues is the same in any order.
func TestContinuesBackward(t *testing.T) {
	g := New(Options{Settings: settings()})
	g.Add(fact(1, day.AddDate(0, 0, 1)), day.AddDate(0, 0, 1))
	g.Flush()
	g.Add(fact(2, day), day.AddDate(0, 0, 1))
	list := g.All()
	if list[0].Window.Start.After(list[1].Window.Start) {
		list[0], list[1] = list[1], list[0]
	}
	if list[1].Continues != list[0].ID || list[0].Continues != "" {
		t.Errorf("%+v", list)
	}
	g.Flush()
	g.Advance(day.AddDate(0, 0, 1).Add(policy.DefaultIncidents.Update + 1))
	if told := g.Flush(); len(told) != 1 || told[0].ID != list[1].ID || told[0].Continues != list[0].ID {
		t.Errorf("told %+v, want what the younger one continues", told)
	}
}
