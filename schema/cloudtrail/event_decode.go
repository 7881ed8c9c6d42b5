package cloudtrail

// decodeEvent reads the object that starts at b[0], an opening brace, in one strict pass. It overwrites
// e's values, marks, InvalidUTF8 and Raw (the object's bytes), and leaves the rest of e alone. On damage e holds
// what was read before it, err is a [*SyntaxError] and end is where reading stopped.
func (s *scanner) decodeEvent(b []byte, e *Event) (end int, err error) {
	var got members
	s.invalid = false
	end, err = s.decodeMembers(b, &got)
	e.fill(&got)
	e.Raw, e.InvalidUTF8 = b[:end:end], s.invalid
	return end, err
}

// decodeMembers reads the members of the event and captures them.
func (s *scanner) decodeMembers(b []byte, got *members) (end int, err error) {
	i := skipSpace(b, 1)
	if at(b, i) == '}' {
		return i + 1, nil
	}
	id := keyOther
	for {
		// The key. Events of one stream mostly have their keys in the same order, so the one that came after the
		// last key the last time is tried first.
		if guess := s.follows[id&63]; i >= 0 && i < len(b)-keyWindow-1 && b[i] == '"' && keys[guess&63].at((*[keyWindow]byte)(b[i+1:])) {
			id = guess
			i += 1 + int(keys[guess&63].size)
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
		// The value.
		start := i
		switch at(b, i) {
		case '"':
			if i = skipWords(b, i+1); at(b, i) == '"' {
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
		got.values[min(id, keyCaptured)&15] = b[start:i]
		got.marks |= keys[id&63].marks
		// What follows it.
		if at(b, i) != ',' {
			i = skipSpace(b, i)
		}
		if at(b, i) == '}' {
			return i + 1, nil
		}
		if at(b, i) != ',' {
			return i, wrong(b, i, "a comma or the end of the object")
		}
		i++
		if at(b, i) != '"' {
			i = skipSpace(b, i)
		}
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

// members is what was read of an event's members: the captured values by their keys, the last place for
// all others.
type members struct {
	values [keyCaptured + 1]Value
	marks  marks
}

// fill sets the fields of the event.
func (e *Event) fill(m *members) {
	e.EventVersion = m.values[keyEventVersion]
	e.UserIdentity = m.values[keyUserIdentity]
	e.EventTime = m.values[keyEventTime]
	e.EventSource = m.values[keyEventSource]
	e.EventName = m.values[keyEventName]
	e.AWSRegion = m.values[keyAWSRegion]
	e.SourceIPAddress = m.values[keySourceIPAddress]
	e.UserAgent = m.values[keyUserAgent]
	e.ErrorCode = m.values[keyErrorCode]
	e.EventID = m.values[keyEventID]
	e.ReadOnly = m.values[keyReadOnly]
	e.EventType = m.values[keyEventType]
	e.RecipientAccountID = m.values[keyRecipientAccountID]
	e.EventCategory = m.values[keyEventCategory]
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
