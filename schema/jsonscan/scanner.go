// Package jsonscan checks and splits JSON: strictly by RFC 8259, in one pass, at any depth, without recursion,
// reflection or copies. It does not interpret the JSON.
//
// It accepts exactly what encoding/json (v1) accepts, and beyond its limit of 10,000 levels any depth:
//
//   - White space is space, tab, line feed and carriage return. There are no comments, trailing commas or byte order
//     marks.
//   - Numbers have any size and exponent. They are never converted: 1e999999 is a value like any other. A leading zero
//     or plus is an error.
//   - In strings, control characters below 0x20 are errors, and so is any escape but \" \\ \/ \b \f \n \r \t and \u
//     with four hexadecimal digits. 0x7f and \u0000 are text.
//   - Bytes that are not UTF-8 and lone surrogates (\ud800) are accepted, as encoding/json does, and
//     [Scanner.Invalid] is set. [Value.AppendText] writes U+FFFD for each.
//   - Keys compare decoded and in exact case: "\u0061" is a, "A" is not.
//
// Everything else is a [SyntaxError] with its place. A [Value] is a sub-slice of the input and valid as long as the
// input is. The package starts no goroutines; a [Scanner] belongs to one goroutine at a time.
package jsonscan

import (
	"encoding/binary"
)

// Scanner checks JSON against RFC 8259 in one pass, to any depth, without recursion. Its zero value
// is usable. It belongs to one goroutine at a time and keeps the memory for deep nesting between events.
type Scanner struct {
	// Invalid is set by every string with bytes that are not UTF-8, or half of a surrogate pair. Clear it before a
	// value and read it after.
	Invalid bool
	// deep holds the levels of nesting beyond the innermost 64, one bit per level.
	deep []uint64
}

// nesting remembers for each open level whether it is an object (1) or an array (0).
type nesting struct {
	depth int
	bits  uint64 // the innermost 64 levels, the innermost lowest
}

func (s *Scanner) push(n *nesting, object uint64) {
	if n.depth&63 == 0 && n.depth > 0 {
		s.deep = append(s.deep, n.bits)
	}
	n.bits = n.bits<<1 | object
	n.depth++
}

func (s *Scanner) pop(n *nesting) {
	n.depth--
	n.bits >>= 1
	if n.depth&63 == 0 && n.depth > 0 {
		last := len(s.deep) - 1
		n.bits = s.deep[last]
		s.deep = s.deep[:last]
	}
}

// At returns b[i], or 0, which is never part of JSON, if i is out of range.
func At(b []byte, i int) byte {
	if uint(i) < uint(len(b)) {
		return b[i]
	}
	return 0
}

// What Three returns for the bytes between two strings.
const (
	quoteColonQuote = '"' | ':'<<8 | '"'<<16
	QuoteCommaQuote = '"' | ','<<8 | '"'<<16
)

// Three returns the three bytes from b[i] on as one number, or 0 near the end of b.
func Three(b []byte, i int) uint32 {
	if i >= 0 && i < len(b)-3 {
		return binary.LittleEndian.Uint32(b[i:]) & 0xffffff
	}
	return 0
}

// SkipSpace returns the index of the first byte at or after i that is not JSON white space; len(b) if there is none.
// Usually there is nothing to skip, which takes one comparison.
func SkipSpace(b []byte, i int) int {
	for i < len(b) && b[i] <= ' ' && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}

// SkipValue checks the JSON value that starts at b[i], with no white space before it, and returns the index after it,
// or on an error where it stopped. It reads any depth without recursion, with one bit of memory per level.
func (s *Scanner) SkipValue(b []byte, i int) (end int, err error) {
	c := At(b, i)
	if c != '{' && c != '[' {
		return s.skipScalar(b, i)
	}
	n := nesting{}
	s.deep = s.deep[:0]
	if c == '[' || At(b, i+1) != '"' {
		return s.skipNested(b, i, false, &n)
	}
	i, where := skipTexts(b, i+1)
	if where == atEnd && At(b, i) == '}' {
		return i + 1, nil // only texts, like most objects: no level was entered
	}
	s.push(&n, 1)
	i, ended, err := s.skipMembers(b, i, where, &n)
	if err != nil {
		return i, err
	}
	return s.skipNested(b, i, ended, &n)
}

// skipNested reads until the outermost level is closed: from the end of a value within, or from the start of one.
func (s *Scanner) skipNested(b []byte, i int, ended bool, n *nesting) (end int, err error) {
	for {
		for ended {
			if n.depth == 0 {
				return i, nil
			}
			if i, ended, err = s.skipAfter(b, i, n); err != nil {
				return i, err
			}
		}
		if i, ended, err = s.skipStart(b, i, n); err != nil {
			return i, err
		}
	}
}

// skipStart reads a scalar, or enters an object or array. ended says whether a value ends at next.
func (s *Scanner) skipStart(b []byte, i int, n *nesting) (next int, ended bool, err error) {
	switch At(b, i) {
	case '{':
		if i = SkipSpace(b, i+1); At(b, i) == '}' {
			return i + 1, true, nil
		}
		s.push(n, 1)
		i, where := skipTexts(b, i)
		return s.skipMembers(b, i, where, n)
	case '[':
		if i = SkipSpace(b, i+1); At(b, i) == ']' {
			return i + 1, true, nil
		}
		s.push(n, 0)
		return i, false, nil
	}
	i, err = s.skipScalar(b, i)
	return i, true, err
}

// skipAfter continues after a value within an object or array: it closes the level, which ends a value of the enclosing
// one, or moves to the next value, which SkipValue reads. ended says which.
func (s *Scanner) skipAfter(b []byte, i int, n *nesting) (next int, ended bool, err error) {
	i = SkipSpace(b, i)
	object := n.bits&1 == 1
	switch {
	case At(b, i) == ',':
		i = SkipSpace(b, i+1)
		if object {
			i, where := skipTexts(b, i)
			return s.skipMembers(b, i, where, n)
		}
		return i, false, nil
	case At(b, i) == '}' && object, At(b, i) == ']' && !object:
		s.pop(n)
		return i + 1, true, nil
	case object:
		return i, false, Unexpected(b, i, "a comma or the end of the object")
	}
	return i, false, Unexpected(b, i, "a comma or the end of the array")
}

// skipMembers reads the members of an object from where skipTexts stopped, and enters and leaves the objects within:
// together with scalars they are most of an event. It stops where an array starts, or after the last scalar or object
// of a level that it cannot leave; ended says which.
func (s *Scanner) skipMembers(b []byte, i int, where part, n *nesting) (next int, ended bool, err error) {
	for ; ; i, where = skipTexts(b, i) {
		if where == atValue {
			i = SkipSpace(b, i)
		} else if where == atKey {
			if _, i, err = s.SkipKey(b, i); err != nil {
				return i, false, err
			}
		}
		if where != atEnd {
			switch c := At(b, i); {
			case c == '{' && At(b, i+1) == '"':
				s.push(n, 1)
				i++
				continue
			case c == '{' && At(b, i+1) == '}':
				i += 2
			case c == '{', c == '[':
				return i, false, nil
			default:
				if i, err = s.skipScalar(b, i); err != nil {
					return i, false, err
				}
			}
		}
		for i = SkipSpace(b, i); At(b, i) == '}'; i = SkipSpace(b, i) {
			s.pop(n)
			if i++; n.bits&1 == 0 {
				return i, true, nil
			}
		}
		if At(b, i) != ',' {
			return i, true, nil
		}
		i = SkipSpace(b, i+1)
	}
}

// SkipKey reads the key at b[i] and its colon. It returns the index after the key, and where the value starts.
func (s *Scanner) SkipKey(b []byte, i int) (end, value int, err error) {
	if At(b, i) != '"' {
		return i, i, Unexpected(b, i, "a key")
	}
	if end, err = s.SkipString(b, i); err != nil {
		return end, end, err
	}
	i = SkipSpace(b, end)
	if At(b, i) != ':' {
		return i, i, Unexpected(b, i, "a colon")
	}
	return end, SkipSpace(b, i+1), nil
}

// skipScalar reads a string, a number or a literal.
func (s *Scanner) skipScalar(b []byte, i int) (end int, err error) {
	if i >= len(b) {
		return i, Unexpected(b, i, "a value")
	}
	switch b[i] {
	case '"':
		return s.SkipString(b, i)
	case 't':
		if i < len(b)-4 && string(b[i:i+4]) == "true" {
			return i + 4, nil
		}
		return skipLiteral(b, i, "true")
	case 'f':
		if i < len(b)-5 && string(b[i:i+5]) == "false" {
			return i + 5, nil
		}
		return skipLiteral(b, i, "false")
	case 'n':
		if i < len(b)-4 && string(b[i:i+4]) == "null" {
			return i + 4, nil
		}
		return skipLiteral(b, i, "null")
	}
	return skipNumber(b, i)
}

// skipLiteral reads the literal.
func skipLiteral(b []byte, i int, literal string) (end int, err error) {
	for j := range len(literal) {
		if i+j >= len(b) || b[i+j] != literal[j] {
			return i + j, Unexpected(b, i+j, "the literal "+literal)
		}
	}
	return i + len(literal), nil
}

// skipNumber reads a number; anything else that no value starts with is an error here.
func skipNumber(b []byte, i int) (end int, err error) {
	start := i
	if At(b, i) == '-' {
		i++
	}
	first := i
	if i = skipDigits(b, i); i == first {
		if first == start {
			return i, Unexpected(b, i, "a value")
		}
		return i, Unexpected(b, i, "a digit")
	}
	if b[first] == '0' {
		i = first + 1 // a zero stands alone: a digit after it is not part of the number
	}
	if At(b, i) == '.' {
		if end = skipDigits(b, i+1); end == i+1 {
			return end, Unexpected(b, end, "a digit")
		}
		i = end
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		if end = skipDigits(b, i); end == i {
			return end, Unexpected(b, end, "a digit")
		}
		i = end
	}
	return i, nil
}

// skipDigits returns the index of the first byte at or after i that is not a digit.
func skipDigits(b []byte, i int) int {
	for i < len(b) && b[i]-'0' < 10 {
		i++
	}
	return i
}
