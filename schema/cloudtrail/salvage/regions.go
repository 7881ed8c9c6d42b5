// Package salvage searches damaged bytes for what a decision needs: regions, a readOnly of false, and where the next value may
// start. It leans to finding: what an actor writes can add to what is found, never hide it.
package salvage

import "github.com/regionwatch/regionwatch/schema/jsonscan"

// MaxRegion is the length of the longest region code that salvage accepts.
const MaxRegion = 32

// maxOther bounds the region codes in a Regions that are not in the caller's catalogue.
const maxOther = 64

// Regions holds distinct region codes as JSON strings. Its zero value is empty, and it reuses its memory. Codes of the
// catalogue are all kept: an attacker who plants codes must not push out the real one. Of the others the first and the
// last ones are kept.
type Regions struct {
	known []jsonscan.Value
	other []jsonscan.Value
	n     int // other codes beyond maxOther so far
}

// Reset empties the set.
func (s *Regions) Reset() { s.known, s.other, s.n = s.known[:0], s.other[:0], 0 }

// Len returns how many codes are kept.
func (s *Regions) Len() int { return len(s.known) + len(s.other) }

// At returns the code number i of len.
func (s *Regions) At(i int) jsonscan.Value {
	if i < len(s.known) {
		return s.known[i]
	}
	return s.other[i-len(s.known)]
}

// Has reports whether the code is kept.
func (s *Regions) Has(region []byte) bool {
	for i := range s.Len() {
		if string(s.At(i)) == string(region) {
			return true
		}
	}
	return false
}

// Add keeps the region code that value starts with. A damaged string counts if it starts with a code of the catalogue.
func (s *Regions) Add(value []byte, isKnown func(code []byte) bool) {
	code, isWhole := regionCode(value)
	isKnownCode := isKnown != nil && isKnown(code)
	if !isWhole && !isKnownCode {
		return
	}
	var room [MaxRegion + 2]byte
	region := append(append(append(room[:0], '"'), code...), '"')
	switch {
	case s.Has(region):
	case isKnownCode:
		s.known = appendRegion(s.known, region)
	case len(s.other) < maxOther:
		s.other = appendRegion(s.other, region)
	default:
		at := maxOther/2 + s.n%(maxOther/2)
		s.other[at] = append(s.other[at][:0], region...)
		s.n++
	}
}

// appendRegion appends a copy of region, in the memory of an element that was there before if there was one.
func appendRegion(list []jsonscan.Value, region []byte) []jsonscan.Value {
	n := len(list)
	if n == cap(list) {
		return append(list, append(make(jsonscan.Value, 0, MaxRegion+2), region...))
	}
	list = list[:n+1]
	list[n] = append(list[n][:0], region...)
	return list
}

// regionCode returns the region code that the string at the start of value starts with, and whether the string ends behind it.
func regionCode(value []byte) (code []byte, isWhole bool) {
	value, quoted := trimQuotes(value)
	n := 0
	for n < len(value) && isRegionByte(value[n]) {
		n++
	}
	if !quoted || n == 0 || n > MaxRegion {
		return nil, false
	}
	return value[:n], n < len(value) && (value[n] == '"' || value[n] == '\\')
}

// isRegionByte reports whether a region code may hold c.
func isRegionByte(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-'
}
