package cloudtrail

import (
	"bytes"
	"unicode/utf8"

	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

// maxRegion is the length of the longest region code that salvage accepts.
const maxRegion = 32

// maxOther bounds the region codes in a regionSet that are not in the caller's catalogue.
const maxOther = 64

// regionSet holds distinct region codes as JSON strings. Its zero value is empty, and it reuses its memory. Codes of the
// catalogue are all kept: an attacker who plants codes must not push out the real one. Of the others the first and the
// last ones are kept.
type regionSet struct {
	known []Value
	other []Value
	n     int // other codes so far, dropped ones included
}

func (s *regionSet) reset() { s.known, s.other, s.n = s.known[:0], s.other[:0], 0 }

func (s *regionSet) len() int { return len(s.known) + len(s.other) }

// at returns the code number i of len.
func (s *regionSet) at(i int) Value {
	if i < len(s.known) {
		return s.known[i]
	}
	return s.other[i-len(s.known)]
}

// has reports whether the code is kept.
func (s *regionSet) has(region []byte) bool {
	for i := range s.len() {
		if string(s.at(i)) == string(region) {
			return true
		}
	}
	return false
}

// add keeps the region code that value starts with. A damaged string counts if it starts with a code of the catalogue.
func (s *regionSet) add(value []byte, isKnown func(code []byte) bool) {
	code, isWhole := regionCode(value)
	isKnownCode := len(code) > 0 && isKnown != nil && isKnown(code)
	if !isWhole && !isKnownCode {
		return
	}
	var room [maxRegion + 2]byte
	region := append(append(append(room[:0], '"'), code...), '"')
	switch {
	case s.has(region):
	case isKnownCode:
		s.known = appendRegion(s.known, region)
	case len(s.other) < maxOther:
		s.other = appendRegion(s.other, region)
		s.n++
	default:
		at := maxOther/2 + s.n%(maxOther/2)
		s.other[at] = append(s.other[at][:0], region...)
		s.n++
	}
}

// appendRegion appends a copy of region, in the memory of an element that was there before if there was one.
func appendRegion(list []Value, region []byte) []Value {
	n := len(list)
	if n == cap(list) {
		return append(list, append(make(Value, 0, maxRegion+2), region...))
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
	if !quoted || n == 0 || n > maxRegion {
		return nil, false
	}
	return value[:n], n < len(value) && (value[n] == '"' || value[n] == '\\')
}

// salvaged is what a lenient search of damaged bytes has found. Its zero value is usable; it is reused between searches,
// and its values are valid until the next one.
type salvaged struct {
	regions regionSet // after a key awsRegion
	write   bool      // some key readOnly has the value false, as a boolean or a string
}

// salvage searches damaged bytes for what the decision needs. It leans to finding: it looks at any depth, and inside JSON
// that is quoted in a string, any number of times. It reports whether it found both a region and a readOnly of false; the
// caller tests each region. Once it has been used it allocates nothing.
func (s *salvaged) salvage(b []byte, isKnown func(code []byte) bool) bool {
	s.regions.reset()
	s.write = false
	for rest := b; ; {
		var value []byte
		if value, rest = afterKey(rest, "awsRegion"); value == nil {
			break
		}
		s.regions.add(value, isKnown)
	}
	for rest := b; !s.write; {
		var value []byte
		if value, rest = afterKey(rest, "readOnly"); value == nil {
			break
		}
		s.write = isFalse(value)
	}
	s.escaped(b, isKnown)
	return s.regions.len() > 0 && s.write
}

// escaped searches for the two keys where they are spelled with backslashes.
func (s *salvaged) escaped(b []byte, isKnown func(code []byte) bool) {
	for i := 0; i < len(b); i++ {
		next := bytes.IndexByte(b[i:], ':')
		if next < 0 {
			return
		}
		i += next
		key := keyBefore(b, i)
		if bytes.IndexByte(key, '\\') < 0 {
			continue
		}
		value := b[i+1+jsonscan.SkipSpace(b[i+1:], 0):]
		switch {
		case spells(key, "awsRegion"):
			s.regions.add(value, isKnown)
		case spells(key, "readOnly"):
			s.write = s.write || isFalse(value)
		}
	}
}

// maxEscapedKey is longer than either key with each letter escaped.
const maxEscapedKey = 64

// keyBefore returns the inside of the short string that ends before the colon b[i], or nil.
func keyBefore(b []byte, i int) []byte {
	b = bytes.TrimRight(b[max(0, i-2*maxEscapedKey):i], " \t\r\n")
	if len(b) == 0 || b[len(b)-1] != '"' {
		return nil
	}
	b = bytes.TrimRight(b[:len(b)-1], `\`)
	b = b[max(0, len(b)-maxEscapedKey):]
	return b[bytes.LastIndexByte(b, '"')+1:]
}

// spells reports whether a key with backslashes is the name. A backslash that starts no \u escape stands for nothing.
func spells(key []byte, name string) bool {
	for _, want := range []byte(name) {
		var c byte
		if c, key = nextLetter(key); c != want {
			return false
		}
	}
	return len(bytes.Trim(key, `\`)) == 0
}

// nextLetter returns the first letter of a key and the rest, or 0 if there is none.
func nextLetter(key []byte) (letter byte, rest []byte) {
	for len(key) > 0 && key[0] == '\\' {
		if r, size := jsonscan.FirstRune(key); size == len(`\u0061`) && r < utf8.RuneSelf {
			return byte(r), key[size:]
		}
		key = key[1:]
	}
	if len(key) == 0 {
		return 0, nil
	}
	return key[0], key[1:]
}

// isFalse reports whether a value starts with false, as a boolean or a string.
func isFalse(value []byte) bool {
	value, _ = trimQuotes(value)
	return len(value) >= len("false") && bytes.EqualFold(value[:len("false")], []byte("false"))
}

// afterKey finds the next key of this name in b and returns what follows its colon, and where to search
// on. The value is nil if no such key follows.
func afterKey(b []byte, name string) (value, rest []byte) {
	for {
		i := bytes.Index(b, []byte(name))
		if i < 0 {
			return nil, nil
		}
		b = b[i+len(name):]
		after, quoted := trimQuotes(b)
		after = after[jsonscan.SkipSpace(after, 0):]
		if quoted && len(after) > 0 && after[0] == ':' {
			return after[1+jsonscan.SkipSpace(after[1:], 0):], b
		}
	}
}

// trimQuotes cuts a quote off the start of b, with the backslashes before it where the JSON is itself
// within a string.
func trimQuotes(b []byte) (rest []byte, quoted bool) {
	rest = bytes.TrimLeft(b, `\`)
	if len(rest) > 0 && rest[0] == '"' {
		return rest[1:], true
	}
	return b, false
}

// isRegionByte reports whether a region code may hold c.
func isRegionByte(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-'
}
