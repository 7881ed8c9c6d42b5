package incident

import "testing"

// Once the list is full, a new name replaces the one that ranks lowest, wherever it stands. Equals stay.
func TestTallyReplacesTheLowest(t *testing.T) {
	const low, medium, high, critical = 2, 3, 4, 5
	f := func(s seen, isNew bool, want ...string) {
		t.Helper()
		var list tally
		for _, first := range []seen{{"high", high, false}, {"low", low, true}, {"medium", medium, true}} {
			list.add(names{}, first, 3)
		}
		if got, _, _ := list.add(names{}, s, 3); got != isNew || !list.more {
			t.Errorf("%s: new %t, more %t", s.name, got, list.more)
		}
		for i, c := range list.list {
			if c.name != want[i] {
				t.Errorf("%s: %+v, want %q", s.name, list.list, want)
				return
			}
		}
	}
	f(seen{"critical", critical, true}, true, "high", "critical", "medium")
	f(seen{"success", low, false}, true, "high", "success", "medium")
	f(seen{"decoy", low, true}, false, "high", "low", "medium")
}
