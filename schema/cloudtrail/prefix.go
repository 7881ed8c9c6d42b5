package cloudtrail

import (
	"bytes"

	"github.com/regionwatch/regionwatch/schema/cloudtrail/salvage"
	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

// Text before an object on a line is what syslog (RFC 3164 and 5424), container runtimes and loggers write: "<134>1 …
// {…}", "cloudtrail: {…}". It is a shape, and no damage, unless there is a part of an event in it.

// prefixed looks for an object, an array of objects or a quoted object behind some text in the line at b[i]. It ends the line,
// or is an event, damaged perhaps or with other text behind it. At is where it starts, or negative if there is none; next is
// where the value after it may start, and tried how far was read.
func (d *Decoder) prefixed(b []byte, i int) (at, next, tried int) {
	line := salvage.LineEnd(b, i)
	brackets, braces := 0, 0 // that are open: a damaged array or object is not a prefix
	for from := i; from < line && b[i] != '"'; {
		if at = objectIn(b[:line], from); at < 0 {
			return d.prefixedText(b, i, max(line, tried))
		}
		before := b[from:at]
		brackets = unclosed(before, brackets, '[', ']')
		braces = unclosed(before, braces, '{', '}')
		if salvage.HasMark(before) || braces > 0 {
			break
		}
		if brackets > 0 {
			return d.prefixedArray(b, i, at, max(line, tried))
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
	return -1, i, max(line, tried)
}

// prefixedArray is prefixed for the array whose first object is at b[object].
func (d *Decoder) prefixedArray(b []byte, i, object, tried int) (at, next, _ int) {
	at = object - 1
	for at > i && jsonscan.SkipSpace(b[at:at+1], 0) == 1 {
		at--
	}
	if at > i && b[at] == '[' && unclosed(b[i:at], 0, '[', ']') == 0 {
		if n, cause := d.scan.SkipValue(b[at:], 0); cause == nil && endsLine(b, at+n) {
			return at, at + n, at + n
		}
	}
	return -1, i, tried
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
	for from, checked := i, i; from < line; {
		quote := bytes.IndexByte(b[from:line], '"')
		if quote < 0 || salvage.HasMark(b[checked:from+quote]) {
			break
		}
		at, checked = from+quote, from
		if from == i { // once, or the line would be read again for each of its quotes
			if list, next := d.textList(b[:line], i, at); list > i {
				return list, next, next
			}
		}
		end, cause := d.scan.SkipString(b[:line], at)
		if cause != nil {
			break
		}
		if at > i && endsLine(b, end) && d.mayHold(Value(b[at:end]), true) {
			return at, end, end
		}
		from = end
	}
	return -1, i, tried
}

// textList returns where the array starts whose first element is the text at b[at], and where it ends, or -1 if it does not
// end the line.
func (d *Decoder) textList(b []byte, i, at int) (list, end int) {
	for list = at - 1; list > i && jsonscan.SkipSpace(b[list:list+1], 0) == 1; list-- {
	}
	if list <= i || b[list] != '[' || unclosed(b[i:list], 0, '[', ']') > 0 {
		return -1, at
	}
	n, cause := d.scan.SkipValue(b[list:], 0)
	if cause != nil || !endsLine(b, list+n) {
		return -1, at
	}
	return list, list + n
}

// startsObject reports whether an object starts at b[i].
func startsObject(b []byte, i int) bool {
	c := jsonscan.At(b, jsonscan.SkipSpace(b, i+1))
	return b[i] == '{' && (c == '"' || c == '}')
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
