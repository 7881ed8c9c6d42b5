package cloudtrail

import (
	"encoding/binary"

	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

// readTexts is skipTexts for the members of an event, literals included: it goes on as long as their keys are the
// ones that followed each other the last time, and notes in s.got where their values stand. Id is the key before
// b[i]. It stops at a key, then last is the one before it, or at the value of the key last.
func (s *scanner) readTexts(b []byte, i int, id keyID) (next int, last keyID, atValue bool) {
	for i >= 0 && i < len(b)-jsonscan.TextsWindow {
		w := (*[jsonscan.TextsWindow]byte)(b[i:])
		guess := s.follows[id]
		k := &keys[guess]
		if !k.equal((*[keyWindow]byte)(w[:])) {
			return i, id, false
		}
		id = guess
		p := int(k.size)
		value := i + p
		if w[p&31] != '"' {
			n := jsonscan.Literal(binary.LittleEndian.Uint64(w[p&31:]))
			if n == 0 {
				return value, id, true
			}
			s.got.put(id, value, value+n)
			i = value + n + 1
			continue
		}
		end := value + 1
		if m := jsonscan.Special(binary.LittleEndian.Uint64(w[p&31+1:])); m != 0 {
			end += jsonscan.FirstMark(m)
		} else if m = jsonscan.Special(binary.LittleEndian.Uint64(w[p&31+9:])); m != 0 {
			end += 8 + jsonscan.FirstMark(m)
		} else {
			end = jsonscan.SkipWords(b, value+17)
		}
		if jsonscan.Three(b, end) != jsonscan.QuoteCommaQuote {
			return value, id, true
		}
		s.got.put(id, value, end+1)
		i = end + 2
	}
	return i, id, false
}
