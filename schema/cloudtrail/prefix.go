package cloudtrail

import (
	"bytes"

	"github.com/regionwatch/regionwatch/schema/cloudtrail/salvage"
	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

// Text before an object on a line is what syslog (RFC 3164 and 5424), container runtimes and loggers write: "<134>1 …
// {…}", "cloudtrail: {…}". It is a shape, and no damage, unless there is a part of an event in it.

// prefixed looks for an object, an array of objects or a quoted object behind some text in the line at b[i]. It ends the line,
// or is an event, damaged perhaps or with other text behind it. At is where it starts, or i if there is none; next is
// where the value after it may start, and tried how far was read.
func (d *Decoder) prefixed(b []byte, i int) (at, next, tried int) {
	line := salvage.LineEnd(b, i)
	brackets, braces := 0, 0 // that are open: a damaged array or object is not a prefix
	for from := i; from < line && b[i] != '"'; {
		if at = objectIn(b[:line], from); at == line {
			return d.prefixedText(b, i, max(line, tried))
		}
		before := b[from:at]
		brackets = unclosed(before, brackets, '[', ']')
		braces = unclosed(before, braces, '{', '}')
		if salvage.HasMark(before) || braces > 0 {
			break
		}
		if brackets > 0 {
			if list, end, ok := d.listAround(b, i, at); ok {
				return list, end, end
			}
			break
		}
		n, cause := d.scan.decodeEvent(b[at:], &d.event)
		next = at + n
		isEvent := d.event.class().isEvent()
		switch {
		case cause == nil && (isEvent || endsLine(b, next)):
			return at, next, next
		case cause != nil && isEvent:
			return at, salvage.ResyncText(b, at, next), next
		}
		if salvage.HasMark(b[at:next]) {
			break
		}
		if from = next; cause != nil {
			from = max(salvage.BeforeKey(b, next), at+1)
		}
		tried = max(tried, from)
	}
	return i, i, max(line, tried)
}

// listAround looks for the array whose first element is at b[element]. It ends its line, and starts behind b[i].
func (d *Decoder) listAround(b []byte, i, element int) (at, end int, ok bool) {
	at = i + len(bytes.TrimRight(b[i:element], " \t\r\n")) - 1
	if at <= i || b[at] != '[' || unclosed(b[i:at], 0, '[', ']') > 0 {
		return at, at, false
	}
	n, cause := d.scan.SkipValue(b[at:], 0)
	return at, at + n, cause == nil && endsLine(b, at+n)
}

// unclosed returns how many brackets are open behind b, if so many were before. One that closes nothing is text.
func unclosed(b []byte, before int, opening, closing byte) int {
	for _, c := range b {
		switch {
		case c == opening:
			before++
		case c == closing && before > 0:
			before--
		}
	}
	return before
}

// prefixedText is prefixed for a quoted text that ends the line, or an array that starts with the line's first text.
func (d *Decoder) prefixedText(b []byte, i, tried int) (at, next, _ int) {
	line := salvage.LineEnd(b, i)
	for from, checked := i, i; ; {
		quote := bytes.IndexByte(b[from:line], '"')
		if quote < 0 || salvage.HasMark(b[checked:from+quote]) {
			break
		}
		at, checked = from+quote, from
		if from == i { // once, or the line would be read again for each of its quotes
			if list, end, ok := d.listAround(b[:line], i, at); ok {
				return list, end, end
			}
		}
		end, cause := d.scan.SkipString(b[:line], at)
		if cause != nil {
			break
		}
		if endsLine(b, end) && d.mayHold(Value(b[at:end]), true) {
			return at, end, end
		}
		from = end
	}
	return i, i, tried
}

// startsObject reports whether an object starts at b[i].
func startsObject(b []byte, i int) bool {
	c := jsonscan.At(b, jsonscan.SkipSpace(b, i+1))
	return jsonscan.At(b, i) == '{' && (c == '"' || c == '}')
}

// objectIn returns where an object with a key starts in b, from index i on, or len(b).
func objectIn(b []byte, i int) int {
	for {
		brace := bytes.IndexByte(b[i:], '{')
		if brace < 0 {
			return len(b)
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
