package cloudtrail

import "encoding/binary"

// scanner checks JSON against RFC 8259 in one pass, to any depth, without recursion. Its zero value
// is usable. It belongs to a [Decoder] and keeps the memory for deep nesting between events.
type scanner struct {
	// invalid is set by every string that holds bytes that are not UTF-8, or half of a surrogate pair.
	// Who wants to know clears it before and reads it after.
	invalid bool
	// deep holds the levels of nesting beyond the innermost 64, one bit a level.
	deep []uint64
	// follows guesses the key after each key of an event: the one that came after it the last time. Others has
	// the one that came before that one took its place: some keys are in every other event.
	follows, others [256]keyID
	// got is what was read of the event.
	got members
	// identity and tls remember the values of userIdentity and tlsDetails.
	identity, tls echo
}

// nesting remembers for each open level whether it is an object (1) or an array (0).
type nesting struct {
	depth int
	bits  uint64 // the innermost 64 levels, the innermost lowest
}

func (s *scanner) push(n *nesting, object uint64) {
	if n.depth&63 == 0 && n.depth > 0 {
		s.deep = append(s.deep, n.bits)
	}
	n.bits = n.bits<<1 | object
	n.depth++
}

func (s *scanner) pop(n *nesting) {
	n.depth--
	n.bits >>= 1
	if n.depth&63 == 0 && n.depth > 0 {
		last := len(s.deep) - 1
		n.bits = s.deep[last]
		s.deep = s.deep[:last]
	}
}

// at returns b[i], or 0, which is no part of any JSON, where i is not in b.
func at(b []byte, i int) byte {
	if uint(i) < uint(len(b)) {
		return b[i]
	}
	return 0
}

// What three returns for the bytes between two strings.
const (
	quoteColonQuote = '"' | ':'<<8 | '"'<<16
	quoteCommaQuote = '"' | ','<<8 | '"'<<16
)

// three returns the three bytes from b[i] on as one number, or 0 near the end of b.
func three(b []byte, i int) uint32 {
	if i >= 0 && i < len(b)-3 {
		return binary.LittleEndian.Uint32(b[i:]) & 0xffffff
	}
	return 0
}

// skipSpace returns the index of the first byte at or after i that is no JSON white space; len(b)
// where there is none. Most often there is none to skip, which one comparison tells.
func skipSpace(b []byte, i int) int {
	for i < len(b) && b[i] <= ' ' && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}

// skipValue checks the JSON value that starts at b[i], with no white space before it, and returns the
// index after it; on an error the index where it stopped. Any depth is read without recursion, with one
// bit of memory a level.
func (s *scanner) skipValue(b []byte, i int) (end int, err error) {
	c := at(b, i)
	if c != '{' && c != '[' {
		return s.skipScalar(b, i)
	}
	n := nesting{}
	s.deep = s.deep[:0]
	if c == '[' || at(b, i+1) != '"' {
		return s.skipNested(b, i, false, &n)
	}
	i, where := skipTexts(b, i+1)
	if where == atEnd && at(b, i) == '}' {
		return i + 1, nil // nothing but texts, as most objects have: no level was entered
	}
	s.push(&n, 1)
	i, ended, err := s.skipMembers(b, i, where, &n)
	if err != nil {
		return i, err
	}
	return s.skipNested(b, i, ended, &n)
}

// skipNested reads on until the outermost level is closed: from the end of a value within, or from the start of one.
func (s *scanner) skipNested(b []byte, i int, ended bool, n *nesting) (end int, err error) {
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

// skipStart reads a scalar, or goes into an object or array. It tells by ended whether a value ends at next.
func (s *scanner) skipStart(b []byte, i int, n *nesting) (next int, ended bool, err error) {
	switch at(b, i) {
	case '{':
		if i = skipSpace(b, i+1); at(b, i) == '}' {
			return i + 1, true, nil
		}
		s.push(n, 1)
		i, where := skipTexts(b, i)
		return s.skipMembers(b, i, where, n)
	case '[':
		if i = skipSpace(b, i+1); at(b, i) == ']' {
			return i + 1, true, nil
		}
		s.push(n, 0)
		return i, false, nil
	}
	i, err = s.skipScalar(b, i)
	return i, true, err
}

// skipAfter goes on after a value within an object or array: it closes the level, which ends a value of
// the next one, or reads up to the next value that is for skipValue to read. It tells by ended which it was.
func (s *scanner) skipAfter(b []byte, i int, n *nesting) (next int, ended bool, err error) {
	i = skipSpace(b, i)
	object := n.bits&1 == 1
	switch {
	case at(b, i) == ',':
		i = skipSpace(b, i+1)
		if object {
			i, where := skipTexts(b, i)
			return s.skipMembers(b, i, where, n)
		}
		return i, false, nil
	case at(b, i) == '}' && object, at(b, i) == ']' && !object:
		s.pop(n)
		return i + 1, true, nil
	case object:
		return i, false, wrong(b, i, "a comma or the end of the object")
	}
	return i, false, wrong(b, i, "a comma or the end of the array")
}

// skipMembers reads the members of an object from where skipTexts stopped, and goes into and out of the objects
// within: together with scalars they are most of an event. It stops where an array starts, or after the last scalar or
// object of a level that it cannot leave, which it tells by ended.
func (s *scanner) skipMembers(b []byte, i int, where part, n *nesting) (next int, ended bool, err error) {
	for ; ; i, where = skipTexts(b, i) {
		if where == atValue {
			i = skipSpace(b, i)
		} else if where == atKey {
			if _, i, err = s.skipKey(b, i); err != nil {
				return i, false, err
			}
		}
		if where != atEnd {
			switch c := at(b, i); {
			case c == '{' && at(b, i+1) == '"':
				s.push(n, 1)
				i++
				continue
			case c == '{' && at(b, i+1) == '}':
				i += 2
			case c == '{', c == '[':
				return i, false, nil
			default:
				if i, err = s.skipScalar(b, i); err != nil {
					return i, false, err
				}
			}
		}
		for i = skipSpace(b, i); at(b, i) == '}'; i = skipSpace(b, i) {
			s.pop(n)
			if i++; n.bits&1 == 0 {
				return i, true, nil
			}
		}
		if at(b, i) != ',' {
			return i, true, nil
		}
		i = skipSpace(b, i+1)
	}
}

// skipKey reads the key at b[i] and its colon. It returns the index after the key, and where the value starts.
func (s *scanner) skipKey(b []byte, i int) (end, value int, err error) {
	if at(b, i) != '"' {
		return i, i, wrong(b, i, "a key")
	}
	if end, err = s.skipString(b, i); err != nil {
		return end, end, err
	}
	i = skipSpace(b, end)
	if at(b, i) != ':' {
		return i, i, wrong(b, i, "a colon")
	}
	return end, skipSpace(b, i+1), nil
}

// skipScalar reads a string, a number or a literal.
func (s *scanner) skipScalar(b []byte, i int) (end int, err error) {
	if i >= len(b) {
		return i, wrong(b, i, "a value")
	}
	switch b[i] {
	case '"':
		return s.skipString(b, i)
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
			return i + j, wrong(b, i+j, "the literal "+literal)
		}
	}
	return i + len(literal), nil
}

// skipNumber reads a number; anything else that no value starts with is an error here.
func skipNumber(b []byte, i int) (end int, err error) {
	start := i
	if at(b, i) == '-' {
		i++
	}
	first := i
	if i = skipDigits(b, i); i == first {
		if first == start {
			return i, wrong(b, i, "a value")
		}
		return i, wrong(b, i, "a digit")
	}
	if b[first] == '0' {
		i = first + 1 // a zero stands alone: what follows is no part of the number
	}
	if at(b, i) == '.' {
		if end = skipDigits(b, i+1); end == i+1 {
			return end, wrong(b, end, "a digit")
		}
		i = end
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		if end = skipDigits(b, i); end == i {
			return end, wrong(b, end, "a digit")
		}
		i = end
	}
	return i, nil
}

// skipDigits returns the index of the first byte at or after i that is no digit.
func skipDigits(b []byte, i int) int {
	for i < len(b) && b[i]-'0' < 10 {
		i++
	}
	return i
}
