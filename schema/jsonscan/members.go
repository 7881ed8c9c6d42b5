package jsonscan

import (
	"bytes"
	"iter"
)

// NextKey steps through an object for a caller that reads the values itself: start with i at the opening brace,
// continue with what AfterValue returned. It returns the raw key, quotes and escapes included, and where its value
// starts, unchecked. At the closing brace done is set and value is the index after it.
func (s *Scanner) NextKey(b []byte, i int) (key Value, value int, done bool, err error) {
	if i >= len(b) || b[i] != '{' && b[i] != ',' && b[i] != '}' {
		return nil, i, false, Unexpected(b, i, "a comma or the end of the object")
	}
	if b[i] == '}' {
		return nil, i + 1, true, nil
	}
	start := SkipSpace(b, i+1)
	if b[i] == '{' && start < len(b) && b[start] == '}' {
		return nil, start + 1, true, nil
	}
	end, value, err := s.SkipKey(b, start)
	if err != nil {
		return nil, value, false, err
	}
	return Value(b[start:end]), value, false, nil
}

// NextMember steps through the members of an object: start with i at the opening brace, continue with the returned
// next. The key is the raw JSON string, the value is checked; both are sub-slices of b. At the closing brace done is
// set and next is the index after it. On an error next is where it stopped, and value is nil unless it was complete and
// what follows it is wrong.
func (s *Scanner) NextMember(b []byte, i int) (key, value Value, next int, done bool, err error) {
	key, start, done, err := s.NextKey(b, i)
	if done || err != nil {
		return nil, nil, start, done, err
	}
	end, err := s.SkipValue(b, start)
	if err != nil {
		return key, nil, end, false, err
	}
	next, err = AfterValue(b, end, '}')
	return key, Value(b[start:end]), next, false, err
}

// NextItem steps to the next value of an array and returns where it starts, unchecked: start with i at the opening
// bracket, continue with what AfterValue returned. At the closing bracket done is set and value is the index after it.
func NextItem(b []byte, i int) (value int, done bool, err error) {
	if i >= len(b) || b[i] != '[' && b[i] != ',' && b[i] != ']' {
		return i, false, Unexpected(b, i, "a comma or the end of the array")
	}
	if b[i] == ']' {
		return i + 1, true, nil
	}
	start := SkipSpace(b, i+1)
	if b[i] == '[' && start < len(b) && b[start] == ']' {
		return start + 1, true, nil
	}
	if start >= len(b) || b[start] == ']' {
		return start, false, Unexpected(b, start, "a value")
	}
	return start, false, nil
}

// AfterValue returns the index of the comma or the closing bracket or brace that follows a value's end.
func AfterValue(b []byte, i int, closer byte) (next int, err error) {
	i = SkipSpace(b, i)
	if i < len(b) && (b[i] == ',' || b[i] == closer) {
		return i, nil
	}
	if closer == '}' {
		return i, Unexpected(b, i, "a comma or the end of the object")
	}
	return i, Unexpected(b, i, "a comma or the end of the array")
}

// Members iterates over the members of a JSON object in order: the raw key, and the value. It ends early if the value
// is damaged or not an object. Nothing recurses.
func (v Value) Members() iter.Seq2[Value, Value] {
	return func(yield func(key, value Value) bool) {
		if len(v) == 0 || v[0] != '{' {
			return
		}
		var s Scanner
		for i := 0; ; {
			key, value, next, done, err := s.NextMember(v, i)
			if done || err != nil || !yield(key, value) {
				return
			}
			i = next
		}
	}
}

// Member returns the value of a key in a JSON object, or nil if there is none. The last of duplicate keys wins. Keys
// compare decoded.
func (v Value) Member(name string) Value {
	var found Value
	for key, value := range v.Members() {
		if key.EqualString(name) {
			found = value
		}
	}
	return found
}

// Strings iterates over the strings in a JSON value at any depth, in order, without keys. In a damaged value it goes as
// far as it can. Nothing recurses.
func (v Value) Strings() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		var s Scanner
		for i := 0; ; {
			quote := bytes.IndexByte(v[i:], '"')
			if quote < 0 {
				return
			}
			start := i + quote
			end, err := s.SkipString(v, start)
			if err != nil {
				return
			}
			i = SkipSpace(v, end)
			isKey := i < len(v) && v[i] == ':'
			if !isKey && !yield(v[start:end]) {
				return
			}
		}
	}
}
