package cloudtrail

import (
	"bytes"
	"iter"
)

// Members steps through the members of a JSON object, in its order: the key as it stands, and the value.
// It ends early where the value is no object or is damaged. Nothing recurses.
func (v Value) Members() iter.Seq2[Value, Value] {
	return func(yield func(key, value Value) bool) {
		if len(v) == 0 || v[0] != '{' {
			return
		}
		var s scanner
		for i := 0; ; {
			key, value, next, done, err := s.nextMember(v, i)
			if done || err != nil || !yield(key, value) {
				return
			}
			i = next
		}
	}
}

// Member returns the value of a key in a JSON object, or nil where there is none. Where the key stands
// twice the last one wins. Keys compare decoded.
func (v Value) Member(name string) Value {
	var found Value
	for key, value := range v.Members() {
		if key.EqualString(name) {
			found = value
		}
	}
	return found
}

// Strings steps through the strings in a JSON value at any depth, in their order, keys left out. Where the
// value is damaged it goes as far as it can. Nothing recurses.
func (v Value) Strings() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		var s scanner
		for i := 0; ; {
			quote := bytes.IndexByte(v[i:], '"')
			if quote < 0 {
				return
			}
			start := i + quote
			end, err := s.skipString(v, start)
			if err != nil {
				return
			}
			i = skipSpace(v, end)
			isKey := i < len(v) && v[i] == ':'
			if !isKey && !yield(v[start:end]) {
				return
			}
		}
	}
}
