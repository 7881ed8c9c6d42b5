package cloudtrail

// decodeEvent reads the object that starts at b[0], an opening brace, in one strict pass. It overwrites
// e's values, marks, InvalidUTF8 and Raw (the object's bytes), and leaves the rest of e alone. On damage e holds
// what was read before it, err is a [*SyntaxError] and end is where reading stopped.
func (s *scanner) decodeEvent(b []byte, e *Event) (end int, err error) {
	var got members
	s.invalid = false
	end, err = s.decodeMembers(b, &got)
	e.fill(b, &got)
	e.Raw, e.InvalidUTF8 = b[:end:end], s.invalid
	return end, err
}

// decodeMembers reads the members of the event and tells what it captured, up to any damage.
func (s *scanner) decodeMembers(b []byte, got *members) (end int, err error) {
	i := skipSpace(b, 1)
	if at(b, i) == '}' {
		return i + 1, nil
	}
	for id := keyOther; ; {
		// Events of one stream mostly have their keys in the same order: the key that came after the last one
		// the last time is tried first.
		if guess := s.follows[id&63]; keys[guess&63].at(b, i) {
			id, i = guess, i+1+int(keys[guess&63].size)
		} else {
			last := id
			if id, i, err = s.eventKey(b, i); err != nil {
				return i, err
			}
			s.follows[last&63] = id
		}
		if at(b, i) <= ' ' {
			i = skipSpace(b, i)
		}
		start := i
		switch at(b, i) {
		case '"':
			if i = skipWords(b, i+1); three(b, i) == quoteCommaQuote {
				got.put(id, start, i+1)
				i += 2
				continue
			}
			if at(b, i) == '"' {
				i++
			} else {
				i, err = s.skipString(b, start)
			}
		case '{', '[':
			i, err = s.skipValue(b, i)
		default:
			i, err = s.skipScalar(b, i)
		}
		if err != nil {
			return i, err
		}
		got.put(id, start, i)
		if i, err = afterValue(b, i, '}'); err != nil {
			return i, err
		}
		if b[i] == '}' {
			return i + 1, nil
		}
		i = skipSpace(b, i+1)
	}
}

// eventKey reads the key at b[i], the colon and the white space around it.
func (s *scanner) eventKey(b []byte, i int) (id keyID, value int, err error) {
	end, value, err := s.skipKey(b, i)
	if err != nil {
		return keyOther, value, err
	}
	return keyOf(Value(b[i:end])), value, nil
}

// set stores a member of the event; one that stands twice is overwritten.
func (e *Event) set(key, value Value) { e.put(keyOf(key), value) }

// put stores the value of the key.
func (e *Event) put(k keyID, value Value) {
	if field := e.field(k); field != nil {
		*field = value
		return
	}
	e.marks |= keys[k&63].marks
}

// members is what was read of an event's members: where the captured values stand, by their keys, and in the
// last place those of all others.
type members struct {
	values [keyCaptured + 1]span
	marks  marks
}

// put notes that the value of the key stands at b[start:end].
func (m *members) put(id keyID, start, end int) {
	m.values[min(id, keyCaptured)&15] = span{start, end}
	m.marks |= keys[id&63].marks
}

// span is where a value stands. It is empty for one that is not there.
type span struct{ start, end int }

// of returns the value in b, nil for an empty span.
func (p span) of(b []byte) Value {
	if p.end == 0 {
		return nil
	}
	return b[p.start:p.end]
}

// fill sets the fields of the event from what was read of b.
func (e *Event) fill(b []byte, m *members) {
	e.EventVersion = m.values[keyEventVersion].of(b)
	e.UserIdentity = m.values[keyUserIdentity].of(b)
	e.EventTime = m.values[keyEventTime].of(b)
	e.EventSource = m.values[keyEventSource].of(b)
	e.EventName = m.values[keyEventName].of(b)
	e.AWSRegion = m.values[keyAWSRegion].of(b)
	e.SourceIPAddress = m.values[keySourceIPAddress].of(b)
	e.UserAgent = m.values[keyUserAgent].of(b)
	e.ErrorCode = m.values[keyErrorCode].of(b)
	e.EventID = m.values[keyEventID].of(b)
	e.ReadOnly = m.values[keyReadOnly].of(b)
	e.EventType = m.values[keyEventType].of(b)
	e.RecipientAccountID = m.values[keyRecipientAccountID].of(b)
	e.EventCategory = m.values[keyEventCategory].of(b)
	e.marks = m.marks
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
