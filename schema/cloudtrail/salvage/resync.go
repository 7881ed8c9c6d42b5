package salvage

import (
	"bytes"

	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

// Resync returns where the next value may start at or after b[from], when the value before it is damaged:
// at a line that starts with a brace or a bracket, or, from stop on, wherever an object starts with a key
// that only an event or an envelope has. It returns len(b) if there is none.
//
// Text that an attacker writes cannot look like that: within a string each quote is escaped, and no string
// holds a line break.
func Resync(b []byte, from, stop int) int { return ResyncTo(b, from, stop, nil) }

// ResyncTo is Resync that stops, from the first byte on, where start says so of a brace too.
func ResyncTo(b []byte, from, stop int, start func(b []byte, i int) bool) int {
	lineStart := from == 0 || from <= len(b) && b[from-1] == '\n'
	for i := from; i < len(b); i++ {
		switch c := b[i]; {
		case c == '\n':
			lineStart = true
		case c == ' ' || c == '\t' || c == '\r':
		case c == '{' && (IsColumnOne(b, i) || (lineStart || i >= stop) && isObjectStart(b, i)):
			return i
		case c == '[' && IsColumnOne(b, i), c == '{' && start != nil && start(b, i):
			return i
		default:
			lineStart = false
		}
	}
	return len(b)
}

// ResyncText goes on in the value's line, or at the next line, where the damage is within the first line of
// the value. A value of several lines ends where another one may start.
func ResyncText(b []byte, start, stop int) int {
	if end := bytes.IndexByte(b[start:stop], '\n'); end >= 0 {
		return Resync(b, start+end, stop)
	}
	for i := max(BeforeKey(b, stop), start+1); i < len(b); i++ {
		switch {
		case b[i] == '\n':
			return jsonscan.SkipSpace(b, i)
		case b[i] == '{' && isObjectStart(b, i):
			return i
		}
	}
	return len(b)
}

// IsElementStart reports whether an object starts at b[i] right after a comma. Where each element holds its
// event quoted, this is enough to tell an element: there are no other objects in a list.
func IsElementStart(b []byte, i int) bool {
	if b[i] != '{' {
		return false
	}
	key := jsonscan.SkipSpace(b, i+1)
	return key < len(b) && b[key] == '"' && LastByte(b, i) == ','
}

// LastByte returns the last byte before b[i] that is not white space, or 0.
func LastByte(b []byte, i int) byte {
	for i--; i >= 0; i-- {
		if jsonscan.SkipSpace(b[i:i+1], 0) == 0 {
			return b[i]
		}
	}
	return 0
}

// BeforeKey returns the index of the brace, if stop is right after one and the first quote of a key; else
// stop. A string that has lost its closing quote goes on over the end of its event, up to the first quote
// of the next one.
func BeforeKey(b []byte, stop int) int {
	if stop == 0 || b[stop-1] != '"' {
		return stop
	}
	i := stop - 2
	for i >= 0 && jsonscan.SkipSpace(b[i:i+1], 0) == 1 {
		i--
	}
	if i >= 0 && b[i] == '{' {
		return i
	}
	return stop
}

// LineEnd returns the index of the first line break at or after i, or len(b).
func LineEnd(b []byte, i int) int {
	if n := bytes.IndexByte(b[i:], '\n'); n >= 0 {
		return i + n
	}
	return len(b)
}

// IsColumnOne reports whether b[i] is the first byte of its line.
func IsColumnOne(b []byte, i int) bool { return i == 0 || b[i-1] == '\n' }

// isObjectStart reports whether an object starts at the brace b[i] whose first key is one of those with
// which events and envelopes start.
func isObjectStart(b []byte, i int) bool {
	i = jsonscan.SkipSpace(b, i+1)
	if i >= len(b) || b[i] != '"' {
		return false
	}
	key := b[i+1 : min(len(b), i+1+maxStartKey)]
	end := bytes.IndexByte(key, '"')
	if end < 0 {
		return false
	}
	_, known := startKeys[string(key[:end])]
	return known
}

// maxStartKey is longer than any of startKeys, with its closing quote.
const maxStartKey = 32

// startKeys are the top-level keys of events, in CloudTrail's own order the first one or sorted by name
// whichever, and those with which envelopes start.
var startKeys = makeSet(
	"eventVersion", "userIdentity", "eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress",
	"userAgent", "errorCode", "errorMessage", "requestParameters", "responseElements", "additionalEventData",
	"requestID", "eventID", "eventType", "apiVersion", "managementEvent", "readOnly", "recipientAccountId",
	"serviceEventDetails", "sharedEventID", "vpcEndpointId", "vpcEndpointAccountId", "eventCategory", "addendum",
	"sessionCredentialFromConsole", "edgeDeviceDetails", "tlsDetails", "eventContext",
	"Records", "messageType", "logEvents", "detail-type", "detail", "CloudTrailEvent", "EventSource", "messageId", "kinesis",
)

func makeSet(names ...string) map[string]struct{} {
	set := make(map[string]struct{}, len(names))
	for _, name := range names {
		set[name] = struct{}{}
	}
	return set
}
