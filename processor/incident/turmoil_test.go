package incident

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/alert"
)

// turmoil is partitions of one process, whose transactions commit and abort, whose state moves, and whose policy changes.
type turmoil struct {
	r      *rand.Rand
	now    policy.Incidents
	budget *Budget
	parts  []*moving
	clock  time.Time
}

// moving is one partition.
type moving struct {
	o         Options
	g         *Grouper
	state     stateLog
	list      []*alert.Facts
	at        int // the next alert
	committed int
}

func newTurmoil(seed uint64, most int) *turmoil {
	x := &turmoil{r: rand.New(rand.NewPCG(seed, 6)), now: policy.DefaultIncidents, budget: &Budget{}, clock: day.AddDate(0, 0, 3)}
	x.now.Threshold = 4
	for p := range int32(3) {
		o := Options{Partition: p + 7, Durable: true, Budget: x.budget, MaxPerWindow: most, Settings: func(string) policy.Incidents { return x.now }}
		m := &moving{o: o, g: New(o), list: traffic(x.r, 300)}
		repeats := append(m.list[:len(m.list):len(m.list)], m.list[:100]...)
		x.r.Shuffle(len(repeats), func(i, j int) { repeats[i], repeats[j] = repeats[j], repeats[i] })
		m.list = repeats
		x.parts = append(x.parts, m)
	}
	return x
}

// step reads an alert, and has something happen.
func (x *turmoil) step(t *testing.T, m *moving) {
	x.clock = x.clock.Add(time.Second)
	if m.at < len(m.list) {
		m.g.Add(m.list[m.at], x.clock)
		m.at++
	}
	switch x.r.IntN(25) {
	case 0, 1:
		m.g.Flush()
		m.state, m.committed = append(m.state, m.g.State()...), m.at
	case 2: // the transaction aborts, or the partition moves
		m.g.Release()
		m.state = m.state.compact(x.r)
		m.g, m.at = m.state.restore(t, m.o), m.committed
	case 3:
		x.now.Threshold = uint64(1 + x.r.IntN(6))
		x.now.Window = time.Duration(1+x.r.IntN(24)) * time.Hour
		for _, each := range x.parts {
			each.g.Reconsider()
		}
	}
}

// run reads everything, and at last lowers the threshold to 1.
func (x *turmoil) run(t *testing.T) {
	for left := true; left; {
		left = false
		for _, m := range x.parts {
			x.step(t, m)
			left = left || m.at < len(m.list)
		}
	}
	x.now.Threshold = 1
	for _, m := range x.parts {
		m.g.Reconsider()
		m.g.Advance(x.clock.Add(time.Minute))
		m.g.Flush()
	}
}

// Through commits, aborts, restores, and thresholds and windows that change in the middle, each distinct alert is in exactly
// one incident: a threshold decides when an incident is written and not what is in it.
//
// Guards: change of a schedule, its state record, Reconsider, and that a restore takes what was committed.
func TestTurmoilGivesTheSameIncidents(t *testing.T) {
	for seed := range uint64(6) {
		x := newTurmoil(seed, 0)
		x.run(t)
		for p, m := range x.parts {
			checkMembers(t, m)
			if c := m.g.Counts(); c.Counted != 300 || c.Below != 0 || c.Late != 0 {
				t.Errorf("seed %d, partition %d: %+v", seed, p, c)
			}
		}
	}
}

// With storms as well, each distinct alert is in exactly one incident.
func TestTurmoilWithStorms(t *testing.T) {
	for seed := range uint64(6) {
		x := newTurmoil(seed, 3)
		x.run(t)
		storms := 0
		for _, m := range x.parts {
			checkMembers(t, m)
			storms += m.g.Sizes().Storms
		}
		if storms == 0 {
			t.Errorf("seed %d has no storm", seed)
		}
	}
}

// checkMembers reports alerts that are not in exactly one incident, counts that differ from the members, and budgets.
func checkMembers(t *testing.T, m *moving) {
	t.Helper()
	addsUp(t, m.g)
	in := map[uuid.UUID]int{}
	for _, e := range m.g.entries {
		if e.alerts != uint64(e.ids.len()) || !e.created {
			t.Errorf("incident %s: %d alerts, %d members, created %t", e.id, e.alerts, e.ids.len(), e.created)
		}
		for i := range e.ids.len() {
			in[*e.ids.at(i)]++
		}
	}
	for _, f := range m.list {
		if in[f.ID] != 1 {
			t.Errorf("alert %s is in %d incidents", f.ID, in[f.ID])
		}
	}
}
