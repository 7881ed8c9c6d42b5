package layer

import (
	"bytes"

	"github.com/regionwatch/regionwatch/schema/cloudtrail/salvage"
	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

// Base64 (RFC 4648) is how binary layers travel within JSON and through the interfaces of Kinesis and
// Lambda. Both alphabets are read, padded or not, broken into lines or not.

// Values of base64Value for bytes that are not six bits.
const (
	base64Blank = 64 + iota // white space and padding, left out
	base64Wrong
)

// base64Value holds the six bits that a byte stands for in either alphabet.
var base64Value = func() (table [256]byte) {
	for i := range table {
		table[i] = base64Wrong
	}
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		table[c] = byte(i)
	}
	table['-'], table['_'] = table['+'], table['/']
	for _, c := range []byte(" \t\r\n=") {
		table[c] = base64Blank
	}
	return table
}()

// base64Probe is how many characters are looked at to tell base64 from other text.
const base64Probe = 88

// IsBase64 reports whether b starts with base64 of something that we open, or is base64 of a text with one of our keys or an
// object in it. Words of plain text are base64 too, by their letters: what they decode to is not.
func IsBase64(b []byte) bool {
	var probe [base64Probe]byte
	size := min(len(b), base64Probe)
	n, stop := DecodeBase64(probe[:], b[:size])
	switch {
	case stop < size && n < MinBase64: // "e2." is not base64 of "{"
		return false
	case stop == size && n >= MinBase64 && (allBase64(probe[:n]) || base64Holds(b)):
		return true
	}
	for range MaxNesting {
		start := probe[:n]
		if i := jsonscan.SkipSpace(start, 0); i < n && (IsTextStart(start[i]) || start[i] == ByteOrderMark[0]) {
			return true
		}
		if kind, _ := cutHeader(start); kind != None || DetectCompression(start) != None {
			return true
		}
		n, _ = DecodeBase64(probe[:], start)
	}
	return false
}

// MinBase64 is how many bytes base64 must decode to before it is looked into: fewer hold no key with a value.
const MinBase64 = 16

// allBase64 reports whether b is base64 throughout.
func allBase64(b []byte) bool {
	for _, c := range b {
		if base64Value[c] == base64Wrong {
			return false
		}
	}
	return true
}

// isOnlyBase64 reports whether b is base64 that may hold an event.
func isOnlyBase64(b []byte) bool { return len(b) > MinBase64 && allBase64(b) }

// base64Holds reports whether b, up to the first byte that is not base64, is text with one of our keys or the start of an object in it.
func base64Holds(b []byte) bool {
	var window [4096]byte
	var state base64State
	kept := 0 // bytes of the window before: a key may stand across
	for {
		size := min(len(b), len(window)-kept)
		n, stop := state.decode(window[kept:], b[:size])
		text := window[:kept+n]
		if salvage.HasMark(text) || isPlain(text) && salvage.HoldsObject(text) || IsWide(text) {
			return true
		}
		if stop < size || size == len(b) {
			return false
		}
		b = b[size:]
		kept = copy(window[:], text[max(0, len(text)-salvage.MaxEscapedKey):])
	}
}

// isPlain reports whether b has no control characters, which binary soon has.
func isPlain(b []byte) bool {
	return bytes.IndexFunc(b, func(r rune) bool { return r < ' ' && r != '\t' && r != '\n' && r != '\r' }) < 0
}

// IsWide reports whether b is UTF-16 with one of our keys in it.
func IsWide(b []byte) bool {
	zeros := []byte{0}
	return bytes.Count(b, zeros) > len(b)/3 && salvage.HasMark(bytes.ReplaceAll(b, zeros, nil))
}

// Base64Run returns the first run of base64 in b[i:] that may hold something that we open, and where it ends; it is nil if
// there is none. Such runs follow a prefix, as in a data URI (RFC 2397).
func Base64Run(b []byte, i int) (run []byte, end int) {
	for start := i; start < len(b); start = end + 1 {
		for end = start; end < len(b) && (base64Value[b[end]] < base64Blank || b[end] == '\n' || b[end] == '\r'); {
			end++
		}
		if end-start > MinBase64/3*4 && IsBase64(b[start:end]) {
			return b[start:end], end
		}
	}
	return nil, len(b)
}

// DecodeBase64 decodes src into dst, which has room for three quarters of it, or is src itself. It returns
// how many bytes that made, and where it stopped: at len(src), or at the first byte that does not belong.
func DecodeBase64(dst, src []byte) (n, stop int) {
	var state base64State
	return state.decode(dst, src)
}

// maxWrong is how many characters may be wrong for the rest to be decoded: with more, what follows is not base64.
const maxWrong = 8

// DecodeDamaged is DecodeBase64 of characters of which some are wrong. If all of them together make whole groups of four,
// the wrong ones stand in the place of right ones, else they were put in.
func DecodeDamaged(dst, src []byte) (n int) {
	letters, wrong := 0, 0
	for _, c := range src {
		switch {
		case base64Value[c] == base64Wrong:
			wrong++
		case base64Value[c] < base64Blank || c == '=':
			letters++
		}
	}
	isReplaced := (letters+wrong)%4 == 0
	var state base64State
	for {
		m, stop := state.decode(dst[n:], src)
		n += m
		if stop == len(src) || wrong > maxWrong {
			return n
		}
		if isReplaced {
			m, _ = state.decode(dst[n:], []byte("A"))
			n += m
		}
		src = src[stop+1:]
	}
}

// base64State holds the bits that make no whole byte yet.
type base64State struct {
	bits uint32
	have int
}

// decode goes on decoding, as DecodeBase64 does.
func (s *base64State) decode(dst, src []byte) (n, stop int) {
	bits, have := s.bits, s.have
	for i, c := range src {
		value := base64Value[c]
		if value >= base64Blank {
			if value == base64Wrong {
				s.bits, s.have = bits, have
				return n, i
			}
			continue
		}
		bits, have = bits<<6|uint32(value), have+6
		if have >= 8 {
			have -= 8
			dst[n] = byte(bits >> have)
			n++
		}
	}
	s.bits, s.have = bits, have
	return n, len(src)
}
