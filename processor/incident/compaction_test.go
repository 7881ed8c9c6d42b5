package incident

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/incident"
)

// stateLog is a compacted topic as brokers keep it: compaction removes all but the last record of each key up to some
// offset, and perhaps tombstones there; what follows is whole.
type stateLog []StateRecord

func (l stateLog) compact(r *rand.Rand) stateLog {
	clean, tombstones := r.IntN(len(l)+1), r.IntN(2) == 0
	last := map[string]int{}
	for i, s := range l {
		last[string(s.Key)] = i
	}
	var left stateLog
	for i, s := range l {
		if i >= clean || last[string(s.Key)] == i && (s.Value != nil || tombstones) {
			left = append(left, s)
		}
	}
	return left
}

func (l stateLog) restore(tb testing.TB, o Options) *Grouper {
	tb.Helper()
	r := NewRestorer(o)
	for _, s := range l {
		if err := r.Record(bytes.Clone(s.Key), bytes.Clone(s.Value)); err != nil {
			tb.Fatal(err)
		}
	}
	g, err := r.Finish()
	if err != nil {
		tb.Fatal(err)
	}
	return g
}

// committed is what transactions have written.
type committed struct {
	state     stateLog
	incidents map[string]string // the last record of each incident
	read      int               // alerts
}

func (c *committed) commit(g *Grouper, out []*incident.Incident, read int) {
	for _, i := range out {
		c.incidents[i.ID] = string(incident.AppendJSON(nil, i))
	}
	c.state, c.read = append(c.state, g.State()...), read
}

// steady groups the alerts without a crash.
func steady(o Options, list []*alert.Facts, step time.Duration) (*Grouper, *committed) {
	g, done := New(o), &committed{incidents: map[string]string{}}
	clock := day.AddDate(0, 0, 3)
	for i, f := range list {
		clock = clock.Add(step)
		g.Add(f, clock)
		done.commit(g, g.Flush(), i+1)
	}
	return g, done
}

// crashing groups them with commits, compactions, and crashes after which everything since the commit is read again.
func crashing(t *testing.T, r *rand.Rand, o Options, list []*alert.Facts, step time.Duration) (*Grouper, *committed) {
	g, done := New(o), &committed{incidents: map[string]string{}}
	var out []*incident.Incident
	for i := 0; i < len(list); i++ {
		g.Add(list[i], day.AddDate(0, 0, 3).Add(time.Duration(i+1)*step))
		out = append(out, g.Flush()...)
		switch r.IntN(30) {
		case 0, 1:
			done.commit(g, out, i+1)
			out = nil
		case 2:
			done.state = done.state.compact(r)
			g.Release()
			g, i, out = done.state.restore(t, o), done.read-1, nil
		}
	}
	done.commit(g, out, len(list))
	return g, done
}

// Crashes at any moment and any compaction of the state change nothing that the oracle knows.
func TestCompactionGivesTheSameIncidents(t *testing.T) {
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 4))
		list := traffic(r, 600)
		o := Options{Partition: 7, Settings: settings(), Durable: true, Budget: &Budget{}}
		all := append(list, list[:200]...)
		g, done := crashing(t, r, o, all, time.Second)
		same(t, g, truth(list, 24*time.Hour), len(list))
		same(t, done.state.compact(r).restore(t, o), truth(list, 24*time.Hour), len(list))
	}
}

// With windows that close, graces that end, storms, late incidents, thresholds, estimates and tombstones, what was written
// at the end is the same to the byte, whatever crashed in between.
func TestCrashesWriteTheSame(t *testing.T) {
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 5))
		list := traffic(r, 1_500)
		o := Options{Partition: 7, Durable: true, MaxPerWindow: 6, ExactIDs: 4, Settings: settings(func(g *policy.Incidents) {
			g.Window, g.Grace, g.Threshold = 12*time.Hour, 6*time.Hour, 1+seed%3
		})}
		const step = 2 * time.Minute
		plain, want := steady(o, list, step)
		kinds := map[string]bool{}
		for _, written := range want.incidents {
			i, err := incident.Decode([]byte(written))
			if err != nil {
				t.Fatal(err)
			}
			kinds[i.Kind] = true
			kinds["estimate"] = kinds["estimate"] || i.Counts.Estimate
		}
		if len(kinds) != 4 || !kinds["estimate"] || len(plain.gone.ended) == 0 {
			t.Fatalf("seed %d has only %v, and %d are gone", seed, kinds, len(plain.gone.ended))
		}
		g, got := crashing(t, r, o, list, step)
		for id, w := range want.incidents {
			if got.incidents[id] != w {
				t.Fatalf("seed %d: incident %s:\n%s\nwithout a crash:\n%s", seed, id, got.incidents[id], w)
			}
		}
		if len(got.incidents) != len(want.incidents) {
			t.Errorf("seed %d: %d incidents, %d without a crash", seed, len(got.incidents), len(want.incidents))
		}
		if a, b := g.Sizes(), plain.Sizes(); a != b {
			t.Errorf("seed %d: %+v, without a crash %+v", seed, a, b)
		}
	}
}
