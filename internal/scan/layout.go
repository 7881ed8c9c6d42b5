package scan

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"

	"github.com/regionwatch/regionwatch/schema/cloudtrail/layer"
)

// layout is how values are arranged in a text. The zero value is layoutWhole.
type layout uint8

const (
	// layoutWhole is one value, or a form only the decoder recognizes. It is read as one record.
	layoutWhole layout = iota
	// layoutLines has one value per line. Some lines may be damaged. Each line is a record.
	layoutLines
	// layoutValues has one or more values that may span lines. A value ends at a line break outside all brackets.
	layoutValues
)

// headLines is how many lines are examined, and up to twice as many until one is a value.
const headLines = 16

// detectLayout detects the layout from the head of a text; atEnd says that head is the whole text.
//
// The first lines decide. Pretty-printed JSON also has lines that are values by themselves (an event in "[\n{…}\n]"),
// so the lines are checked together: either they parse as a stream of values, or some are damaged. If some lines are
// values by themselves, damage belongs to single lines.
func detectLayout(head []byte, atEnd bool) layout {
	head = bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	if n := headerLen(head); n > 0 && detectLayout(head[n:], atEnd) == layoutValues {
		return layoutWhole
	}
	lines, whole := sampleLines(head, atEnd)
	if atEnd && len(lines) == 1 && (lines[0][0] == '{' || lines[0][0] == '[') {
		return layoutLines // damaged or not
	}
	values, scalars, packed := 0, 0, 0
	for _, line := range lines {
		switch {
		case isValue(line):
			values++
		case json.Valid(line):
			scalars++ // cannot hold events, but is not damage
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

// glueVersion is the first byte of Glue's header.
const glueVersion = 3

// headerLen returns the length of the header that serializers put before a record's JSON: Confluent's zero byte and
// schema ID, Glue's version, compression and UUID, or the length of a field. Any of its bytes may be a line break. The
// decoder strips it.
func headerLen(b []byte) int {
	const confluent, glue, longest = 5, 18, 16
	if len(b) == 0 {
		return 0
	}
	isText := func(at int) bool { return len(b) > at && (b[at] == '{' || b[at] == '[' || b[at] == '"') }
	switch {
	case b[0] == 0: // perhaps with a second header, or an Avro or Protobuf field length
		for n := confluent; n < longest; n++ {
			if isText(n) {
				return n
			}
		}
	case isText(glue) && b[0] == glueVersion && b[1] == 0:
		return glue
	case b[0] >= 0x80: // a field length, as a varint
		for last, c := range b[:min(len(b), binary.MaxVarintLen32)] {
			if isText(last + 1) {
				return last + 1
			}
			if c < 0x80 {
				break
			}
		}
	}
	return 0
}

// mayStartHeader reports whether more text could show that b, which is not empty, starts with a header.
func mayStartHeader(b []byte) bool {
	const enough = 19 // for the longest header and the bracket after it
	return len(b) < enough && (b[0] == 0 || b[0] == glueVersion || b[0] >= 0x80) && headerLen(b) == 0
}

// splitter returns a function that returns the index after the first value of a text and its line break.
func (l layout) splitter() func([]byte) int {
	if l == layoutLines {
		return nextLine
	}
	return new(brackets).nextBreak
}

// isSequence reports whether the head of a text has something after its first value. The decoder calls that NDJSON.
func isSequence(head []byte, l layout) bool {
	if l == layoutWhole {
		return false
	}
	head = bytes.TrimLeft(head, blanks)
	return len(bytes.TrimSpace(head[l.splitter()(head):])) > 0
}

// sampleLines returns the first complete lines that are not blank, and the text that contains them. A line that is not
// a value is either damaged or continues on the next line, so it is never returned as the last one.
func sampleLines(head []byte, atEnd bool) (lines [][]byte, whole []byte) {
	rest := head
	for len(rest) > 0 && (len(lines) < headLines || len(lines) < 2*headLines && !isValue(lines[len(lines)-1])) {
		end := nextLine(rest)
		if !atEnd && rest[end-1] != '\n' {
			break
		}
		line := rest[headerLen(rest):end]
		rest = rest[end:]
		if line = bytes.TrimSpace(line); len(line) > 0 {
			lines = append(lines, line)
		}
	}
	return lines, head[:len(head)-len(rest)]
}

// isValue reports whether a line is a value that may hold events: an object, an array or a string.
func isValue(line []byte) bool {
	return (line[0] == '{' || line[0] == '[' || line[0] == '"') && json.Valid(line)
}

// isPacked reports whether a line is an object, an array or something compressed, in base64. A single line of a longer
// base64 text could pass by chance, but most of its lines cannot.
func isPacked(line []byte) bool {
	line = bytes.TrimRight(line, "=")
	text, err := base64.RawStdEncoding.AppendDecode(nil, line)
	if err != nil {
		text, err = base64.RawURLEncoding.AppendDecode(nil, line)
	}
	if err != nil || len(text) == 0 {
		return false
	}
	compressed := layer.DetectCompression(text[:min(len(text), magicBytes)]) != layer.None
	return compressed || (text[0] == '{' || text[0] == '[') && json.Valid(text)
}

// isStream reports whether the text is a sequence of JSON values, possibly cut off at the end.
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

// brackets tracks the nesting of brackets and strings in a text.
type brackets struct {
	depth             int
	inString, escaped bool
}

// lastBreak reads b from index from, and returns the index after the last line break outside all brackets, or 0 if
// there is none.
func (t *brackets) lastBreak(b []byte, from int) int {
	last := 0
	for i := from; i < len(b); i++ {
		if t.step(b[i]) {
			last = i + 1
		}
	}
	return last
}

// nextBreak reads b and returns the index after the first line break outside all brackets, or len(b).
func (t *brackets) nextBreak(b []byte) int {
	for i, c := range b {
		if t.step(c) {
			return i + 1
		}
	}
	return len(b)
}

// nextLine returns the index after the first line break outside a header, or len(b).
func nextLine(b []byte) int {
	n := headerLen(b)
	if at := bytes.IndexByte(b[n:], '\n'); at >= 0 {
		return n + at + 1
	}
	return len(b)
}

// lastLine returns the index after the last line break outside a header, or 0. A last line that may yet turn out to start
// with a header counts as one without an end.
func lastLine(b []byte) (last int) {
	for next := nextLine(b); next > last && b[next-1] == '\n' && !mayStartHeader(b[last:]); next = last + nextLine(b[last:]) {
		last = next
	}
	return last
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
