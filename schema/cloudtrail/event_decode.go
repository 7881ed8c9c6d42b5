package cloudtrail

import (
	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

// decodeEvent reads the object that starts at b[0], an opening brace, in one strict pass. It overwrites
// e's values, InvalidUTF8 and Raw (the object's bytes), and leaves the rest of e alone. On damage e holds
// what was read before it, err is a [*SyntaxError] and end is where reading stopped.
func (s *scanner) decodeEvent(b []byte, e *Event) (end int, err error) {
	s.Invalid, s.got.seen = false, 0
	end, err = s.decodeMembers(b)
	e.fill(b, &s.got)
	e.Raw, e.InvalidUTF8 = b[:end:end], s.Invalid
	return end, err
}

// decodeMembers reads the members of the event and notes in s.got where their values stand, up to any damage.
func (s *scanner) decodeMembers(b []byte) (end int, err error) {
	i := jsonscan.SkipSpace(b, 1)
	if jsonscan.At(b, i) == '}' {
		return i + 1, nil
	}
	for id := keyOther; ; {
		var atValue bool
		if i, id, atValue = s.readTexts(b, i, id); !atValue {
			if id, i, err = s.nextEventKey(b, i, id); err != nil {
				return i, err
			}
		}
		start := jsonscan.SkipSpace(b, i)
		i = start
		switch {
		case id == keyUserIdentity:
			i, err = s.SkipRepeated(b, i, &s.identity)
		case id == keyTLSDetails:
			i, err = s.SkipRepeated(b, i, &s.tls)
		default:
			i, err = s.SkipValue(b, i)
		}
		if err != nil {
			return i, err
		}
		s.got.put(id, start, i)
		// Mostly the next key follows at once, and there is no white space to look for.
		if jsonscan.At(b, i) == ',' && jsonscan.At(b, i+1) == '"' {
			i++
			continue
		}
		if i, err = jsonscan.AfterValue(b, i, '}'); err != nil {
			return i, err
		}
		if b[i] == '}' {
			return i + 1, nil
		}
		i = jsonscan.SkipSpace(b, i+1)
	}
}

// nextEventKey reads the key at b[i], the colon and maybe the white space behind it, and remembers that it comes
// after the key last.
func (s *scanner) nextEventKey(b []byte, i int, last keyID) (id keyID, value int, err error) {
	first, second := s.follows[last], s.others[last]
	if keys[first].at(b, i) {
		return first, i + int(keys[first].size), nil
	}
	if id = second; keys[id].at(b, i) {
		value = i + int(keys[id].size)
	} else if id, value, err = s.eventKey(b, i); err != nil {
		return id, value, err
	}
	if id != first {
		s.follows[last], s.others[last] = id, first
	}
	return id, value, nil
}

// eventKey reads the key at b[i], the colon and the white space around it.
func (s *scanner) eventKey(b []byte, i int) (id keyID, value int, err error) {
	end, value, err := s.SkipKey(b, i)
	if err != nil {
		return keyOther, value, err
	}
	return keyOf(Value(b[i:end])), value, nil
}

// set stores a member of the event. The last of duplicate keys wins.
func (e *Event) set(key, value Value) { e.put(keyOf(key), value) }

// put stores the value of the key.
func (e *Event) put(k keyID, value Value) {
	if field := e.field(k); field != nil {
		*field = value
	}
}

// members is where the values of an event's members stand. Those of an earlier event are left in place, so
// that nothing needs to be cleared: only what is in seen counts.
type members struct {
	seen   uint64 // one bit for each keyID
	values [64]span
}

// span is where a value stands.
type span struct{ start, end int }

// put notes that the value of the key stands at b[start:end].
func (m *members) put(id keyID, start, end int) {
	m.values[id&63] = span{start, end}
	m.seen |= 1 << (id & 63)
}

// value returns the value of the key in b, or nil.
func (m *members) value(b []byte, id keyID) Value {
	if m.seen>>(id&63)&1 == 0 {
		return nil
	}
	p := m.values[id&63]
	return b[p.start:p.end:p.end]
}

// fill sets the fields of the event from what was read of b.
func (e *Event) fill(b []byte, m *members) {
	e.EventVersion = m.value(b, keyEventVersion)
	e.UserIdentity = m.value(b, keyUserIdentity)
	e.EventTime = m.value(b, keyEventTime)
	e.EventSource = m.value(b, keyEventSource)
	e.EventName = m.value(b, keyEventName)
	e.AWSRegion = m.value(b, keyAWSRegion)
	e.SourceIPAddress = m.value(b, keySourceIPAddress)
	e.UserAgent = m.value(b, keyUserAgent)
	e.ErrorCode = m.value(b, keyErrorCode)
	e.EventID = m.value(b, keyEventID)
	e.ReadOnly = m.value(b, keyReadOnly)
	e.EventType = m.value(b, keyEventType)
	e.RecipientAccountID = m.value(b, keyRecipientAccountID)
	e.EventCategory = m.value(b, keyEventCategory)
	e.original = m.seen&originalKeys != 0
}

// Value is one JSON value as it stands in an event.
type Value = jsonscan.Value

// SyntaxError says where and why bytes are not JSON by RFC 8259.
type SyntaxError = jsonscan.SyntaxError

// scanner is a JSON scanner that also reads the fields of events. It learns in which order their keys come and
// which values repeat; that changes how fast an event is read, never what is read of it. The zero value is usable.
type scanner struct {
	jsonscan.Scanner
	// follows guesses the key after each key of an event: the one that followed it last time. others holds the one
	// before that, since some keys are in every other event.
	follows, others [256]keyID
	got             members // where the event's values are
	// identity and tls remember values of userIdentity and tlsDetails.
	identity, tls jsonscan.Echo
}
