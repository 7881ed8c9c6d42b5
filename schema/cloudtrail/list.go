package cloudtrail

import (
	"github.com/regionwatch/regionwatch/schema/cloudtrail/salvage"
	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

// A JSON array of events, or of any other shape. It is what jq --slurp, Kinesis agents and batch writers
// make, and EventBridge where a target takes several events at once
// (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html).

// array reads the array at b[i]. One within another is opened as a whole.
func (d *Decoder) array(b []byte, i int, p place) (next, stop int, err error) {
	if p.inList {
		return d.nested(b, i, p)
	}
	if p.first && isBrokenIntoLines(b[i:]) {
		p.chain = p.chain.Push(ShapeNDJSON)
	}
	return d.list(b, i, place{chain: p.chain.Push(ShapeArray), inList: true})
}

// nested opens the array at b[i] within a list.
func (d *Decoder) nested(b []byte, i int, p place) (next, stop int, err error) {
	p.chain = p.chain.Push(ShapeArray)
	n, cause := d.scan.SkipValue(b[i:], 0)
	if cause != nil {
		stop, next = i+n, p.resync(b, i, i+n)
		return next, stop, d.damaged(b[i:next], cause, p)
	}
	return i + n, -1, d.envelope(b[i:i+n], p)
}

// list reads the values of the array at b[i] one by one; p is the place of each. Stop is negative if the
// array's end was found: damage in between costs none of the values around it that can be found again.
func (d *Decoder) list(b []byte, i int, p place) (next, stop int, err error) {
	for separator, empty := i, true; ; empty = false {
		at, done, cause := jsonscan.NextItem(b, separator)
		if !empty && separator < len(b) && b[separator] == '[' { // the start of the list is not a separator
			at, done, cause = separator, false, jsonscan.Unexpected(b, separator, "a comma or the end of the array")
		}
		if done {
			if empty {
				err = d.skip(KindEmpty, p.chain)
			}
			return at, -1, err
		}
		stop = -1
		if cause != nil {
			stop, at = separator, p.resync(b, max(separator-1, i), separator) // never back to the list itself
			if err = d.gap(b, separator, at, cause, p.chain); err != nil {
				return at, stop, err
			}
		}
		for again := true; again; again = stop >= 0 {
			if stop >= 0 && !continuesList(b, at) {
				return at, stop, nil
			}
			at, stop, err = d.value(b, at, p)
			if err != nil {
				return at, stop, err
			}
		}
		separator = jsonscan.SkipSpace(b, at)
	}
}

// continuesList reports whether the value that was found at b[i] after damage still belongs to the list.
// At the start of a line it does after a comma or a bracket only: else it is NDJSON's next line.
func continuesList(b []byte, i int) bool {
	if i >= len(b) {
		return false
	}
	before := salvage.LastByte(b, i)
	return !salvage.IsColumnOne(b, i) || before == ',' || before == '['
}

// isBrokenIntoLines reports whether another value follows the first one of b on its own line. Within
// valid JSON no brace or bracket opens right after one that closes, so that looking at the line breaks is
// enough.
func isBrokenIntoLines(b []byte) bool {
	for i := salvage.LineEnd(b, 0); i < len(b); {
		next := jsonscan.SkipSpace(b, i)
		before := i - 1
		for before > 0 && (b[before] == '\r' || b[before] == ' ' || b[before] == '\t') {
			before--
		}
		if next < len(b) && (b[next] == '{' || b[next] == '[') && (b[before] == '}' || b[before] == ']') {
			return true
		}
		i = salvage.LineEnd(b, next) // past the blank lines between, or they would be read once for each of them
	}
	return false
}
