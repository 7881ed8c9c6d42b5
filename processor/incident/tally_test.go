package incident

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/incident"
)

// A list counts alerts and successes of each name, keeps the worst severity, and says what is new and how much it has grown.
//
// Guards: each line of add, place and size.
func TestTally(t *testing.T) {
	var list tally
	f := func(s seen, isNew, isFirst bool, grown int) {
		t.Helper()
		before := list.size()
		if gotNew, gotFirst, got := list.add(names{}, s, 2); gotNew != isNew || gotFirst != isFirst || got != grown || list.size()-before != grown {
			t.Errorf("%+v: new %t, first success %t, grown by %d of %d", s, gotNew, gotFirst, got, list.size()-before)
		}
	}
	f(seen{"", 3, false}, false, false, 0)
	f(seen{"a", 3, true}, true, false, namedSize+1)
	f(seen{"a", 2, false}, false, true, 0)
	f(seen{"a", 4, false}, false, false, 0)
	f(seen{"bb", 2, true}, true, false, namedSize+2)
	if list.more {
		t.Error("there is more than two")
	}
	f(seen{"ccc", 2, true}, false, false, 0)
	if !list.more {
		t.Error("there is no more than two")
	}
	f(seen{"dddd", 2, false}, true, true, 2)
	f(seen{"bb", 2, true}, false, false, 0)
	f(seen{strings.Repeat("é", maxName), 3, true}, true, false, maxName-4)
	f(seen{strings.Repeat("é", maxName+1), 3, true}, false, false, 0) // the same, as it is cut
	want := []named{{"a", 3, 2, 4}, {strings.Repeat("é", maxName/2), 2, 0, 3}}
	if !slices.Equal(list.list, want) || list.floor != worth(2, true) {
		t.Errorf("%+v, floor %d", list.list, list.floor)
	}
}

// The first of a list are those of the worst severity, then those that succeeded, then the most frequent.
func TestTop(t *testing.T) {
	var list tally
	for n := range incident.MaxTop - 3 {
		list.list = append(list.list, named{fmt.Sprint(n), 1, 0, 1})
	}
	if got := list.top(); len(got) != incident.MaxTop-3 || got[0].Name != "0" {
		t.Errorf("%+v", got)
	}
	list.list = append(list.list, named{"success", 1, 1, 1}, named{"worst", 1, 0, 4}, named{"frequent", 2, 0, 1}, named{"more frequent", 3, 0, 1})
	got := list.top()
	first := []incident.Count{{Name: "worst", Alerts: 1, Severity: alert.Severities[4]}, {Name: "success", Alerts: 1, Succeeded: 1, Severity: alert.Severities[1]},
		{Name: "more frequent", Alerts: 3, Severity: alert.Severities[1]}, {Name: "frequent", Alerts: 2, Severity: alert.Severities[1]}}
	if len(got) != incident.MaxTop || !slices.Equal(got[:4], first) {
		t.Errorf("%+v", got)
	}
}

// A list grows when it is full, by a quarter: the memory of many lists is little more than what is counted of it.
func TestAppendTight(t *testing.T) {
	var list []int
	for n := range 50 {
		room := cap(list)
		if n == room {
			room = n + n/4 + 1
		}
		if list = appendTight(list, n); cap(list) != room || len(list) != n+1 || list[n/2] != n/2 {
			t.Fatalf("%d with room for %d, want room for %d", list, cap(list), room)
		}
	}
}

// An unknown severity is the lowest.
func TestSeverityOf(t *testing.T) {
	for n, name := range alert.Severities {
		if s := severityOf(name); int(s) != n || s.String() != name {
			t.Errorf("%s: %d, %s", name, s, s)
		}
	}
	if s := severityOf("?"); s != 0 {
		t.Errorf("%d", s)
	}
}

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
	var lowest tally
	for _, name := range []string{"a", "b"} {
		lowest.add(names{}, seen{name, 0, true}, 2)
	}
	if isNew, _, _ := lowest.add(names{}, seen{"success", 0, false}, 2); !isNew {
		t.Errorf("of the lowest severity: %+v", lowest.list)
	}
}
