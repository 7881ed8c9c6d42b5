package cloudtrail

import "bytes"

// decodeEvent reads the object that starts at b[0], an opening brace, in one strict pass. It overwrites
// e's values, marks, InvalidUTF8 and Raw (the object's bytes), and leaves the rest of e alone. On damage e holds
// what was read before it, err is a [*SyntaxError] and end is where reading stopped.
func (s *scanner) decodeEvent(b []byte, e *Event) (end int, err error) {
	e.clear()
	s.invalid = false
	i := 0
	for done := false; !done && err == nil; {
		var key, value Value
		key, value, i, done, err = s.nextMember(b, i)
		if value != nil {
			e.set(key, value)
		}
	}
	e.Raw, e.InvalidUTF8 = b[:i:i], s.invalid
	return i, err
}

// clear removes what decodeEvent sets.
func (e *Event) clear() {
	index, shape := e.Index, e.Shape
	damage, salvaged := e.Damage, e.Salvaged
	*e = Event{Index: index, Shape: shape, Damage: damage, Salvaged: salvaged}
}

// maxKey is the length of the longest key that we know.
const maxKey = len("recipientAccountId")

// set stores a member of the event; one that stands twice is overwritten.
func (e *Event) set(key, value Value) {
	name := ""
	switch inside := key[1 : len(key)-1]; {
	case bytes.IndexByte(inside, '\\') >= 0:
		name = plainName(key)
	case len(inside) <= maxKey:
		name = string(inside)
	}
	if field := e.field(name); field != nil {
		*field = value
		return
	}
	e.marks |= markOf(name)
}

// plainName returns the name that an escaped key stands for, or "" where it is none that we know. It
// compares rather than decodes, so that a long key costs no memory.
func plainName(key Value) string {
	for _, names := range [...][]string{fieldNames[:], markNames[:]} {
		for _, name := range names {
			if key.EqualString(name) {
				return name
			}
		}
	}
	return ""
}

// fieldNames holds the keys that field knows.
var fieldNames = [...]string{
	"eventVersion", "userIdentity", "eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress",
	"userAgent", "errorCode", "eventID", "readOnly", "eventType", "recipientAccountId", "eventCategory",
}

// field returns where the value of a key belongs, or nil.
func (e *Event) field(name string) *Value {
	switch name {
	case "eventVersion":
		return &e.EventVersion
	case "userIdentity":
		return &e.UserIdentity
	case "eventTime":
		return &e.EventTime
	case "eventSource":
		return &e.EventSource
	case "eventName":
		return &e.EventName
	case "awsRegion":
		return &e.AWSRegion
	case "sourceIPAddress":
		return &e.SourceIPAddress
	case "userAgent":
		return &e.UserAgent
	case "errorCode":
		return &e.ErrorCode
	case "eventID":
		return &e.EventID
	case "readOnly":
		return &e.ReadOnly
	case "eventType":
		return &e.EventType
	case "recipientAccountId":
		return &e.RecipientAccountID
	case "eventCategory":
		return &e.EventCategory
	}
	return nil
}

// isEvent reports whether the object that was read is a CloudTrail event by its own keys: it has a
// string awsRegion, or two of eventVersion, eventSource, eventName and userIdentity.
func (e *Event) isEvent() bool {
	if e.AWSRegion.IsString() {
		return true
	}
	n := 0
	for _, v := range [...]Value{e.EventVersion, e.EventSource, e.EventName, e.UserIdentity} {
		if v != nil {
			n++
		}
	}
	return n >= 2
}
