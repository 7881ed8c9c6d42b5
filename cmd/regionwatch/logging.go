package main

import (
	"io"
	"log/slog"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/regionwatch/regionwatch/config"
)

// newLogger returns the log that the settings ask for. Text of events and brokers comes out escaped in
// both forms.
func newLogger(w io.Writer, s *config.Settings) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(s.LogLevel)); err != nil {
		panic("BUG: log-level: " + err.Error())
	}
	options := &slog.HandlerOptions{Level: level}
	if s.LogFormat == "text" || s.LogFormat == "auto" && isTerminal(w) {
		return slog.New(newQuietHandler(slog.NewTextHandler(w, options)))
	}
	return slog.New(newQuietHandler(slog.NewJSONHandler(asciiWriter{w}, options)))
}

// asciiWriter escapes in JSON text what [slog.JSONHandler] lets through and a terminal or a log viewer
// might obey: control characters above ASCII, marks of direction, invisible characters.
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
