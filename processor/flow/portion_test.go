package flow

import (
	"slices"
	"testing"
	"time"
)

// Transactions that take too long, two in a row, make the next ones smaller, down to one record, and quick ones make them
// larger again. One alone changes nothing.
//
// Guard: long, in Learn.
func TestPortion(t *testing.T) {
	t.Parallel()
	var p Portion
	f := func(records int, took time.Duration, want int) {
		t.Helper()
		if p.Learn(records, took, 16*time.Second); p.Limit() != want {
			t.Errorf("after %d records in %v: %d, want %d", records, took, p.Limit(), want)
		}
	}
	f(50_000, 7*time.Second, MaxTransaction)
	f(200, 8*time.Second, MaxTransaction)
	f(200, time.Second, MaxTransaction)
	f(200, 8*time.Second, MaxTransaction)
	f(200, 8*time.Second, 25)
	f(25, 4*time.Second, 25)
	f(25, 4*time.Second-1, 50)
	f(10, 20*time.Second, 50)
	f(10, 20*time.Second, 1)
	f(1, 20*time.Second, 1)
	f(0, 20*time.Second, 1)
	f(1, 0, 2)
	for want := 4; want < MaxTransaction; want *= 2 {
		f(want/2, 0, want)
	}
	f(30_000, 0, MaxTransaction)
	f(1000, 0, MaxTransaction)
	p = Portion{Most: MaxTransaction / 2}
	if p.Learn(MaxTransaction/2, 0, time.Second); p.Most != 0 {
		t.Errorf("at most %d, want no limit", p.Most)
	}
	p = Portion{Most: MaxTransaction/2 - 1}
	if p.Learn(1, 0, time.Second); p.Most != MaxTransaction-2 {
		t.Errorf("at most %d, want twice as many", p.Most)
	}
}

// A single record that is aborted for taking too long is told about the second time, and then ever less often. Anything
// else begins anew.
//
// Guards: each condition in Overran.
func TestOverran(t *testing.T) {
	t.Parallel()
	const allowed = 15 * time.Second
	for name, test := range map[string]struct {
		records int
		took    time.Duration
		aborted bool
		told    []int // at which of the nine times
	}{
		"alone":     {1, allowed, true, []int{2, 4, 8}},
		"several":   {2, allowed, true, nil},
		"in time":   {1, allowed - 1, true, nil},
		"committed": {1, allowed, false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var p Portion
			var told []int
			for range 9 {
				if times := p.Overran(test.records, test.took, allowed, test.aborted); times > 0 {
					told = append(told, times)
				}
			}
			if !slices.Equal(told, test.told) {
				t.Errorf("told at %v, want %v", told, test.told)
			}
			p.Overran(1, 0, allowed, false)
			if p.Overran(1, allowed, allowed, true) != 0 || p.Overran(1, allowed, allowed, true) != 2 {
				t.Error("a transaction that was committed did not begin the count anew")
			}
		})
	}
}

// Of two limits the smaller one counts, and 0 is none.
func TestLeast(t *testing.T) {
	for _, test := range []struct{ a, b, want int }{{0, 0, 0}, {0, 5, 5}, {5, 0, 5}, {1, 5, 1}, {5, 1, 1}, {5, 5, 5}} {
		if got := Least(test.a, test.b); got != test.want {
			t.Errorf("least of %d and %d: %d", test.a, test.b, got)
		}
	}
}
