package jsonscan

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// The same byte in each of a word's eight places. They are variables, though never changed, because the compiler
// rebuilds constants of this size at each use.
var (
	every01 uint64 = 0x0101010101010101
	every02 uint64 = 0x0202020202020202
	every21 uint64 = 0x2121212121212121
	every5c uint64 = 0x5c5c5c5c5c5c5c5c
	every80 uint64 = 0x8080808080808080
)

// Special marks the bytes of w where a string's plain text ends: quotes, backslashes, control characters, and bytes
// that are not ASCII. Only the lowest mark is exact: a borrow of the subtraction can mark bytes above it, never below.
//
// Flipping bit 1 moves the quote (0x22) down to 0x20 and keeps the control characters below that, so that one
// subtraction finds both. Bytes outside ASCII need no separate test: after the subtractions their high bit is still set
// in one or the other.
func Special(w uint64) uint64 {
	return (((w ^ every02) - every21) | ((w ^ every5c) - every01)) & every80
}

// FirstMark returns the index of the first marked byte in m, which is not 0.
func FirstMark(m uint64) int { return bits.TrailingZeros64(m) >> 3 }

// SkipWords returns the index of the first byte at or after i that is not plain text of a string, looking at whole
// words: it may stop early in the last 8 bytes of b. The loops are written so that the compiler needs no bounds checks
// in them; three words per round were the fastest on events.
func SkipWords(b []byte, i int) int {
	for ; i >= 0 && i < len(b)-24; i += 24 {
		if m := Special(binary.LittleEndian.Uint64(b[i:])); m != 0 {
			return i + FirstMark(m)
		}
		if m := Special(binary.LittleEndian.Uint64(b[i+8:])); m != 0 {
			return i + 8 + FirstMark(m)
		}
		if m := Special(binary.LittleEndian.Uint64(b[i+16:])); m != 0 {
			return i + 16 + FirstMark(m)
		}
	}
	for ; i >= 0 && i < len(b)-8; i += 8 {
		if m := Special(binary.LittleEndian.Uint64(b[i:])); m != 0 {
			return i + FirstMark(m)
		}
	}
	return i
}

// SkipString reads the string whose opening quote is b[i] and returns the index after its closing one.
func (s *Scanner) SkipString(b []byte, i int) (end int, err error) {
	i++
	for {
		i = SkipPlain(b, i)
		switch {
		case i >= len(b):
			return i, Unexpected(b, i, "the end of the string")
		case b[i] == '"':
			return i + 1, nil
		case b[i] == '\\':
			i, err = s.skipEscape(b, i)
		case b[i] >= utf8.RuneSelf:
			i = s.skipNonASCII(b, i)
		default:
			err = Unexpected(b, i, "no control character in a string")
		}
		if err != nil {
			return i, err
		}
	}
}

// SkipPlain returns the index of the first byte at or after i that is not plain text of a string.
func SkipPlain(b []byte, i int) int {
	i = SkipWords(b, i)
	if n := len(b) - i; 0 < n && n <= 8 && len(b) >= 8 {
		// The last word, without the bytes already read: zeros above its end count as marks.
		return i + FirstMark(Special(binary.LittleEndian.Uint64(b[len(b)-8:])>>(64-8*n)))
	}
	for i < len(b) && b[i] >= 0x20 && b[i] < utf8.RuneSelf && b[i] != '"' && b[i] != '\\' {
		i++
	}
	return i
}

// skipNonASCII reads characters outside ASCII, valid or not; the first is at b[i].
func (s *Scanner) skipNonASCII(b []byte, i int) int {
	for i < len(b) && b[i] >= utf8.RuneSelf {
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size == 1 {
			s.Invalid = true
		}
		i += size
	}
	return i
}

// skipEscape reads the escape sequence at the backslash b[i], and the second one of a surrogate pair
// with it.
func (s *Scanner) skipEscape(b []byte, i int) (end int, err error) {
	i++
	if i >= len(b) {
		return i, Unexpected(b, i, "an escape")
	}
	switch b[i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 1, nil
	case 'u':
	default:
		return i, Unexpected(b, i, "an escape")
	}
	for end = i + 1; end < i+5; end++ {
		if end >= len(b) || hexDigit(b[end]) < 0 {
			return end, Unexpected(b, end, "a hexadecimal digit")
		}
	}
	r := hexRune(b[i+1:])
	if !utf16.IsSurrogate(r) {
		return end, nil
	}
	if utf16.DecodeRune(r, escapedRune(b[end:])) == utf8.RuneError {
		s.Invalid = true
		return end, nil
	}
	return end + 6, nil
}

// escapedRune returns the code unit of the escape \uXXXX that b starts with, negative if it starts with anything else.
func escapedRune(b []byte) rune {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return -1
	}
	return hexRune(b[2:])
}

// hexRune returns the value of the four hexadecimal digits that b starts with, negative if one of them is none.
func hexRune(b []byte) (r rune) {
	for _, c := range b[:4] {
		r = r<<4 | hexDigit(c)
	}
	return r
}

// hexDigit returns the value of a hexadecimal digit, or -1.
func hexDigit(c byte) rune {
	switch {
	case '0' <= c && c <= '9':
		return rune(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return rune(c|0x20-'a') + 10
	}
	return -1
}
