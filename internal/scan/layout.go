package scan

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"

	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// layout is how the values of a text stand. The zero value is layoutWhole.
type layout uint8

const (
	// layoutWhole: one value, or something that only the decoder can tell: it is read as one record.
	layoutWhole layout = iota
	// layoutLines: one value a line, some of them damaged perhaps. Each line is a record.
	layoutLines
	// layoutValues: values of several lines each, one after the other, or a single one. A value ends at a
	// line break outside of all brackets.
	layoutValues
)

// headLines is how many lines are looked at.
const headLines = 16

// detectLayout tells the layout from the head of a text; atEnd says that the head is all of it.
//
// What decides are the first lines. Pretty-printed JSON has lines that are values by themselves too (an
// event in "[\n{…}\n]"), so the lines together must tell: as a stream of values they can be read, or there
// is damage. Damage among lines that are values is damage of those lines.
func detectLayout(head []byte, atEnd bool) layout {
	head = bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	if inner, ok := cutConfluent(head); ok && detectLayout(inner, atEnd) == layoutValues {
		return layoutWhole
	}
	lines, whole := sampleLines(head, atEnd)
	if atEnd && len(lines) == 1 && (lines[0][0] == '{' || lines[0][0] == '[') {
		return layoutLines // be it damaged
	}
	values, scalars, packed := 0, 0, 0
	for _, line := range lines {
		switch {
		case isValue(line):
			values++
		case json.Valid(line):
			scalars++ // nothing that holds events, and no damage either
		case isPacked(line):
			packed++
		}
	}
	switch start := bytes.TrimSpace(head); {
	case values > 0 && values+scalars == len(lines):
		return layoutLines
	case values > 0 && !isStream(whole):
		return layoutLines
	case len(lines) > 1 && 2*packed > len(lines):
		return layoutLines
	case len(start) > 0 && (start[0] == '{' || start[0] == '['):
		return layoutValues
	default:
		return layoutWhole
	}
}

// cutConfluent returns what follows the header of Confluent's wire format, of which only the decoder knows that it is no
// damage of the first line. A header within the text is none: it is cut off once.
func cutConfluent(head []byte) (inner []byte, ok bool) {
	const header = 5
	if len(head) <= header || head[0] != 0 || head[header] == 0 {
		return nil, false
	}
	return head[header:], true
}

// splitter returns a function that returns the index after the first value of a text, and its line break.
func (l layout) splitter() func([]byte) int {
	if l == layoutLines {
		return nextLine
	}
	return new(brackets).nextBreak
}

// isSequence reports whether the head of a text has something after its first value: NDJSON, as the
// decoder calls it.
func isSequence(head []byte, l layout) bool {
	if l == layoutWhole {
		return false
	}
	head = bytes.TrimLeft(head, " \t\r\n")
	return len(bytes.TrimSpace(head[l.splitter()(head):])) > 0
}

// sampleLines returns the first lines that are not blank and not cut, and the text that they stand in. Only what
// follows a line that is no value tells whether it is damaged or the value goes on, so that it is not the last one.
func sampleLines(head []byte, atEnd bool) (lines [][]byte, whole []byte) {
	rest := head
	for len(rest) > 0 && (len(lines) < headLines || len(lines) < 2*headLines && !isValue(lines[len(lines)-1])) {
		end := bytes.IndexByte(rest, '\n')
		if end < 0 && !atEnd {
			break
		}
		line := rest
		if end >= 0 {
			line, rest = rest[:end], rest[end+1:]
		} else {
			rest = nil
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			lines = append(lines, line)
		}
	}
	return lines, head[:len(head)-len(rest)]
}

// isValue reports whether a line is a value that may hold events: an object, an array or a quoted text.
func isValue(line []byte) bool {
	return (line[0] == '{' || line[0] == '[' || line[0] == '"') && json.Valid(line)
}

// isPacked reports whether a line is an object, an array or something compressed in base64. A line of a text in base64
// that goes on over many is not, save by a chance that nobody has for most of its lines.
func isPacked(line []byte) bool {
	line = bytes.TrimRight(line, "=")
	text, err := base64.RawStdEncoding.AppendDecode(nil, line)
	if err != nil {
		text, err = base64.RawURLEncoding.AppendDecode(nil, line)
	}
	if err != nil || len(text) == 0 {
		return false
	}
	compressed := cloudtrail.DetectCompression(text[:min(len(text), magicBytes)]) != cloudtrail.ShapeNone
	return compressed || (text[0] == '{' || text[0] == '[') && json.Valid(text)
}

// isStream reports whether the text is JSON values, one after the other, as far as it goes.
func isStream(text []byte) bool {
	dec := json.NewDecoder(bytes.NewReader(text))
	for {
		var skipped json.RawMessage
		switch err := dec.Decode(&skipped); {
		case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
			return true
		case err != nil:
			return false
		}
	}
}

// brackets follows a text and knows where it is outside of all brackets and strings.
type brackets struct {
	depth             int
	inString, escaped bool
}

// lastBreak reads on over b, from index from, and returns the index after the last line break outside of
// all brackets, or 0 if there is none.
func (t *brackets) lastBreak(b []byte, from int) int {
	last := 0
	for i := from; i < len(b); i++ {
		if t.step(b[i]) {
			last = i + 1
		}
	}
	return last
}

// nextBreak reads on over b and returns the index after the first such line break, or len(b).
func (t *brackets) nextBreak(b []byte) int {
	for i, c := range b {
		if t.step(c) {
			return i + 1
		}
	}
	return len(b)
}

// nextLine returns the index after the first line break, or len(b).
func nextLine(b []byte) int {
	if at := bytes.IndexByte(b, '\n'); at >= 0 {
		return at + 1
	}
	return len(b)
}

// step reads one byte and reports whether it is a line break outside of all brackets.
func (t *brackets) step(c byte) bool {
	if t.inString {
		switch {
		case t.escaped:
			t.escaped = false
		case c == '\\':
			t.escaped = true
		case c == '"':
			t.inString = false
		}
		return false
	}
	switch c {
	case '"':
		t.inString = true
	case '{', '[':
		t.depth++
	case '}', ']':
		t.depth = max(t.depth-1, 0)
	case '\n':
		return t.depth == 0
	}
	return false
}
