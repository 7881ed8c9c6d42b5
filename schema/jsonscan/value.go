package jsonscan

import (
	"unicode/utf16"
	"unicode/utf8"
)

// Value is one raw JSON value in an event: a sub-slice of the event's bytes, quotes and escapes included, nothing
// decoded. Nil means that the event lacks the field.
type Value []byte

// IsString reports whether the value is a JSON string.
func (v Value) IsString() bool { return len(v) > 1 && v[0] == '"' }

// IsNull reports whether the value is absent or null.
func (v Value) IsNull() bool { return len(v) == 0 || v[0] == 'n' }

// EqualString reports whether the value is a JSON string that decodes to text. It allocates nothing.
func (v Value) EqualString(text string) bool {
	if !v.IsString() {
		return false
	}
	body := v[1 : len(v)-1]
	if len(body) > 0 && text != "" && body[0] != text[0] && body[0] != '\\' && text[0] < utf8.RuneSelf {
		return false // most keys that differ do so here
	}
	if SkipPlain(body, 0) == len(body) {
		return string(body) == text
	}
	for len(body) > 0 {
		r, size := FirstRune(body)
		want, wantSize := utf8.DecodeRuneInString(text)
		if wantSize == 0 || want == utf8.RuneError && wantSize == 1 || r != want {
			return false
		}
		body, text = body[size:], text[wantSize:]
	}
	return text == ""
}

// AppendText appends the decoded JSON string as valid UTF-8: invalid bytes and halves of surrogate pairs become U+FFFD,
// as in encoding/json. Any other value is appended raw, in valid UTF-8; an absent one adds nothing.
func (v Value) AppendText(dst []byte) []byte {
	body := []byte(v)
	step := utf8.DecodeRune
	if v.IsString() {
		body, step = v[1:len(v)-1], FirstRune
	}
	for {
		n := SkipPlain(body, 0)
		dst = append(dst, body[:n]...)
		if body = body[n:]; len(body) == 0 {
			return dst
		}
		r, size := step(body)
		dst = utf8.AppendRune(dst, r)
		body = body[size:]
	}
}

// Text returns what AppendText appends.
func (v Value) Text() string { return string(v.AppendText(nil)) }

// FirstRune returns the first character of a JSON string's inside, decoded, and the number of bytes it takes. It is
// U+FFFD if they are not valid.
func FirstRune(body []byte) (r rune, size int) {
	if body[0] != '\\' || len(body) == 1 {
		return utf8.DecodeRune(body)
	}
	switch body[1] {
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		return firstEscapedRune(body)
	}
	return rune(body[1]), 2 // a quote, a backslash, a slash
}

// firstEscapedRune is FirstRune for a \u escape, which takes a second one if the two are a surrogate pair.
func firstEscapedRune(body []byte) (r rune, size int) {
	r = escapedRune(body)
	if r < 0 {
		return utf8.RuneError, 2
	}
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if pair := utf16.DecodeRune(r, escapedRune(body[6:])); pair != utf8.RuneError {
		return pair, 12
	}
	return utf8.RuneError, 6
}
