package incident

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/incident"
)

// writtenState groups alerts of one partition, n of each of some principals, in turn, and returns its state as it was written.
func writtenState(o Options, principals, n int) (g *Grouper, state stateLog) {
	g = New(o)
	for i := range principals * n {
		g.Add(fact(i, day, func(f *alert.Facts) { f.Actor = fmt.Sprint(i % principals) }), day)
		if i%1_000 == 999 {
			g.Flush()
			state = append(state, g.State()...)
		}
	}
	g.Flush()
	return g, append(state, g.State()...)
}

// end adds a day's silence and the end of grace.
func (l stateLog) end(g *Grouper) stateLog {
	for _, after := range []int{2, 4} {
		g.Advance(day.AddDate(0, 0, after))
		g.Flush()
		l = append(l, g.State()...)
	}
	return l
}

// While a state is read, the budget counts the incidents and ids of each moment, deleted ones no more.
//
// Guards: addIDs in readChunk, what drop gives back, and Release.
func TestRestoreCountsWhatItReads(t *testing.T) {
	o := Options{Settings: settings(), Durable: true, Budget: &Budget{}}
	g, state := writtenState(o, 3, 1_500)
	state = state.end(g)
	g.Release()
	r, now, most := NewRestorer(o), topic{}, int64(0)
	for i, s := range state {
		if err := r.Record(s.Key, s.Value); err != nil {
			t.Fatal(err)
		}
		now.write([]StateRecord{s})
		held := 0
		for key, value := range now {
			if key[0] == stateChunk {
				held += len(value) / idSize
			}
		}
		incidents, ids := o.Budget.Size()
		if most = max(most, ids); ids != int64(held) || incidents > 3 {
			t.Fatalf("record %d: %d incidents and %d ids, want %d", i, incidents, ids, held)
		}
	}
	if incidents, ids := o.Budget.Size(); incidents != 0 || ids != 0 || most != 4_500 || len(r.g.timers) != 0 {
		t.Errorf("at the end: %d incidents and %d ids, at most %d, %d timers", incidents, ids, most, len(r.g.timers))
	}
	r = NewRestorer(o)
	for _, s := range state[:5] {
		if err := r.Record(s.Key, s.Value); err != nil {
			t.Fatal(err)
		}
	}
	if r.Release(); o.Budget.charged() != 0 {
		t.Errorf("%d bytes are charged after all", o.Budget.charged())
	}
}

// What there is no room for is estimated while it is read, in any order, so that the memory of a restore is bounded. It is
// written as an estimate, and restored as one.
//
// Guards: hasRestored in chunk, len(x.sizes) and first in addChunk, the chunks in dropIDs, change in finishEstimate, saved in
// appendState.
func TestRestoreBeyondBudget(t *testing.T) {
	const principals, each, maxIDs = 12, 1_500, 3_000
	_, state := writtenState(Options{Settings: settings(), Durable: true}, principals, each)
	compacted := topic{}
	compacted.write(state)
	var shuffled stateLog
	for key, value := range compacted {
		shuffled = append(shuffled, StateRecord{[]byte(key), value})
	}
	twice := func(records stateLog) (all stateLog) {
		for _, s := range records {
			all = append(all, s, s)
		}
		return all
	}
	for name, records := range map[string]stateLog{"as written": state, "in any order": shuffled, "each twice": twice(shuffled)} {
		o := Options{Settings: settings(), Durable: true, Budget: &Budget{MaxIDs: maxIDs}}
		r := NewRestorer(o)
		for _, s := range records {
			if err := r.Record(s.Key, s.Value); err != nil {
				t.Fatal(err)
			}
			if _, ids := o.Budget.Size(); ids > 2*maxIDs+chunkIDs || ids != r.held() {
				t.Fatalf("%s: %d ids while it is read, %d are held", name, ids, r.held())
			}
		}
		g, err := r.Finish()
		if err != nil {
			t.Fatal(err)
		}
		addsUp(t, g)
		estimates := checkEstimates(t, name, g, each)
		if sizes := g.Sizes(); estimates < 6 || sizes.Estimates != estimates || sizes.Remembered != principals {
			t.Errorf("%s: %d estimates, %+v", name, estimates, sizes)
		}
		for _, e := range g.entries {
			if name == "as written" && e.ids.sketch != nil && !e.ids.large {
				t.Errorf("%s: the sketch of %s is a small one", name, e.actor)
			}
		}
		now := topic{}
		now.write(records)
		now.write(g.State())
		chunks := 0
		for key := range now {
			if key[0] == stateChunk {
				chunks++
			}
		}
		if chunks != 2*(principals-estimates) {
			t.Errorf("%s: %d chunks are left beside %d estimates", name, chunks, estimates)
		}
		g.Release()
		var left stateLog
		for key, value := range now {
			left = append(left, StateRecord{[]byte(key), value})
		}
		again := twice(left).restore(t, Options{Settings: settings(), Durable: true})
		addsUp(t, again)
		if n := checkEstimates(t, name+", restored again", again, each); n != estimates || len(again.State()) != 0 {
			t.Errorf("%s: %d estimates, before %d", name, n, estimates)
		}
		if again.Release(); o.Budget.charged() != 0 {
			t.Errorf("%s: %d bytes are charged after all", name, o.Budget.charged())
		}
	}
}

// held returns how many ids are in memory.
func (r *Restorer) held() (n int64) {
	for _, e := range r.g.entries {
		n += int64(len(e.ids.last) / idSize)
	}
	for _, chunks := range r.more {
		for _, chunk := range chunks {
			n += int64(len(chunk) / idSize)
		}
	}
	return n
}

// checkEstimates checks the incidents of writtenState, and returns how many are estimates.
func checkEstimates(t *testing.T, name string, g *Grouper, each int) (estimates int) {
	t.Helper()
	for _, i := range g.All() {
		principal, err := strconv.Atoi(i.Principal.ID)
		if err != nil {
			t.Fatal(err)
		}
		first := alertID(principal).String()
		if n := int(i.Counts.Alerts); n < each*85/100 || n > each || !i.Counts.Estimate && n != each || len(i.AlertIDs) != incident.MaxAlertIDs || i.AlertIDs[0] != first {
			t.Errorf("%s: %+v, first of %d alerts %s, want %s", name, i.Counts, len(i.AlertIDs), i.AlertIDs[0], first)
		}
		if i.Counts.Estimate {
			estimates++
		}
	}
	return estimates
}

// Ids that were written after the last record of their incident, as by a transaction whose end is not in the log yet, are
// neither restored nor charged.
//
// Guard: addIDs in finishIDs.
func TestRestoreMoreIDsThanRemembered(t *testing.T) {
	o := Options{Settings: settings(), Durable: true}
	g, state := New(o), stateLog{}
	for n := range 10 {
		g.Add(fact(n, day), day)
		if g.Flush(); n == 4 {
			state = append(state, g.State()...)
		}
	}
	for _, s := range g.State() {
		if s.Key[0] == stateChunk {
			state = append(state, s)
		}
	}
	again := state.restore(t, o)
	if _, ids := again.Size(); ids != 5 {
		t.Errorf("%d ids, want 5", ids)
	}
	addsUp(t, again)
}

// A chunk that is missing, or short, is noticed although nothing is kept of it; and what was estimated and then deleted, or
// estimated by its owner as well, is charged no more. An incident that comes back is no estimate.
//
// Guards: the sizes in finishEstimate, the sketch and the estimate in dropIDs, dropIDs for those that are estimated.
func TestRestoreBeyondBudgetIsChecked(t *testing.T) {
	o := Options{Settings: settings(), Durable: true}
	g, state := writtenState(o, 1, 2_500)
	f := func(what string, records stateLog, spoil func(key string, value []byte) []byte) (*Restorer, error) {
		t.Helper()
		o.Budget = &Budget{MaxIDs: 1}
		r := NewRestorer(o)
		for _, s := range records {
			if value := spoil(string(s.Key), s.Value); value != nil || s.Value == nil {
				if err := r.Record(s.Key, value); err != nil {
					t.Fatalf("%s: %v", what, err)
				}
			}
		}
		_, err := r.Finish()
		return r, err
	}
	chunk := func(n int) string { return string(chunkKey(g.timers[0].id, n)) }
	keep := func(_ string, value []byte) []byte { return value }
	for n := range 3 {
		if _, err := f("missing", state, func(key string, value []byte) []byte {
			if key == chunk(n) {
				return nil
			}
			return value
		}); err == nil || !strings.Contains(err.Error(), "inconsistent") {
			t.Errorf("without chunk %d: %v", n, err)
		}
		if _, err := f("short", state, func(key string, value []byte) []byte {
			if key == chunk(n) {
				return value[idSize:]
			}
			return value
		}); err == nil || !strings.Contains(err.Error(), "inconsistent") {
			t.Errorf("with a short chunk %d: %v", n, err)
		}
	}
	if _, err := f("whole", state, keep); err != nil || o.Budget.sketches.Load() != largeSketch || o.Budget.ids.Load() != 0 {
		t.Errorf("whole: %v, %d bytes of sketches, %d ids", err, o.Budget.sketches.Load(), o.Budget.ids.Load())
	}
	g.estimate(g.timers[0])
	g.change(g.timers[0])
	state = append(state, g.State()...)
	if _, err := f("its own", state, keep); err != nil || o.Budget.sketches.Load() != largeSketch || o.Budget.ids.Load() != 0 {
		t.Errorf("its own: %v, %d bytes of sketches, %d ids", err, o.Budget.sketches.Load(), o.Budget.ids.Load())
	}
	if _, err := f("without its sketch", state, func(key string, value []byte) []byte {
		if key == string(stateKey(stateSketch, g.timers[0].id)) {
			return nil
		}
		return value
	}); err == nil || !strings.Contains(err.Error(), "inconsistent") {
		t.Errorf("without its sketch: %v", err)
	}
	_, state = writtenState(Options{Settings: settings(), Durable: true}, 1, 2_500)
	for n := range 3 {
		state = append(state, StateRecord{Key: chunkKey(g.timers[0].id, n)})
	}
	state = append(state, StateRecord{Key: stateKey(stateEntry, g.timers[0].id)})
	if _, err := f("deleted", state, keep); err != nil || o.Budget.sketches.Load() != 0 {
		t.Errorf("deleted: %v, %d bytes of sketches", err, o.Budget.sketches.Load())
	}
	_, back := writtenState(Options{Settings: settings(), Durable: true}, 1, 1)
	if _, err := f("back", append(state, back...), keep); err != nil || o.Budget.sketches.Load() != 0 || o.Budget.ids.Load() != 1 {
		t.Errorf("back with one alert: %v, %d bytes of sketches, %d ids", err, o.Budget.sketches.Load(), o.Budget.ids.Load())
	}
}

// An ended incident whose record was deleted later is not among those that are dropped first. Of an incident of which nothing is
// left but a tombstone, nothing is restored.
//
// Guards: has in finishGone; drop in Finish.
func TestRestoreDeleted(t *testing.T) {
	r := NewRestorer(Options{Settings: settings(), Durable: true})
	deleted, kept := alertID(1), alertID(2)
	for _, record := range []StateRecord{
		{stateKey(stateGone, deleted), encodeGone(ended{account: &account{}})},
		{stateKey(stateGone, kept), encodeGone(ended{account: &account{}})},
		{stateKey(stateGone, kept), nil},
		{stateKey(stateGone, kept), encodeGone(ended{account: &account{}})}, // in a log that is not compacted yet
		{stateKey(stateGone, deleted), nil},
		{chunkKey(deleted, 0), nil},
		{chunkKey(kept, 1), nil},
	} {
		if err := r.Record(record.Key, record.Value); err != nil {
			t.Fatal(err)
		}
	}
	g, err := r.Finish()
	if err != nil || !slices.Equal(g.gone.order, []uuid.UUID{kept}) || len(g.entries)+len(g.timers) > 0 {
		t.Errorf("%v and %d incidents, %v, want %s alone", g.gone.order, len(g.entries), err, kept)
	}
	addsUp(t, g)
}
