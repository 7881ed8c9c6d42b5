package display

import (
	"io"
	"strings"
)

// Wrap breaks text into lines of at most width columns. A longer word gets its own line.
func Wrap(text string, width int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case Width(line)+1+Width(word) <= width:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	return append(lines, line)
}

// Sentence writes a line, or several where w is a terminal on which it does not fit.
func Sentence(w io.Writer, text string) {
	if width, _, ok := TerminalSize(w); ok {
		text = strings.Join(Wrap(text, width), "\n")
	}
	_, _ = io.WriteString(w, text+"\n")
}
