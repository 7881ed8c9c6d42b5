package cloudtrail

import "encoding/binary"

// part is where in an object reading stands.
type part uint8

const (
	atKey   part = iota // at what should be a key
	atValue             // after a colon
	atEnd               // after a value
)

// textsWindow is how many bytes from a key's opening quote on skipTexts looks at without asking for the end of the
// input each time: three words of the key, and the colon and two words of the value behind them.
const textsWindow = 48

// skipTexts reads members whose key and value are plain text without white space around it, from the key at b[i] on:
// they are most of an event. It returns where it stops, and what should stand there: the key of the first member that
// is not, or its value where the key is plain, or what follows the value where another member does not.
func skipTexts(b []byte, i int) (next int, at part) {
	for i >= 0 && i < len(b)-textsWindow {
		w := (*[textsWindow]byte)(b[i:])
		if w[0] != '"' {
			return i, atKey
		}
		var p int
		if m := special(binary.LittleEndian.Uint64(w[1:])); m != 0 {
			p = 1 + firstMark(m)
		} else if m = special(binary.LittleEndian.Uint64(w[9:])); m != 0 {
			p = 9 + firstMark(m)
		} else if m = special(binary.LittleEndian.Uint64(w[17:])); m != 0 {
			p = 17 + firstMark(m)
		} else {
			return i, atKey
		}
		x := binary.LittleEndian.Uint32(w[p&31:])
		if x&0xffffff != quoteColonQuote {
			if x&0xffff == '"'|':'<<8 {
				return i + p + 2, atValue
			}
			return i, atKey
		}
		p += 3
		value := i + p
		end := value
		if m := special(binary.LittleEndian.Uint64(w[p&31:])); m != 0 {
			end += firstMark(m)
		} else if m = special(binary.LittleEndian.Uint64(w[p&31+8:])); m != 0 {
			end += 8 + firstMark(m)
		} else {
			end = skipWords(b, value+16)
		}
		if three(b, end) != quoteCommaQuote {
			if b[end] == '"' {
				return end + 1, atEnd
			}
			return value - 1, atValue
		}
		i = end + 2
	}
	return i, atKey
}

// readTexts is skipTexts for the members of an event, literals included: it goes on as long as their keys are the
// ones that followed each other the last time, and notes in s.got where their values stand. Id is the key before
// b[i]. It stops at a key, then last is the one before it, or at the value of the key last.
func (s *scanner) readTexts(b []byte, i int, id keyID) (next int, last keyID, at part) {
	for i >= 0 && i < len(b)-textsWindow {
		w := (*[textsWindow]byte)(b[i:])
		guess := s.follows[id]
		k := &keys[guess]
		if !k.equal((*[keyWindow]byte)(w[:])) {
			return i, id, atKey
		}
		id = guess
		p := int(k.size)
		value := i + p
		if w[p&31] != '"' {
			n := literal(binary.LittleEndian.Uint64(w[p&31:]))
			if n == 0 {
				return value, id, atValue
			}
			s.got.put(id, value, value+n)
			i = value + n + 1
			continue
		}
		end := value + 1
		if m := special(binary.LittleEndian.Uint64(w[p&31+1:])); m != 0 {
			end += firstMark(m)
		} else if m = special(binary.LittleEndian.Uint64(w[p&31+9:])); m != 0 {
			end += 8 + firstMark(m)
		} else {
			end = skipWords(b, value+17)
		}
		if three(b, end) != quoteCommaQuote {
			return value, id, atValue
		}
		s.got.put(id, value, end+1)
		i = end + 2
	}
	return i, id, atKey
}

// Literals with the comma and the quote that follow them, as the lowest bytes of a word.
const (
	trueCommaQuote  = 't' | 'r'<<8 | 'u'<<16 | 'e'<<24 | ','<<32 | '"'<<40
	nullCommaQuote  = 'n' | 'u'<<8 | 'l'<<16 | 'l'<<24 | ','<<32 | '"'<<40
	falseCommaQuote = 'f' | 'a'<<8 | 'l'<<16 | 's'<<24 | 'e'<<32 | ','<<40 | '"'<<48
)

// literal returns the length of the literal that w starts with, if a comma and a quote follow it; else 0.
func literal(w uint64) int {
	switch w & (1<<48 - 1) {
	case trueCommaQuote, nullCommaQuote:
		return 4
	}
	if w&(1<<56-1) == falseCommaQuote {
		return 5
	}
	return 0
}
