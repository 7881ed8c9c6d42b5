package cloudtrail

// scanner checks JSON against RFC 8259 in one pass, to any depth, without recursion. Its zero value
// is usable. It belongs to a [Decoder] and keeps the memory for deep nesting between events.
type scanner struct {
	// invalid is set by every string that holds bytes that are not UTF-8, or half of a surrogate pair.
	// Who wants to know clears it before and reads it after.
	invalid bool
	// deep holds the levels of nesting beyond the innermost 64, one bit a level.
	deep []uint64
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

// skipSpace returns the index of the first byte at or after i that is no JSON white space; len(b)
// where there is none.
func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}

// skipValue checks the JSON value that starts at b[i], with no white space before it, and returns the
// index after it; on an error the index where it stopped. Any depth is read without recursion, with one
// bit of memory a level.
func (s *scanner) skipValue(b []byte, i int) (end int, err error) {
	var n nesting
	s.deep = s.deep[:0]
	for {
		opened := false
		i, opened, err = s.openValue(b, i, &n)
		if err != nil {
			return stoppedAt(err, i), err
		}
		if opened {
			continue
		}
		i, err = s.closeValues(b, i, &n)
		if err != nil {
			return stoppedAt(err, i), err
		}
		if n.depth == 0 {
			return i, nil
		}
	}
}

// openValue reads a scalar, an empty container, or the start of a container up to where its first value
// begins, which it tells by opened.
func (s *scanner) openValue(b []byte, i int, n *nesting) (next int, opened bool, err error) {
	if i >= len(b) {
		return i, false, wrong(b, i, "a value")
	}
	switch b[i] {
	case '{':
		i = skipSpace(b, i+1)
		if i < len(b) && b[i] == '}' {
			return i + 1, false, nil
		}
		s.push(n, 1)
		i, err = s.skipKey(b, i)
		return i, true, err
	case '[':
		i = skipSpace(b, i+1)
		if i < len(b) && b[i] == ']' {
			return i + 1, false, nil
		}
		s.push(n, 0)
		return i, true, nil
	}
	i, err = s.skipScalar(b, i)
	return i, false, err
}

// closeValues goes on after a value: it closes the levels that end here and stops where the next value
// starts, or after the outermost level.
func (s *scanner) closeValues(b []byte, i int, n *nesting) (next int, err error) {
	for n.depth > 0 {
		i = skipSpace(b, i)
		object := n.bits&1 == 1
		switch {
		case i < len(b) && b[i] == ',':
			i = skipSpace(b, i+1)
			if object {
				return s.skipKey(b, i)
			}
			return i, nil
		case i < len(b) && b[i] == '}' && object, i < len(b) && b[i] == ']' && !object:
			s.pop(n)
			i++
		case object:
			return i, wrong(b, i, "a comma or the end of the object")
		default:
			return i, wrong(b, i, "a comma or the end of the array")
		}
	}
	return i, nil
}

// skipKey reads a key, its colon and the white space around, and returns where the value starts.
func (s *scanner) skipKey(b []byte, i int) (next int, err error) {
	if i >= len(b) || b[i] != '"' {
		return i, wrong(b, i, "a key")
	}
	if i, err = s.skipString(b, i); err != nil {
		return i, err
	}
	i = skipSpace(b, i)
	if i >= len(b) || b[i] != ':' {
		return i, wrong(b, i, "a colon")
	}
	return skipSpace(b, i+1), nil
}

// skipScalar reads a string, a number or a literal.
func (s *scanner) skipScalar(b []byte, i int) (end int, err error) {
	switch b[i] {
	case '"':
		return s.skipString(b, i)
	case 't':
		return skipLiteral(b, i, "true")
	case 'f':
		return skipLiteral(b, i, "false")
	case 'n':
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
	if i < len(b) && b[i] == '-' {
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
	if i < len(b) && b[i] == '.' {
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

// stoppedAt returns the offset of the syntax error err, or i for any other.
func stoppedAt(err error, i int) int {
	if e, ok := err.(*SyntaxError); ok {
		return e.Offset
	}
	return i
}
