package incident

import (
	"testing"

	"github.com/google/uuid"

	"github.com/regionwatch/regionwatch/schema/incident"
)

// A late incident belongs to the one that it is late for, and is part of no chain: it continues nothing.
//
// Guard: kindLate in link.
func TestLateContinuesNothing(t *testing.T) {
	g := New(Options{Settings: settings()})
	g.Add(fact(1, day.AddDate(0, 0, -1)), day)
	g.Add(fact(2, day), day)
	for _, after := range []int{7, 9} { // both close, and are forgotten
		g.Advance(day.AddDate(0, 0, after))
		g.Flush()
	}
	now := day.AddDate(0, 0, 10)
	g.Add(fact(3, day), now)
	if list := g.Flush(); len(list) != 1 || list[0].Kind != incident.KindLate || list[0].Continues != "" {
		t.Errorf("%+v", list)
	}
}

// The end of a late incident leaves no trace once the one that it was late for is forgotten.
//
// Guard: has in remember.
func TestEndOfLateForForgotten(t *testing.T) {
	g := New(Options{Settings: settings()})
	e := &entry{id: uuid.New()}
	e.kind, e.lateFor = kindLate, uuid.New()
	g.remember(e)
	if len(g.gone.ended) > 0 {
		t.Errorf("%v", g.gone.ended)
	}
}

// An alert that is late and finds no room overflows like any other.
//
// Guard: exhausted in late.
func TestLateOverflow(t *testing.T) {
	budget := &Budget{MaxIncidents: 1}
	g := New(Options{Settings: settings(), Budget: budget})
	g.Add(fact(1, day), day)
	for _, after := range []int{2, 4} { // it closes, and is forgotten
		g.Advance(day.AddDate(0, 0, after))
		g.Flush()
	}
	defer exhaust(budget).Release()
	g.Add(fact(2, day), day.AddDate(0, 0, 5))
	if all := g.All(); len(all) != 1 || all[0].Kind != incident.KindStorm {
		t.Errorf("%+v", all)
	}
}
