package cloudtrail

import (
	"bytes"

	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

// Text before an object on a line is what syslog (RFC 3164 and 5424), container runtimes and loggers write: "<134>1 …
// {…}", "cloudtrail: {…}". It is a shape, and no damage, unless there is a part of an event in it.

// prefixed looks for an object behind some text in the line at b[i]. It stands at b[at:end] and ends the line, or is an
// event with other text behind it; at is negative if there is none. Tried is how far was read.
func (d *Decoder) prefixed(b []byte, i int) (at, end, tried int) {
	line := lineEnd(b, i)
	brackets := 0 // that are open: an array that is damaged is no prefix
	for from := i; from < line && b[i] != '"'; {
		if at = objectIn(b[:line], from); at < 0 {
			return -1, i, max(line, tried)
		}
		before := b[from:at]
		brackets += bytes.Count(before, []byte("[")) - bytes.Count(before, []byte("]"))
		if brackets > 0 || hasMark(before) {
			return -1, i, max(line, tried)
		}
		n, cause := d.scan.decodeEvent(b[at:], &d.event)
		end = at + n
		if cause == nil && (endsLine(b, end) || d.event.class() == classEvent) {
			return at, end, end
		}
		if from = end; cause != nil {
			from = max(beforeKey(b, end), at+1)
		}
		tried = max(line, from)
	}
	return -1, i, max(line, tried)
}

// afterPrefix decides the object b: d.event holds what was read of it.
func (d *Decoder) afterPrefix(b []byte, p place) error {
	p.chain = p.chain.Push(ShapePrefixed)
	return d.whole(b, p)
}

// objectIn returns where an object with a key starts in b, from index i on, or -1.
func objectIn(b []byte, i int) int {
	for {
		brace := bytes.IndexByte(b[i:], '{')
		if brace < 0 {
			return -1
		}
		i += brace
		if jsonscan.At(b, jsonscan.SkipSpace(b, i+1)) == '"' {
			return i
		}
		i++
	}
}

// endsLine reports whether nothing but white space stands between b[i] and the end of its line.
func endsLine(b []byte, i int) bool {
	for ; i < len(b) && b[i] != '\n'; i++ {
		if b[i] != ' ' && b[i] != '\t' && b[i] != '\r' {
			return false
		}
	}
	return true
}
