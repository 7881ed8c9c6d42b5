package jsonscan

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"strings"
	"testing"
)

// The lowest mark must be right whatever the two bytes beside each other are, in all places.
func TestSpecial(t *testing.T) {
	isSpecial := func(c int) bool { return c < 0x20 || c >= 0x80 || c == '"' || c == '\\' }
	for first := range 256 {
		for second := range 256 {
			for _, fill := range []byte{' ', '!', '#', '[', ']', 'a', 0x7f} {
				for at := range 7 {
					word := bytes.Repeat([]byte{fill}, 8)
					word[at], word[at+1] = byte(first), byte(second)
					want := 8
					switch {
					case isSpecial(first):
						want = at
					case isSpecial(second):
						want = at + 1
					}
					if got := bits.TrailingZeros64(Special(binary.LittleEndian.Uint64(word))) >> 3; got != want {
						t.Fatalf("%q: got %d, want %d", word, got, want)
					}
				}
			}
		}
	}
}

// A string ends where it ends, at every length and at every distance from the end of the input.
func TestSkipStringLengths(t *testing.T) {
	for n := range 100 {
		for after := range 40 {
			for _, last := range []string{"x", " ", `\n`, "é", "\xff", "\x01"} {
				text := []byte(`"` + strings.Repeat("x", n) + last + `"` + strings.Repeat(" ", after))
				var s Scanner
				end, err := s.SkipString(text, 0)
				wantErr := last == "\x01"
				if (err != nil) != wantErr || !wantErr && end != len(text)-after || wantErr && end != n+1 {
					t.Fatalf("%q: ended at %d: %v", text, end, err)
				}
				if s.Invalid != (last == "\xff") {
					t.Fatalf("%q: invalid is %v", text, s.Invalid)
				}
			}
		}
	}
}

// Words are read up to the first mark in them, but for the last eight bytes.
func TestSkipWords(t *testing.T) {
	for size := range 80 {
		for mark := range size {
			b := bytes.Repeat([]byte("x"), size)
			b[mark] = '"'
			for i := range mark + 1 {
				if got := SkipWords(b, i); got != mark && (got < size-8 || got > mark) {
					t.Fatalf("a mark at %d of %d, from %d: stopped at %d", mark, size, i, got)
				}
			}
		}
	}
}

// Text that is cut is read to its end and not beyond, whatever its length.
//
// Guards: the ends of both loops in SkipWords.
func TestCutText(t *testing.T) {
	text := []byte(`{"k":"` + strings.Repeat("x", 200))
	for n := 6; n <= len(text); n++ {
		cut := bytes.Clone(text[:n])
		if end, err := new(Scanner).SkipValue(cut, 0); err == nil || end != n {
			t.Errorf("%d bytes: read to %d, %v", n, end, err)
		}
	}
}
