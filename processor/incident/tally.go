package incident

import (
	"cmp"
	"slices"

	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/incident"
)

// tally counts names that an actor chooses, in bounded memory. Once it is full, a new name replaces one that ranks
// lower by severity and success, so that decoys cannot crowd out the real thing; of other new names, only their
// existence is noted.
type tally struct {
	list  []named
	more  bool // there were names that are not in list
	floor int8 // nothing in a full list is worth less, see worth
}

// named is how often a name was seen.
type named struct {
	name              string
	alerts, succeeded uint64
	severity          severity
}

// namedSize is the memory that a name takes besides its text, in bytes.
const namedSize = 40

// maxName limits each name, in bytes.
const maxName = 256

// seen is what a tally counts of an alert.
type seen struct {
	name     string
	severity severity
	failed   bool
}

// add counts an alert. It reports whether the name is new to the list, whether this is its first success, and how many
// bytes the list has grown.
func (t *tally) add(n names, s seen, most int) (isNew, isFirstSuccess bool, grown int) {
	if s.name == "" {
		return false, false, 0
	}
	name := alert.CutText(s.name, maxName)
	i := 0
	for i < len(t.list) && t.list[i].name != name {
		i++
	}
	if i == len(t.list) {
		if i, grown = t.place(s, most); i < 0 {
			return false, false, 0
		}
		grown += len(name) - len(t.list[i].name)
		t.list[i] = named{name: n.of(name), severity: s.severity}
		isNew = true
	}
	c := &t.list[i]
	c.alerts++
	if !s.failed {
		c.succeeded++
		isFirstSuccess = c.succeeded == 1
	}
	c.severity = max(c.severity, s.severity)
	return isNew, isFirstSuccess, grown
}

// place returns the index for a new name, or -1, and how many bytes the list has grown for it.
func (t *tally) place(s seen, most int) (index, grown int) {
	if len(t.list) < most {
		t.list = appendTight(t.list, named{})
		return len(t.list) - 1, namedSize
	}
	t.more = true
	w := worth(s.severity, !s.failed)
	if w <= t.floor {
		return -1, 0
	}
	least := 0
	for i := range t.list {
		if compareNamed(&t.list[i], &t.list[least]) > 0 {
			least = i
		}
	}
	if t.floor = t.list[least].worth(); w <= t.floor {
		return -1, 0
	}
	return least, 0
}

// appendTight appends to a list of which there are many: with less room than append leaves.
func appendTight[T any](list []T, v T) []T {
	if n := len(list); n == cap(list) {
		list = append(make([]T, 0, n+n/4+1), list...)
	}
	return append(list, v)
}

// size returns the memory of the list, in bytes.
func (t *tally) size() (n int) {
	for i := range t.list {
		n += namedSize + len(t.list[i].name)
	}
	return n
}

// top returns the highest ranked.
func (t *tally) top() []incident.Count {
	list := slices.Clone(t.list)
	slices.SortFunc(list, func(a, b named) int { return compareNamed(&a, &b) })
	var top []incident.Count
	for _, c := range list[:min(len(list), incident.MaxTop)] {
		top = append(top, incident.Count{Name: c.name, Alerts: c.alerts, Succeeded: c.succeeded, Severity: c.severity.String()})
	}
	return top
}

// compareNamed orders by severity, then success, then alerts, the highest first.
func compareNamed(a, b *named) int {
	return cmp.Or(cmp.Compare(b.worth(), a.worth()), cmp.Compare(b.alerts, a.alerts), cmp.Compare(a.name, b.name))
}

func (c *named) worth() int8 { return worth(c.severity, c.succeeded > 0) }

// worth ranks by severity, then success. It is above 0.
func worth(s severity, succeeded bool) int8 {
	w := 2*int8(s) + 1
	if succeeded {
		w++
	}
	return w
}

// severity is an index in alert.Severities.
type severity uint8

// severityOf returns a severity by name; an unknown one is the lowest.
func severityOf(name string) severity { return severity(max(0, slices.Index(alert.Severities, name))) }

// String returns the name.
func (s severity) String() string { return alert.Severities[s] }

// worstSeverity is the highest severity, that of storms.
var worstSeverity = severityOf("Critical")

// Compare orders incidents by severity, then success, then alerts, the highest first.
func Compare(a, b *incident.Incident) int {
	return cmp.Or(
		cmp.Compare(worth(severityOf(b.Severity), b.Counts.Succeeded > 0), worth(severityOf(a.Severity), a.Counts.Succeeded > 0)),
		cmp.Compare(b.Counts.Alerts, a.Counts.Alerts), a.FirstSeen.Compare(b.FirstSeen), cmp.Compare(a.ID, b.ID),
	)
}

// Counts say how alerts were counted: Read = Counted + Repeated + Below + Late.
type Counts struct {
	Read     uint64
	Counted  uint64 // in an incident
	Repeated uint64 // counted before
	Below    uint64 // in windows below their threshold
	Late     uint64 // in a late incident
}

// Add adds o to c.
func (c *Counts) Add(o Counts) {
	c.Read += o.Read
	c.Counted += o.Counted
	c.Repeated += o.Repeated
	c.Below += o.Below
	c.Late += o.Late
}
