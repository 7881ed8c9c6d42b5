package cloudtrail

import (
	"bytes"

	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

// maxSalvaged bounds the regions that salvage returns.
const maxSalvaged = 64

// salvaged is what a lenient search of damaged bytes has found. Its zero value is usable; it is reused
// between searches, and its values are valid until the next one.
type salvaged struct {
	// Regions holds each region code that stands after a key awsRegion at any depth, as a JSON string,
	// none twice. Of more than maxSalvaged the first and the last ones are there.
	Regions []Value
	// ReadOnly is false where some key readOnly has that value, as a boolean or a string; else nil.
	ReadOnly Value

	text [maxSalvaged][maxRegion + 2]byte // the bytes of Regions
	n    int                              // regions found so far, dropped ones included
}

// maxRegion is the length of the longest region code that salvage takes for one.
const maxRegion = 32

// salvage searches bytes that are no JSON for what the decision needs. It leans to finding: it looks at
// any depth, and inside of JSON that is quoted in a string, any number of times. It reports whether it
// found both a region and a readOnly of false; the caller tests each region. It allocates nothing once
// it has been used.
func (s *salvaged) salvage(b []byte) bool {
	s.reset()
	for rest := b; ; {
		var value []byte
		if value, rest = afterKey(rest, "awsRegion"); value == nil {
			break
		}
		s.addRegion(value)
	}
	for rest := b; s.ReadOnly == nil; {
		var value []byte
		if value, rest = afterKey(rest, "readOnly"); value == nil {
			break
		}
		value, _ = trimQuotes(value)
		if len(value) >= 5 && bytes.EqualFold(value[:5], []byte("false")) {
			s.ReadOnly = Value("false")
		}
	}
	return len(s.Regions) > 0 && s.ReadOnly != nil
}

func (s *salvaged) reset() { s.Regions, s.ReadOnly, s.n = s.Regions[:0], nil, 0 }

// add keeps the regions of a part of an event. A part with a region of its own at the top level starts an
// event: what was kept of another one goes.
func (s *salvaged) add(own Value, others []Value) {
	if own.IsString() {
		s.reset()
		s.addRegion(own)
	}
	for _, region := range others {
		s.addRegion(region)
	}
}

// addRegion keeps the region code that value starts with, if it is a new one.
func (s *salvaged) addRegion(value []byte) {
	value, quoted := trimQuotes(value)
	n := 0
	for n < len(value) && isRegionByte(value[n]) {
		n++
	}
	if !quoted || n == 0 || n > maxRegion || n == len(value) || value[n] != '"' && value[n] != '\\' {
		return
	}
	for _, r := range s.Regions {
		if string(r[1:len(r)-1]) == string(value[:n]) {
			return
		}
	}
	place := s.n
	if place >= maxSalvaged {
		place = maxSalvaged/2 + place%(maxSalvaged/2)
	}
	s.n++
	region := append(s.text[place][:0], '"')
	region = append(append(region, value[:n]...), '"')
	if place == len(s.Regions) {
		s.Regions = append(s.Regions, region)
		return
	}
	s.Regions[place] = region
}

// afterKey finds the next key of this name in b and returns what follows its colon, and where to search
// on. The value is nil where there is none any more.
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
