package incident

import (
	"fmt"
	"testing"
	"time"

	"github.com/regionwatch/regionwatch/schema/alert"
)

// When a window ends, everything in it is due at once. It is written in steps, and all of it in the end.
//
// Guard: maxDue in Advance.
func TestManyDueAtOnce(t *testing.T) {
	const n = 2*maxDue + 100
	g := New(Options{Settings: settings(), Durable: true})
	at := day.Add(10 * time.Hour)
	for i := range n {
		g.Add(fact(i, at, func(f *alert.Facts) { f.Account = fmt.Sprintf("%012d", i) }), at)
	}
	g.Flush()
	g.State()
	closed := 0
	for i := range 4 {
		g.Advance(day.Add(26*time.Hour + time.Duration(i)*time.Second))
		list := g.Flush()
		g.State()
		if closed += len(list); len(list) > maxDue {
			t.Errorf("%d incidents in one step", len(list))
		}
	}
	if closed != n {
		t.Errorf("%d closed, want %d", closed, n)
	}
	for i := range 4 {
		g.Advance(day.Add(72*time.Hour + time.Duration(i)*time.Second))
		g.Flush()
		if dropped := len(g.State()); dropped > 5*maxDue {
			t.Errorf("%d state records in one step", dropped)
		}
	}
	if left, _ := g.Size(); left != 0 {
		t.Errorf("%d incidents are not forgotten", left)
	}
}

// Partitions share what they may act on at once, and each acts on a few.
//
// Guards: due of Budget in mayAct; that Flush and release give it back; fewDue.
func TestManyDueInManyPartitions(t *testing.T) {
	const partitions, each = 10, maxDue
	budget, at := &Budget{}, day.Add(10*time.Hour)
	var all []*Grouper
	for p := range int32(partitions) {
		g := New(Options{Settings: settings(), Durable: true, Partition: p, Budget: budget})
		for i := range each {
			g.Add(fact(i, at, func(f *alert.Facts) { f.Account = fmt.Sprintf("%d-%d", p, i) }), at)
		}
		g.Flush()
		g.State()
		all = append(all, g)
	}
	closed := 0
	for step := range 3 {
		for _, g := range all {
			g.Advance(day.Add(26*time.Hour + time.Duration(step)*time.Second))
		}
		n := 0
		for _, g := range all {
			list := g.Flush()
			g.State()
			if n += len(list); step == 0 && len(list) < fewDue {
				t.Errorf("only %d incidents of a partition are closed", len(list))
			}
		}
		if closed += n; n > maxDueOfAll+partitions*fewDue {
			t.Errorf("%d incidents at once", n)
		}
	}
	if closed != partitions*each || budget.due.Load() != 0 {
		t.Errorf("%d closed, want %d; %d due", closed, partitions*each, budget.due.Load())
	}
	all[0].Advance(day.Add(72 * time.Hour))
	due := budget.due.Load()
	if all[0].Release(); due == 0 || budget.due.Load() != 0 {
		t.Errorf("%d due, and %d after a partition has gone without a flush", due, budget.due.Load())
	}
}
