package policy

import (
	"encoding/binary"
	"maps"
	"net/netip"
	"slices"

	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// sourceIndex rules out exceptions by the source of a call. It needs one look-up per length of a range, however many
// ranges there are.
type sourceIndex struct {
	rest     exceptionSet         // without a condition on the source
	services exceptionSet         // with the name of a service
	bits     [2][]int             // lengths of the ranges, each once: of IPv4, of IPv6
	byRange4 map[uint64]int       // of IPv4 by rangeKey4, index in sets
	byRange6 map[netip.Prefix]int // of IPv6
	sets     []exceptionSet
}

func newSourceIndex(exceptions []exception) sourceIndex {
	n := len(exceptions)
	x := sourceIndex{
		rest: newExceptionSet(n), services: newExceptionSet(n),
		byRange4: make(map[uint64]int), byRange6: make(map[netip.Prefix]int),
	}
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
			k, known := x.look(prefix.Addr(), prefix.Bits())
			if !known {
				k = x.add(prefix, n)
			}
			x.sets[k].set(i)
			lengths[family(prefix.Addr())][prefix.Bits()] = true
		}
	}
	for i := range lengths {
		x.bits[i] = slices.Sorted(maps.Keys(lengths[i]))
	}
	return x
}

// look returns the index of the set for the range of that length that contains the address.
func (x *sourceIndex) look(addr netip.Addr, bits int) (k int, ok bool) {
	if addr.Is4() {
		k, ok = x.byRange4[rangeKey4(addr, bits)]
		return k, ok
	}
	prefix, _ := addr.Prefix(bits) // a length of its own family
	k, ok = x.byRange6[prefix]
	return k, ok
}

// add makes an empty set of n exceptions for a range and returns its index.
func (x *sourceIndex) add(prefix netip.Prefix, n int) int {
	k := len(x.sets)
	x.sets = append(x.sets, newExceptionSet(n))
	if addr := prefix.Addr(); addr.Is4() {
		x.byRange4[rangeKey4(addr, prefix.Bits())] = k
	} else {
		x.byRange6[prefix.Masked()] = k
	}
	return k
}

// rangeKey4 identifies the range of that length that contains an IPv4 address.
func rangeKey4(addr netip.Addr, bits int) uint64 {
	octets := addr.As4()
	return uint64(binary.BigEndian.Uint32(octets[:])>>(32-bits))<<8 | uint64(bits)
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
	if len(x.sets) == 0 && x.services[w] == 0 {
		return left
	}
	s.readSource(e)
	switch {
	case !s.isAddr:
		return left | x.services[w]
	case s.ranges > len(s.rangeSets):
		return ^uint64(0) // too many ranges: check them all
	}
	for _, k := range s.rangeSets[:s.ranges] {
		left |= x.sets[k][w]
	}
	return left
}

// readRanges looks up the ranges that contain the source's address.
func (x *sourceIndex) readRanges(s *subject) {
	for _, bits := range x.bits[family(s.addr)] {
		if k, ok := x.look(s.addr, bits); ok {
			if s.ranges < len(s.rangeSets) {
				s.rangeSets[s.ranges] = k
			}
			s.ranges++
		}
	}
}
