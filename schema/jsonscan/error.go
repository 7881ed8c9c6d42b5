package jsonscan

import (
	"errors"
	"strconv"
)

// SyntaxError says where and why bytes are not JSON by RFC 8259.
type SyntaxError struct {
	// Offset is the index of the first wrong byte, from the start of what was read; if Truncated is set it is the
	// length of the input.
	Offset int
	// Truncated is set if the input ended too early: it was valid as far as it went.
	Truncated bool

	want  string // what belongs at Offset: "a value"
	found byte   // the byte at Offset, unless Truncated
}

// Error returns the text for people: "byte 132: found '}', want a value".
func (e *SyntaxError) Error() string {
	at := "byte " + strconv.Itoa(e.Offset)
	if e.Truncated {
		return at + ": the input ends, want " + e.want
	}
	return at + ": found " + quoteByte(e.found) + ", want " + e.want
}

// quoteByte quotes c so that it is safe in a log and on a terminal.
func quoteByte(c byte) string {
	if c < 0x80 {
		return strconv.QuoteRune(rune(c))
	}
	return "0x" + strconv.FormatUint(uint64(c), 16)
}

// Unexpected returns the error for b[i], or for the end of the input if i is there. It is not inlined, so that the
// callers' hot paths stay small.
//
//go:noinline
func Unexpected(b []byte, i int, want string) error {
	if i >= len(b) {
		return &SyntaxError{Offset: len(b), Truncated: true, want: want}
	}
	return &SyntaxError{Offset: i, found: b[i], want: want}
}

// StoppedAt returns the offset of the syntax error err, or i for any other.
func StoppedAt(err error, i int) int {
	if e, ok := errors.AsType[*SyntaxError](err); ok {
		return e.Offset
	}
	return i
}
