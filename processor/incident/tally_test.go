package incident

import "testing"

// Once the list is full, a new name replaces the one that ranks lowest, wherever it stands. Equals stay.
func TestTallyReplacesTheLowest(t *testing.T) {
	f := func(name, severity string, failed, isNew bool, want ...string) {
		t.Helper()
		var list tally
		list.add("high", "High", false, 3)
		list.add("low", "Low", true, 3)
		list.add("medium", "Medium", true, 3)
		if got, _ := list.add(name, severity, failed, 3); got != isNew || list.More != true {
			t.Errorf("%s: new %t, more %t", name, got, list.More)
		}
		for i, c := range list.List {
			if c.Name != want[i] {
				t.Errorf("%s: %+v, want %q", name, list.List, want)
				return
			}
		}
	}
	f("critical", "Critical", true, true, "high", "critical", "medium")
	f("success", "Low", false, true, "high", "success", "medium")
	f("decoy", "Low", true, false, "high", "low", "medium")
}
