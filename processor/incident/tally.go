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
	List []incident.Count `json:"list,omitempty"`
	More bool             `json:"more,omitempty"` // there were names that are not in List

	floor int // nothing in a full List is worth less, see worth
}

// maxName limits each name, in bytes.
const maxName = 256

// add counts an alert. It reports whether the name is new to the list, and whether this is its first success.
func (t *tally) add(name, severity string, failed bool, most int) (isNew, isFirstSuccess bool) {
	if name == "" {
		return false, false
	}
	name = alert.CutText(name, maxName)
	i := 0
	for i < len(t.List) && t.List[i].Name != name {
		i++
	}
	if i == len(t.List) {
		if i = t.place(severity, failed, most); i < 0 {
			return false, false
		}
		t.List[i] = incident.Count{Name: name, Severity: severity}
		isNew = true
	}
	c := &t.List[i]
	c.Alerts++
	if !failed {
		c.Succeeded++
		isFirstSuccess = c.Succeeded == 1
	}
	if rank(severity) > rank(c.Severity) {
		c.Severity = severity
	}
	return isNew, isFirstSuccess
}

// place returns the index for a new name, or -1.
func (t *tally) place(severity string, failed bool, most int) int {
	if len(t.List) < most {
		t.List = append(t.List, incident.Count{})
		return len(t.List) - 1
	}
	t.More = true
	w := worth(severity, !failed)
	if w <= t.floor {
		return -1
	}
	least := 0
	for i := range t.List {
		if compareCounts(&t.List[i], &t.List[least]) > 0 {
			least = i
		}
	}
	if t.floor = worth(t.List[least].Severity, t.List[least].Succeeded > 0); w <= t.floor {
		return -1
	}
	return least
}

// top returns the highest ranked.
func (t *tally) top() []incident.Count {
	list := slices.Clone(t.List)
	slices.SortFunc(list, func(a, b incident.Count) int { return compareCounts(&a, &b) })
	return list[:min(len(list), incident.MaxTop)]
}

// compareCounts orders by severity, then success, then alerts, the highest first.
func compareCounts(a, b *incident.Count) int {
	return cmp.Or(
		cmp.Compare(worth(b.Severity, b.Succeeded > 0), worth(a.Severity, a.Succeeded > 0)),
		cmp.Compare(b.Alerts, a.Alerts), cmp.Compare(a.Name, b.Name),
	)
}

// worth ranks by severity, then success.
func worth(severity string, succeeded bool) int {
	w := 2 * rank(severity)
	if succeeded {
		w++
	}
	return w
}

// rank returns the rank of a severity, lowest first.
func rank(severity string) int { return slices.Index(alert.Severities, severity) }

// Compare orders incidents by severity, then success, then alerts, the highest first.
func Compare(a, b *incident.Incident) int {
	return cmp.Or(
		cmp.Compare(worth(b.Severity, b.Counts.Succeeded > 0), worth(a.Severity, a.Counts.Succeeded > 0)),
		cmp.Compare(b.Counts.Alerts, a.Counts.Alerts), a.FirstSeen.Compare(b.FirstSeen), cmp.Compare(a.ID, b.ID),
	)
}
