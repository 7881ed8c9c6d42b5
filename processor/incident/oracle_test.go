package incident

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/alert"
)

// topic is a compacted topic: the last record of each key.
type topic map[string][]byte

func (t topic) write(records []StateRecord) {
	for _, r := range records {
		if t[string(r.Key)] = r.Value; r.Value == nil {
			delete(t, string(r.Key))
		}
	}
}

func (t topic) restore(tb testing.TB, o Options) *Grouper {
	tb.Helper()
	r := NewRestorer(o)
	for key, value := range t {
		if err := r.Record([]byte(key), value); err != nil {
			tb.Fatal(err)
		}
	}
	g, err := r.Finish()
	if err != nil {
		tb.Fatal(err)
	}
	return g
}

// Any order, with duplicates and replays, gives the incidents, members and counts of the oracle.
func TestAnyOrderGivesTheSameIncidents(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 1))
		list := traffic(r, 400)
		want := truth(list, 24*time.Hour)
		all := slices.Concat(list, list[:100], list[200:])
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		g := New(Options{Partition: 7, Settings: settings()})
		clock := day.AddDate(0, 0, 3)
		for _, f := range all {
			clock = clock.Add(time.Second)
			g.Add(f, clock)
			if r.IntN(10) == 0 {
				g.Flush()
			}
		}
		same(t, g, want, len(list))
	}
}

// A crash at any moment after a commit, with whatever was read since then read again, changes nothing.
func TestAnyCrashGivesTheSameIncidents(t *testing.T) {
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 2))
		list := traffic(r, 800)
		want := truth(list, time.Hour*24)
		o := Options{Partition: 7, Settings: settings(), Durable: true}
		g, state, committed := New(o), topic{}, 0
		clock := day.AddDate(0, 0, 3)
		for i := 0; i < len(list); i++ {
			clock = clock.Add(time.Second)
			g.Add(list[i], clock)
			switch r.IntN(40) {
			case 0:
				g.Flush()
				state.write(g.State())
				committed = i + 1
			case 1:
				g, i = state.restore(t, o), committed-1
			}
		}
		same(t, g, want, len(list))
		g.Flush()
		state.write(g.State())
		same(t, state.restore(t, o), want, len(list))
	}
}

// What a restored Grouper writes from then on is what the other one writes.
func TestRestoredGoesOnTheSame(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	list := traffic(r, 2_000)
	o := Options{Partition: 7, Settings: settings(func(g *policy.Incidents) { g.Threshold = 3; g.Window = time.Hour }), Durable: true}
	g, state := New(o), topic{}
	clock := day.AddDate(0, 0, 3)
	step := func(g *Grouper, f *alert.Facts) string {
		g.Add(f, clock)
		return written(g.Flush())
	}
	for _, f := range list[:1_000] {
		clock = clock.Add(20 * time.Second)
		step(g, f)
	}
	state.write(g.State())
	other := state.restore(t, o)
	for i, f := range list[1_000:] {
		clock = clock.Add(2 * time.Minute)
		if a, b := step(g, f), step(other, f); a != b && i > 0 && sorted(a) != sorted(b) {
			t.Fatalf("alert %d: %s, restored %s", i, a, b)
		}
	}
	if a, b := g.Counts(), other.Counts(); a.Below != b.Below {
		t.Errorf("%+v, restored %+v", a, b)
	}
}

func sorted(s string) string {
	parts := bytes.Split([]byte(s), []byte(", "))
	slices.SortFunc(parts, bytes.Compare)
	return string(bytes.Join(parts, []byte(", ")))
}

// A transaction writes what changed and nothing else.
func TestStateHoldsWhatChanged(t *testing.T) {
	g := New(Options{Settings: settings(), Durable: true})
	for n := range 2_500 {
		g.Add(fact(n, day), day)
	}
	g.Flush()
	if got := len(g.State()); got != 5 { // the account, three chunks, the incident
		t.Errorf("%d records, want 5", got)
	}
	g.Add(fact(2_500, day), day)
	g.Flush()
	if got := len(g.State()); got != 2 {
		t.Errorf("one more alert: %d records, want its chunk and the incident", got)
	}
	if got := len(g.State()); got != 0 {
		t.Errorf("nothing has changed: %d records", got)
	}
	g.Advance(day.AddDate(0, 0, 2))
	g.Flush()
	g.State()
	g.Advance(day.AddDate(0, 0, 4))
	g.Flush()
	live := topic{}
	live.write(g.State())
	if len(live) != 1 {
		t.Errorf("after its grace: %d records, want the one that says so", len(live))
	}
}
