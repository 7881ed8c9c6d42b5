package display

import (
	"encoding/json"
	"io"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// EscapeJSON returns a writer for JSON. It escapes characters that encoding/json passes through and a terminal or log
// viewer might obey: control characters above ASCII, direction marks, invisible characters.
func EscapeJSON(w io.Writer) io.Writer { return asciiWriter{w} }

// NewEncoder returns an encoder of JSON lines that are safe to display.
func NewEncoder(w io.Writer) *json.Encoder {
	encoder := json.NewEncoder(EscapeJSON(w))
	encoder.SetEscapeHTML(false)
	return encoder
}

// WriteIndented writes a value as indented JSON that is safe to display.
func WriteIndented(w io.Writer, v any) error {
	e := json.NewEncoder(EscapeJSON(w))
	e.SetIndent("", "  ")
	return e.Encode(v)
}

type asciiWriter struct{ w io.Writer }

// Write writes the lines with those characters as \u escapes, which mean the same in JSON.
func (a asciiWriter) Write(line []byte) (int, error) {
	safe := line
	for i, r := range string(line) {
		if r >= utf8.RuneSelf && !unicode.IsPrint(r) {
			safe = escapeFrom(line, i)
			break
		}
	}
	if _, err := a.w.Write(safe); err != nil {
		return 0, err
	}
	return len(line), nil
}

func escapeFrom(line []byte, start int) []byte {
	out := append(make([]byte, 0, len(line)+16), line[:start]...)
	for _, r := range string(line[start:]) {
		switch {
		case r < utf8.RuneSelf || unicode.IsPrint(r):
			out = utf8.AppendRune(out, r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = appendEscape(appendEscape(out, high), low)
		default:
			out = appendEscape(out, r)
		}
	}
	return out
}

func appendEscape(out []byte, r rune) []byte {
	const digits = "0123456789abcdef"
	return append(out, '\\', 'u', digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
}
