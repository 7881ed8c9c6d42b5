package policy

import (
	"bytes"

	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

// ReadOnly is an event's own readOnly. The zero value is ReadOnlyMissing.
type ReadOnly uint8

// What readOnly can be.
const (
	ReadOnlyMissing ReadOnly = iota // absent or null
	ReadOnlyFalse                   // false, or the string "false" in any ASCII case: a write
	ReadOnlyTrue                    // true, or the string "true" in any ASCII case
	ReadOnlyOdd                     // anything else
)

var readOnlyNames = [...]string{"missing", "false", "true", "neither a boolean nor the text true or false"}

// String returns the words for people.
func (r ReadOnly) String() string { return readOnlyNames[r] }

// ReadOnlyOf reads the event's readOnly. AWS writes a boolean; some pipelines make strings of booleans.
func ReadOnlyOf(v jsonscan.Value) ReadOnly {
	switch {
	case v.IsNull():
		return ReadOnlyMissing
	case v[0] == 'f':
		return ReadOnlyFalse
	case v[0] == 't':
		return ReadOnlyTrue
	case v.IsString():
		return readOnlyText(v)
	}
	return ReadOnlyOdd
}

func readOnlyText(v jsonscan.Value) ReadOnly {
	const longest = 2 + 6*len("false") // in quotes, every letter escaped
	if len(v) > longest {
		return ReadOnlyOdd
	}
	var array [longest]byte
	text := v.AppendText(array[:0])
	// Letters outside ASCII that fold into one of these (U+017F into s) are longer, so the length rules them out.
	switch {
	case len(text) == len("false") && bytes.EqualFold(text, []byte("false")):
		return ReadOnlyFalse
	case len(text) == len("true") && bytes.EqualFold(text, []byte("true")):
		return ReadOnlyTrue
	}
	return ReadOnlyOdd
}
