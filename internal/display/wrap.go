package display

import (
	"io"
	"math"
	"strings"
)

// Wrap breaks text into lines of at most width columns. A longer word gets its own line. The first line keeps its indent.
func Wrap(text string, width int) (lines []string) {
	line, indent := "", text[:len(text)-len(strings.TrimLeft(text, " "))]
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line, indent = indent+word, ""
		case Width(line)+1+Width(word) <= width:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	return append(lines, line)
}

// leastRoom is the least width that an indent leaves for text.
const leastRoom = 20

// Hang wraps text that begins behind a column as wide as the indent, on a terminal of a width; 0 means that nothing is
// broken. The indent comes before every line but the first.
func Hang(text string, width int, indent string) string {
	room := max(width-Width(indent), leastRoom)
	if width <= 0 {
		room = math.MaxInt
	}
	return strings.Join(Wrap(text, room), "\n"+indent)
}

// Sentence writes a line, or several where w is a terminal on which it does not fit.
func Sentence(w io.Writer, text string) {
	if width, _, ok := TerminalSize(w); ok {
		text = Hang(text, width, "")
	}
	_, _ = io.WriteString(w, text+"\n")
}
