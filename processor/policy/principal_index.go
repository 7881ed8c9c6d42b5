package policy

import (
	"maps"
	"slices"

	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// principalIndex rules out exceptions by principal. It looks at the part of their patterns before the first wildcard:
// the principal's resource must begin with it.
type principalIndex struct {
	rest     exceptionSet   // without a condition on the principal
	lengths  []int          // of the prefixes, each once
	byPrefix map[string]int // index in sets
	sets     []exceptionSet
}

func newPrincipalIndex(exceptions []exception) principalIndex {
	x := principalIndex{rest: newExceptionSet(len(exceptions)), byPrefix: make(map[string]int)}
	lengths := make(map[int]bool)
	for i := range exceptions {
		if len(exceptions[i].principals) == 0 {
			x.rest.set(i)
		}
		for _, p := range exceptions[i].principals {
			k, known := x.byPrefix[p.prefix]
			if !known {
				k = len(x.sets)
				x.byPrefix[p.prefix], x.sets = k, append(x.sets, newExceptionSet(len(exceptions)))
				lengths[len(p.prefix)] = true
			}
			x.sets[k].set(i)
		}
	}
	x.lengths = slices.Sorted(maps.Keys(lengths))
	return x
}

// possible returns word w of the exceptions that the principal of e does not rule out.
func (x *principalIndex) possible(w int, e *cloudtrail.Event, s *subject) uint64 {
	if len(x.lengths) == 0 {
		return x.rest[w]
	}
	who := s.actor(e)
	if who.prefixes > len(who.prefixSets) {
		return ^uint64(0) // too many prefixes: check them all
	}
	left := x.rest[w]
	for _, k := range who.prefixSets[:who.prefixes] {
		left |= x.sets[k][w]
	}
	return left
}

// readPrefixes looks up which prefixes the principal's resource begins with.
func (x *principalIndex) readPrefixes(who *actor) {
	resource := who.arn[arnComponents-1]
	for _, n := range x.lengths {
		if n > len(resource) {
			return
		}
		if k, ok := x.byPrefix[string(resource[:n])]; ok {
			if who.prefixes < len(who.prefixSets) {
				who.prefixSets[who.prefixes] = k
			}
			who.prefixes++
		}
	}
}
