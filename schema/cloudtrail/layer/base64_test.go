package layer

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
)

// eventText is long enough for base64 to be looked into.
const eventText = `{"awsRegion":"eu-west-3","readOnly":false}`

func toBase64(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// Both alphabets are read, padded or not, broken into lines or not, up to the first byte that is neither.
func TestDecodeBase64(t *testing.T) {
	f := func(text, want string, wantStop int) {
		t.Helper()
		src := []byte(text)
		for _, dst := range [][]byte{make([]byte, (len(text)*3+3)/4), src} { // its own memory will do
			if n, stop := DecodeBase64(dst, src); string(dst[:n]) != want || stop != wantStop {
				t.Errorf("%q: %q, stopped at %d", text, dst[:n], stop)
			}
		}
	}
	f("", "", 0)
	f("QUJD", "ABC", 4)
	f("QUI=", "AB", 4)
	f("QUI", "AB", 3)
	f("QUJDR", "ABC", 5)
	f(" Q\tU\r\nJ=D", "ABC", 9)
	f("QUJD!QUJD", "ABC", 4)
	f("QU\x00JD", "A", 2)
	f("+/-_", "\xfb\xff\xbf", 4)
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding, base64.RawStdEncoding, base64.RawURLEncoding} {
		text := encoding.EncodeToString(every)
		f(text, string(every), len(text))
	}
}

// A wrong character costs what it stands for where it replaced one, and nothing where it was put in; up to maxWrong of them.
func TestDecodeDamaged(t *testing.T) {
	const text = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" // 52 bytes are 72 characters, one of them padding
	packed := toBase64(text)
	spoil := func(n int, width int) string { // the last character of each of the first n groups
		b := []byte(packed)
		for i := n - 1; i >= 0; i-- {
			b = append(b[:4*i+3:4*i+3], append([]byte("!"), b[4*i+3+width:]...)...)
		}
		return string(b)
	}
	f := func(damaged, want string) {
		t.Helper()
		dst := make([]byte, len(damaged))
		if n := DecodeDamaged(dst, []byte(damaged)); string(dst[:n]) != want {
			t.Errorf("%s: %q, want %q", damaged, dst[:n], want)
		}
	}
	replaced := []byte(text)
	for n := 1; n <= maxWrong; n++ {
		replaced[3*n-1] &^= 0x3f // what an A in its place leaves
		f(spoil(n, 1), string(replaced))
		if n%4 != 0 { // else they make whole groups
			f(spoil(n, 0), text)
		}
	}
	f(spoil(maxWrong+1, 1), "AB")
	f(" "+spoil(1, 1), string(append(append([]byte(text[:2]), text[2]&^0x3f), text[3:]...))) // white space is no character
	f(breakLines(spoil(1, 1)), string(append(append([]byte(text[:2]), text[2]&^0x3f), text[3:]...)))
	f("QU!D", "A\x00\x03"[:1]+"@\x03")
	f("!"+packed, text)
}

// breakLines puts a line break after each 16 characters.
func breakLines(text string) string {
	var b strings.Builder
	for ; len(text) > 16; text = text[16:] {
		b.WriteString(text[:16] + "\r\n")
	}
	return b.String() + text
}

// Base64 of something that we open is recognized by its first bytes, or by a key or an object in its text.
func TestIsBase64(t *testing.T) {
	f := func(text string, want bool) {
		t.Helper()
		if got := IsBase64([]byte(text)); got != want {
			t.Errorf("%.200q: %t", text, got)
		}
	}
	words := func(n int) string { return strings.Repeat("a word, ", n/8+1)[:n] } // no base64, for its commas
	binary := func(n int) string { return strings.Repeat("\x01\xff", n/2+1)[:n] }
	f("", false)
	f(toBase64(eventText), true)
	f(toBase64("  [1,2]"), true)
	f(toBase64("\xef\xbb\xbf{}"), true)
	f("e30=", true) // {}
	f("e2.", false) // a brace, and a point that is no base64
	f("e2FiY2RlZmdoaWprbG1ub3A.", true)
	f("ew.amazonaws.com", false)
	f(toBase64("\x1f\x8b\x08"), true)
	f(toBase64("\x00\x00\x00\x00\x01{"), true)
	f(toBase64(toBase64("{}")), true)
	nested := "{}"
	for range MaxNesting {
		nested = toBase64(nested)
	}
	f(nested, true)
	f(toBase64(words(100)), false)
	f(toBase64(binary(100)), false)
	f(toBase64(strings.Repeat("x", MinBase64)), true)    // base64 throughout may hold an event deeper
	f(toBase64(strings.Repeat("x", MinBase64-1)), false) // or is too short
	f(toBase64(words(100)+`"awsRegion":"x"`), true)      // a key
	f(toBase64(words(100)+`{"x":1}`), true)              // an object in text
	f(toBase64(binary(100)+`{"x":1}`), false)            // not in binary
	f(toBase64(binary(100)+`"awsRegion":"x"`), true)     // a key in binary
	f(toBase64("a"+wide(`"awsRegion":"x"`)), true)       // UTF-16
	for at := 3072 - 40; at < 3072+8; at++ {             // across two windows of 4096 characters
		f(toBase64(words(at)+`"awsRegion":"x"`+words(100)), true)
	}
	key := toBase64(`eventVersion"     :"x"`) // a window of little but line breaks is kept as a whole
	f(key[:24]+strings.Repeat("\n", 4096-24)+key[24:], true)
	f(toBase64(`{"awsRegion":123`)[:22]+"!", true)
	f(toBase64(`{"awsRegion":12`)[:20]+"!", false)
	f(toBase64(words(9000)+`"awsRegion":"x"`), true)
	f(toBase64(words(90))[:120]+"!"+toBase64(`"awsRegion":"x"`), false) // behind what ends it
	f(toBase64(words(90)+`"awsRegion":"x"`)+"!", true)
	f(toBase64(words(90) + `{"x":1}` + words(99))[:142]+"!", true)
}

// wide is text in UTF-16.
func wide(text string) string {
	var b strings.Builder
	for i := range len(text) {
		b.WriteString(text[i:i+1] + "\x00")
	}
	return b.String()
}

// UTF-16 is a third of zeros, with a key between them.
func TestIsWide(t *testing.T) {
	key := strings.Repeat("x", 7) + `"awsRegion":"` // 20 bytes
	f := func(text string, want bool) {
		t.Helper()
		if got := IsWide([]byte(text)); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
	f(key+strings.Repeat("\x00", 11), true)
	f(key+strings.Repeat("\x00", 10), false) // a third
	f(wide("awsRegion"), false)
	f("", false)
}

// A run of base64 follows a prefix. Those of words are too short, or are not base64 of what we open.
func TestBase64Run(t *testing.T) {
	packed := toBase64(eventText)
	f := func(text string, i int, want string, wantEnd int) {
		t.Helper()
		run, end := Base64Run([]byte(text), i)
		if string(run) != want || end != wantEnd {
			t.Errorf("%q from %d: %q, %d", text, i, run, end)
		}
	}
	f("", 0, "", 0)
	f("just some words", 0, "", 15)
	bare := strings.TrimRight(packed, "=")
	text := "data:base64," + packed + "; log: " + packed
	f(text, 0, bare, 12+len(bare))
	f(text, 12+len(bare), bare, len(text)-len(packed)+len(bare))
	f(text, len(text)-3, "", len(text))
	f("x: "+breakLines(packed), 0, breakLines(bare), 3+len(breakLines(bare)))
	short := toBase64(`{"abcdef":12345}`)[:21] // more than 20 characters are looked at
	f("x: "+short[:21], 0, short, 24)
	f("x: "+short[:20], 0, "", 23)
}

// A text whose first bytes only look like base64 is not opened, whatever its length.
func TestIsOnlyBase64(t *testing.T) {
	for text, want := range map[string]bool{
		strings.Repeat("x", MinBase64): false, strings.Repeat("x", MinBase64+1): true, strings.Repeat("x", MinBase64) + "!": false,
	} {
		if isOnlyBase64([]byte(text)) != want {
			t.Errorf("%q is not %t", text, want)
		}
	}
	for c, want := range map[string]bool{"\t": true, "\n": true, "\r": true, " ": true, "\x1f": false, "\x00": false} {
		if isPlain([]byte("a"+c+"b")) != want {
			t.Errorf("%q is not %t", c, want)
		}
	}
	if !bytes.Equal(ByteOrderMark, []byte("\ufeff")) {
		t.Error("another byte order mark")
	}
}
