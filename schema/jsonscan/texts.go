package jsonscan

import "encoding/binary"

// part is a position in an object.
type part uint8

const (
	atKey   part = iota // at what should be a key
	atValue             // after a colon
	atEnd               // after a value
)

// TextsWindow is how many bytes from a key's opening quote skipTexts looks at without checking for the end of the input
// each time: three words of the key, then the colon and two words of the value.
const TextsWindow = 48

// skipTexts reads members whose key and value are plain text without white space around it, from the key at b[i] on:
// they are most of an event. It returns where it stops and what is due there: the key of the first other member, or its
// value if the key is plain, or what follows the value if that is not another member.
func skipTexts(b []byte, i int) (next int, at part) {
	for i >= 0 && i < len(b)-TextsWindow {
		w := (*[TextsWindow]byte)(b[i:])
		if w[0] != '"' {
			return i, atKey
		}
		var p int
		if m := Special(binary.LittleEndian.Uint64(w[1:])); m != 0 {
			p = 1 + FirstMark(m)
		} else if m = Special(binary.LittleEndian.Uint64(w[9:])); m != 0 {
			p = 9 + FirstMark(m)
		} else if m = Special(binary.LittleEndian.Uint64(w[17:])); m != 0 {
			p = 17 + FirstMark(m)
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
		if m := Special(binary.LittleEndian.Uint64(w[p&31:])); m != 0 {
			end += FirstMark(m)
		} else if m = Special(binary.LittleEndian.Uint64(w[p&31+8:])); m != 0 {
			end += 8 + FirstMark(m)
		} else {
			end = SkipWords(b, value+16)
		}
		if Three(b, end) != QuoteCommaQuote {
			if b[end] == '"' {
				return end + 1, atEnd
			}
			return value - 1, atValue
		}
		i = end + 2
	}
	return i, atKey
}

// Literals with the comma and the quote that follow them, as the lowest bytes of a word.
const (
	trueCommaQuote  = 't' | 'r'<<8 | 'u'<<16 | 'e'<<24 | ','<<32 | '"'<<40
	nullCommaQuote  = 'n' | 'u'<<8 | 'l'<<16 | 'l'<<24 | ','<<32 | '"'<<40
	falseCommaQuote = 'f' | 'a'<<8 | 'l'<<16 | 's'<<24 | 'e'<<32 | ','<<40 | '"'<<48
)

// Literal returns the length of the literal that w starts with, if a comma and a quote follow it; else 0.
func Literal(w uint64) int {
	switch w & (1<<48 - 1) {
	case trueCommaQuote, nullCommaQuote:
		return 4
	}
	if w&(1<<56-1) == falseCommaQuote {
		return 5
	}
	return 0
}
