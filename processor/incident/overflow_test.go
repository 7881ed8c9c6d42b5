package incident

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/incident"
)

func unnamed(f *alert.Facts) { f.Account = "" }

// exhaust leaves no room in a budget of one incident, not even for storms.
func exhaust(budget *Budget) *Grouper {
	other := New(Options{Settings: settings(), Budget: budget})
	other.Add(fact(1, day), day)
	other.Add(fact(2, day, elsewhere, unnamed), day)
	return other
}

// What an alert had no room for counts once, even if there is room when it comes again.
func TestOverflowIsFoundAgain(t *testing.T) {
	o := Options{Settings: settings(), Durable: true, Budget: &Budget{MaxIncidents: 1}}
	other := exhaust(o.Budget)
	g, state := New(o), topic{}
	g.Add(fact(3, day), day)
	if all := g.All(); len(all) != 1 || all[0].Kind != incident.KindStorm || all[0].AccountID != "" || len(g.accounts) != 1 {
		t.Fatalf("%+v, %d accounts", all, len(g.accounts))
	}
	g.Flush()
	written := g.State()
	if slices.ContainsFunc(written, func(r StateRecord) bool { return bytes.Equal(r.Key, accountKey("111122223333")) }) {
		t.Error("each alert that overflows writes an account and drops it again")
	}
	state.write(written)
	g.Release()
	other.Release()
	g = state.restore(t, o)
	g.Add(fact(3, day), day)
	g.Add(fact(4, day), day)
	if c := g.Counts(); c != (Counts{Read: 3, Counted: 2, Repeated: 1}) {
		t.Errorf("%+v", c)
	}
}

// The storm of alerts that nothing has room for is another one than that of alerts without an account, although both begin
// at midnight. What has an account of its own, or none, never joins it once there is room.
//
// Guard: Overflow in the key, and inWindow.
func TestOverflowIsNoStormOfAnAccount(t *testing.T) {
	hourly := settings(func(g *policy.Incidents) { g.Window = time.Hour })
	budget := &Budget{MaxIncidents: 1}
	g := New(Options{Partition: 7, Settings: hourly, Durable: true, Budget: budget})
	g.Add(fact(1, day), day)
	g.Add(fact(2, day, unnamed), day)                                          // a storm: there is room for no more incidents
	g.Add(fact(3, day, func(f *alert.Facts) { f.Account = "x" }), day)         // no room for another storm
	g.Add(fact(4, day, unnamed, elsewhere), day)                               // has a storm
	g.Add(fact(5, day.Add(time.Hour), unnamed, elsewhere), day.Add(time.Hour)) // has none
	spans := map[string]uint64{}
	for _, i := range g.All() {
		if i.Kind == incident.KindStorm {
			spans[i.Window.End.Sub(i.Window.Start).String()] = i.Counts.Alerts
		}
	}
	if len(g.All()) != 3 || spans["1h0m0s"] != 2 || spans["24h0m0s"] != 2 {
		t.Errorf("%v of %d incidents", spans, len(g.All()))
	}
	budget.MaxIncidents = 100
	g.Add(fact(6, day.Add(time.Hour), unnamed, elsewhere), day.Add(time.Hour))
	if all := g.All(); len(all) != 4 {
		t.Errorf("with room, an alert without an account makes no incident: %d", len(all))
	}
	addsUp(t, g)
}

// The id of an overflow storm whose grace is over is not used again, even if the clock stands before its end.
//
// Guard: the loop over gone in overflow.
func TestOverflowAfterItsEnd(t *testing.T) {
	o := Options{Settings: settings(), Durable: true, Budget: &Budget{MaxIncidents: 1}}
	other := exhaust(o.Budget)
	g, state := New(o), topic{}
	g.Add(fact(3, day), day)
	first := g.Flush()[0]
	for _, after := range []int{2, 4} { // it closes, and is forgotten
		g.Advance(day.AddDate(0, 0, after))
		g.Flush()
	}
	if len(g.overflows) > 0 {
		t.Errorf("%d storms would take alerts that come again", len(g.overflows))
	}
	state.write(g.State())
	g.Release()
	if g = state.restore(t, o); len(g.entries) != 0 || !g.gone.has(uuid.MustParse(first.ID)) {
		t.Fatalf("%d entries", len(g.entries))
	}
	g.Add(fact(4, day), day)
	second := g.Flush()[0]
	if first.ID == second.ID || second.Kind != incident.KindStorm {
		t.Errorf("%s %s %s", first.ID, second.ID, second.Kind)
	}
	other.Release()
}

// An overflow storm continues that of the day before, whatever the windows of accounts are.
func TestOverflowContinues(t *testing.T) {
	hourly := settings(func(g *policy.Incidents) { g.Window = time.Hour })
	o := Options{Settings: hourly, Durable: true, Budget: &Budget{MaxIncidents: 1}}
	defer exhaust(o.Budget).Release()
	g := New(o)
	g.Add(fact(3, day), day)
	g.Add(fact(4, day.AddDate(0, 0, 1)), day.AddDate(0, 0, 1))
	list := g.Flush()
	if last := list[len(list)-1]; last.Continues != list[0].ID {
		t.Errorf("it continues %q, want %s", last.Continues, list[0].ID)
	}
}
