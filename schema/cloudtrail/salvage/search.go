package salvage

import (
	"bytes"
	"unicode/utf8"

	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

// Search is what a lenient search of damaged bytes has found. Its zero value is usable; it is reused between searches,
// and its values are valid until the next one.
type Search struct {
	Regions Regions // after a key awsRegion
	Write   bool    // some key readOnly has the value false, as a boolean or a string
}

// In searches damaged bytes for what the decision needs. It leans to finding: it looks at any depth, and inside JSON
// that is quoted in a string, any number of times. It reports whether it found both a region and a readOnly of false; the
// caller tests each region. Once it has been used it allocates nothing.
func (s *Search) In(b []byte, isKnown func(code []byte) bool) bool {
	s.Regions.Reset()
	s.Write = false
	for rest := b; ; {
		var value []byte
		if value, rest = afterKey(rest, "awsRegion"); value == nil {
			break
		}
		s.Regions.Add(value, isKnown)
	}
	for rest := b; !s.Write; {
		var value []byte
		if value, rest = afterKey(rest, "readOnly"); value == nil {
			break
		}
		s.Write = IsFalse(value)
	}
	s.escaped(b, isKnown)
	return s.Regions.Len() > 0 && s.Write
}

// escaped searches for the two keys where they are spelled with backslashes.
func (s *Search) escaped(b []byte, isKnown func(code []byte) bool) {
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
			s.Regions.Add(value, isKnown)
		case spells(key, "readOnly"):
			s.Write = s.Write || IsFalse(value)
		}
	}
}

// MaxEscapedKey is longer than either key with each letter escaped.
const MaxEscapedKey = 64

// keyBefore returns the inside of the short string that ends before the colon b[i], or nil.
func keyBefore(b []byte, i int) []byte {
	b = bytes.TrimRight(b[max(0, i-2*MaxEscapedKey):i], " \t\r\n")
	if len(b) == 0 || b[len(b)-1] != '"' {
		return nil
	}
	b = bytes.TrimRight(b[:len(b)-1], `\`)
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

// IsFalse reports whether a value starts with false, as a boolean or a string.
func IsFalse(value []byte) bool {
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

// HoldsObject reports whether an object starts somewhere in the inside of a string.
func HoldsObject(body []byte) bool {
	for {
		brace := bytes.IndexByte(body, '{')
		if brace < 0 {
			return false
		}
		body = body[brace+1:]
		for len(body) > 0 {
			c, size := jsonscan.FirstRune(body)
			if c == '"' {
				return true
			}
			if c != ' ' && c != '\t' && c != '\r' && c != '\n' {
				break
			}
			body = body[size:]
		}
	}
}

// HasMark reports whether b has one of the keys that identify events, quoted or not.
func HasMark(b []byte) bool {
	for _, name := range [...]string{"eventVersion", "awsRegion", "userIdentity", "eventSource", "eventName", "readOnly"} {
		if value, _ := afterKey(b, name); value != nil {
			return true
		}
	}
	return false
}
