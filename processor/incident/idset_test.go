package incident

import (
	"bytes"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/regionwatch/regionwatch/schema/incident"
)

// A set of ids gives them back whatever their number is: it is searched in order, then by an index, in chunks.
//
// Guards: the bounds in idset.go.
func TestIDSet(t *testing.T) {
	for _, n := range []int{0, 1, smallSet - 1, smallSet, smallSet + 1, 2 * smallSet, chunkIDs - 1, chunkIDs, chunkIDs + 1, 2*chunkIDs + 1} {
		var s, filled idSet
		var want []uuid.UUID
		for i := range n {
			id := alertID(i)
			if s.has(&id) {
				t.Errorf("%d ids: %d is there before it is added", n, i)
			}
			s.add(&id)
			want = append(want, id)
		}
		for chunk := range slices.Chunk(want, chunkIDs) {
			filled.fill(appendIDs(nil, chunk))
		}
		if !filled.finish() {
			t.Errorf("%d ids: two are the same", n)
		}
		for name, s := range map[string]*idSet{"added": &s, "filled": &filled} {
			for i, id := range want {
				if !s.has(&id) || *s.at(i) != id {
					t.Errorf("%d ids, %s: %d is missing", n, name, i)
				}
			}
			if absent := alertID(n); s.has(&absent) || s.len() != n || !slices.Equal(s.first(n+1), want) || (s.index != nil) != (n > smallSet) {
				t.Errorf("%d ids, %s: there are %d, index %t", n, name, s.len(), s.index != nil)
			}
			if free := len(s.index) - n; n > smallSet && 4*free < len(s.index) {
				t.Errorf("%d ids, %s: %d of %d slots are free", n, name, free, len(s.index))
			}
			var all []byte
			for k := range chunks(n) {
				all = append(all, s.chunk(k)...)
			}
			if !bytes.Equal(all, appendIDs(nil, want)) {
				t.Errorf("%d ids, %s: other chunks", n, name)
			}
		}
		if n > 0 { // the first of the last chunk once more
			var twice idSet
			for chunk := range slices.Chunk(append(slices.Clone(want), want[(n-1)/chunkIDs*chunkIDs]), chunkIDs) {
				twice.fill(appendIDs(nil, chunk))
			}
			if twice.finish() {
				t.Errorf("%d ids and one of them again: all differ", n)
			}
		}
		if s.estimate(); s.len() != 0 || s.sketchSize() > 0 != (n >= manyIDs) {
			t.Errorf("%d ids: a sketch of %d bytes beside %d ids", n, s.sketchSize(), s.len())
		}
		if got := int(s.sketch.Estimate()); got < n-n/20 || got > n+n/20+1 {
			t.Errorf("%d ids are estimated as %d", n, got)
		}
	}
	if chunks(0) != 0 || chunks(1) != 1 || chunks(chunkIDs) != 1 || chunks(chunkIDs+1) != 2 {
		t.Error("chunks")
	}
}

// An incident estimates beyond its own limit, or if it has more than a few ids and there is no room for more; it keeps the
// first ids.
//
// Guards: the bounds in boundIDs, firstIDs.
func TestEstimatesFrom(t *testing.T) {
	for from, o := range map[int]Options{4: {ExactIDs: 3}, smallSet + 1: {Budget: &Budget{MaxIDs: 1}}} {
		o.Settings = settings()
		g := New(o)
		for n := 1; n <= from; n++ {
			g.Add(fact(n, day), day)
			i := g.All()[0]
			if i.Counts.Estimate != (n == from) || len(i.AlertIDs) != min(n, incident.MaxAlertIDs) || i.AlertIDs[0] != alertID(1).String() {
				t.Errorf("%d alerts, estimates from %d: %+v with %d ids", n, from, i.Counts, len(i.AlertIDs))
			}
		}
	}
}
