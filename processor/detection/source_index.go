package detection

import (
	"maps"
	"net/netip"
	"slices"

	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// sourceIndex tells which exceptions the source of a call does not rule out, by the ranges of addresses that they
// ask for: one look-up for each length of a range, however many ranges there are.
type sourceIndex struct {
	rest     exceptionSet // that ask for no source
	services exceptionSet // that ask for the name of a service
	bits     [2][]int     // lengths of the ranges, each once: of IPv4, of IPv6
	byRange  map[netip.Prefix]exceptionSet
}

func newSourceIndex(exceptions []exception) sourceIndex {
	n := len(exceptions)
	x := sourceIndex{rest: newExceptionSet(n), services: newExceptionSet(n), byRange: make(map[netip.Prefix]exceptionSet)}
	var lengths [2]map[int]bool
	for i := range lengths {
		lengths[i] = make(map[int]bool)
	}
	for i := range exceptions {
		e := &exceptions[i]
		if len(e.sourceIPs)+len(e.sourceServices) == 0 {
			x.rest.set(i)
		}
		if len(e.sourceServices) > 0 {
			x.services.set(i)
		}
		for _, prefix := range e.sourceIPs {
			prefix = prefix.Masked()
			if x.byRange[prefix] == nil {
				x.byRange[prefix] = newExceptionSet(n)
			}
			x.byRange[prefix].set(i)
			lengths[family(prefix.Addr())][prefix.Bits()] = true
		}
	}
	for i := range lengths {
		x.bits[i] = slices.Sorted(maps.Keys(lengths[i]))
	}
	return x
}

// family is 0 for IPv4 and 1 for IPv6.
func family(addr netip.Addr) int {
	if addr.Is4() {
		return 0
	}
	return 1
}

// possible returns word w of the exceptions that the source of e does not rule out.
func (x *sourceIndex) possible(w int, e *cloudtrail.Event, s *subject) uint64 {
	left := x.rest[w]
	if len(x.byRange) == 0 && x.services[w] == 0 {
		return left
	}
	s.readSource(e)
	switch {
	case !s.isAddr:
		return left | x.services[w]
	case s.ranges > len(s.rangeSets):
		return ^uint64(0) // more than there is room for: all are looked at
	}
	for _, set := range s.rangeSets[:s.ranges] {
		left |= set[w]
	}
	return left
}

// readRanges looks up which ranges the source's address is in.
func (x *sourceIndex) readRanges(s *subject) {
	for _, bits := range x.bits[family(s.addr)] {
		prefix, _ := s.addr.Prefix(bits) // of its own family
		if set, ok := x.byRange[prefix]; ok {
			if s.ranges < len(s.rangeSets) {
				s.rangeSets[s.ranges] = set
			}
			s.ranges++
		}
	}
}
