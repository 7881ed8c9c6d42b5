package jsonscan

import (
	"encoding/binary"
	"encoding/json"
	"strings"
	"testing"
)

// Members of texts are read by words. Wherever a key and its value begin and end in these, each wrong byte is noticed at
// each of their places, and none is where all are right.
func TestTextsAtEveryPlace(t *testing.T) {
	var s Scanner
	rest := `,"` + strings.Repeat("k", 9) + `":"` + strings.Repeat("v", 2*TextsWindow) + `"}`
	for key := range 28 {
		for value := range 28 {
			b := []byte(`{"` + strings.Repeat("a", key) + `":"` + strings.Repeat("b", value) + `","c":"d"` + rest)
			for i := range len(b) - len(rest) {
				right := b[i]
				for _, c := range []byte("\"\\\x01\xc3,:{ xt") {
					b[i] = c
					end, err := s.SkipValue(b, 0)
					if got, want := err == nil && end == len(b), json.Valid(b); got != want {
						t.Fatalf("%q is %t, want %t: %v", b, got, want, err)
					}
				}
				b[i] = right
			}
		}
	}
}

// Three reads as far as it can, and nothing beyond.
func TestThree(t *testing.T) {
	b := []byte(`x","yz`)
	for i, want := range map[int]uint32{-1: 0, 0: 'x' | '"'<<8 | ','<<16, 1: QuoteCommaQuote, 2: ',' | '"'<<8 | 'y'<<16, 3: 0, 6: 0, 7: 0} {
		if got := Three(b, i); got != want {
			t.Errorf("%d: %#x, want %#x", i, got, want)
		}
	}
}

// Whatever byte follows a part of a number or a literal, it is taken or refused as by encoding/json.
func TestByteBehindScalar(t *testing.T) {
	var s Scanner
	for _, before := range []string{"0", "1", "-", "-1", "1.", "1.5", "1e", "1e5", "1E-", "1E-5", "tru", "true", "fals", "false", "nul", "null", `""`} {
		for c := range 256 {
			for _, after := range []string{"", "0"} {
				b := []byte("[" + before + string([]byte{byte(c)}) + after + "]")
				end, err := s.SkipValue(b, 0)
				if got, want := err == nil && end == len(b), json.Valid(b); got != want {
					t.Errorf("%q is %t, want %t: %v", b, got, want, err)
				}
			}
		}
	}
}

// A literal has a length where a comma and a quote follow it; anything else has none.
func TestLiteral(t *testing.T) {
	for text, want := range map[string]int{
		`true,"ab`: 4, `null,"ab`: 4, `false,"a`: 5, `true, "a`: 0, `null}"ab`: 0, `false,1a`: 0, `falsy,"a`: 0, `"true,"a`: 0, `12345678`: 0,
	} {
		if got := Literal(binary.LittleEndian.Uint64([]byte(text))); got != want {
			t.Errorf("%s: %d, want %d", text, got, want)
		}
	}
	for _, text := range []string{`true,"ab`, `null,"ab`, `false,"a`} {
		w := binary.LittleEndian.Uint64([]byte(text))
		for bit := range 8 * (strings.IndexByte(text, '"') + 1) {
			if got := Literal(w ^ 1<<bit); got != 0 {
				t.Errorf("%s with bit %d flipped: %d", text, bit, got)
			}
		}
	}
}
