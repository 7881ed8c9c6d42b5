package incident

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/regionwatch/regionwatch/schema/incident"
)

// Sizes say how much a Grouper remembers.
type Sizes struct {
	Open       int // incidents, storms included, that are not closed
	Storms     int // of those, storms
	Remembered int // incidents of any kind, closed ones and those below their threshold included
	IDs        int // alert ids
	Estimates  int // incidents whose counts are estimates
}

// Add adds o to s.
func (s *Sizes) Add(o Sizes) {
	s.Open += o.Open
	s.Storms += o.Storms
	s.Remembered += o.Remembered
	s.IDs += o.IDs
	s.Estimates += o.Estimates
}

// Sizes looks at every incident.
func (g *Grouper) Sizes() Sizes {
	s := Sizes{Remembered: len(g.entries), IDs: int(g.share.ids)}
	for _, e := range g.entries {
		if e.isOpen() {
			s.Open++
			if e.storm {
				s.Storms++
			}
		}
		if e.ids.sketch != nil {
			s.Estimates++
		}
	}
	return s
}

// Open returns at most n open incidents as they are, the most important first, without changing anything.
func (g *Grouper) Open(n int) []*incident.Incident {
	var top []*entry
	n = max(n, 0)
	for _, e := range g.entries {
		if !e.isOpen() {
			continue
		}
		i, _ := slices.BinarySearchFunc(top, e, compareEntries)
		top = slices.Insert(top, i, e)
		top = top[:min(n, len(top))]
	}
	list := make([]*incident.Incident, len(top))
	for i, e := range top {
		list[i] = e.snapshot()
	}
	return list
}

func (e *entry) isOpen() bool { return e.created && e.closedAt == 0 }

// compareEntries orders as Compare does, without making the incidents.
func compareEntries(a, b *entry) int {
	return cmp.Or(
		cmp.Compare(b.worth(), a.worth()), cmp.Compare(b.counts().Alerts, a.counts().Alerts),
		cmp.Compare(a.firstSeen, b.firstSeen), bytes.Compare(a.id[:], b.id[:]),
	)
}

func (e *entry) worth() int8 { return worth(e.severity, e.alerts > e.failed) }
