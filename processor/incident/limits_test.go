package incident

import "testing"

// The defaults are those that the documentation of Budget and Options names.
func TestDefaultLimits(t *testing.T) {
	b := &Budget{}
	if b.maxIncidents() != 200_000 || b.maxIDs() != 10_000_000 || b.maxGone() != 100_000 || b.maxDetail() != 256<<20 {
		t.Errorf("%d incidents, %d ids, %d gone, %d bytes of detail", b.maxIncidents(), b.maxIDs(), b.maxGone(), b.maxDetail())
	}
	if o := (Options{}).withDefaults(); o.MaxPerWindow != 1_000 || o.ExactIDs != 1_000_000 || o.Budget == nil {
		t.Errorf("%+v", o)
	}
	if o := (Options{MaxPerWindow: 1, ExactIDs: 2, Budget: b}).withDefaults(); o.MaxPerWindow != 1 || o.ExactIDs != 2 || o.Budget != b {
		t.Errorf("%+v", o)
	}
	b = &Budget{MaxIncidents: 1, MaxIDs: 2, MaxGone: 3, MaxDetail: 4}
	if want := int64((1+1)*incidentBytes + 2*idBytes + 3*goneBytes + 4); b.Bytes() != want {
		t.Errorf("%d bytes, want %d", b.Bytes(), want)
	}
}

// A budget allows as much as its limits say.
func TestBudgetLimits(t *testing.T) {
	f := func(name string, at int64, set func(b *Budget, n int64), allows func(b *Budget) bool) {
		t.Helper()
		b := &Budget{MaxIncidents: 10, MaxIDs: 10, MaxGone: 10, MaxDetail: 10}
		if set(b, at); !allows(b) {
			t.Errorf("%s: %d are not allowed", name, at)
		}
		if set(b, at+1); allows(b) {
			t.Errorf("%s: %d are allowed", name, at+1)
		}
	}
	incidents := func(b *Budget, n int64) { b.incidents.Store(n) }
	ids := func(b *Budget, n int64) { b.ids.Store(n) }
	f("incidents", 9, incidents, func(b *Budget) bool { return !b.crowded() })
	f("storms", 12, incidents, func(b *Budget) bool { return !b.exhausted() })
	f("ids", 10, ids, (*Budget).hasIDs)
	f("ids beside sketches", 8, func(b *Budget, n int64) { ids(b, n); b.sketches.Store(2*idBytes + 1) }, (*Budget).hasIDs)
	f("restored ids", 20, ids, (*Budget).hasRestored)
	f("gone", 10, func(b *Budget, n int64) { b.gone.Store(n) }, (*Budget).hasGone)
	f("detail", 9, func(b *Budget, n int64) { b.detail.Store(n) }, (*Budget).hasDetail)
	f("lists", 9, func(b *Budget, n int64) { b.detail.Store(n) }, func(b *Budget) bool {
		s := share{of: b}
		return s.most(50) == 50 || s.most(50) != 5 || s.most(3) != 3
	})
}
