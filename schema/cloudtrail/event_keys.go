package cloudtrail

import (
	"bytes"
	"encoding/binary"
)

// keyID names a top-level key that we know: its index in keys. The zero value is any other key.
type keyID uint8

// The keys whose values are captured. The other ones in keys have no name here.
const (
	keyOther keyID = iota
	keyEventVersion
	keyUserIdentity
	keyEventTime
	keyEventSource
	keyEventName
	keyAWSRegion
	keySourceIPAddress
	keyUserAgent
	keyErrorCode
	keyEventID
	keyReadOnly
	keyEventType
	keyRecipientAccountID
	keyEventCategory
)

// key is a key that we know, and how to recognize it by comparing three words: the key with its quotes and
// the colon. They may overlap.
type key struct {
	name                string
	first, middle, last uint64
	marks               marks
	middleAt, lastAt    uint8 // where the words stand, from the opening quote on
	size                uint8 // of the name, the quotes and the colon
}

// keyWindow is how many bytes from the opening quote on are enough for a key's three words.
const keyWindow = 24

// keys holds every key that we know: the captured ones, the rest of what CloudTrail writes at the top level of
// an event, and the marks of envelopes.
var keys = newKeys(
	"", "eventVersion", "userIdentity", "eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress",
	"userAgent", "errorCode", "eventID", "readOnly", "eventType", "recipientAccountId", "eventCategory",
	"errorMessage", "requestParameters", "responseElements", "additionalEventData", "requestID", "apiVersion",
	"managementEvent", "resources", "sharedEventID", "vpcEndpointId", "vpcEndpointAccountId", "tlsDetails",
	"serviceEventDetails", "addendum", "edgeDeviceDetails", "eventContext",
	"sessionCredentialFromConsole",
)

// newKeys returns the keys with these names, and those of the marks.
func newKeys(names ...string) (all [64]key) {
	for i, name := range names {
		all[i] = newKey(name, 0)
	}
	for i, k := range markKeys {
		all[len(names)+i] = newKey(k.name, k.mark)
	}
	return all
}

// newKey returns the key of this name. One that is too short or too long for three words gets words that
// contradict each other, so that nothing equals them: such keys are found by their name only.
func newKey(name string, mark marks) key {
	text := `"` + name + `":`
	k := key{name: name, marks: mark, size: uint8(len(text)), middle: 1}
	if len(text) < 8 || len(text) > keyWindow-1 {
		return k
	}
	k.lastAt = k.size - 8
	k.middleAt = min(k.lastAt, 8)
	k.first = binary.LittleEndian.Uint64([]byte(text))
	k.middle = binary.LittleEndian.Uint64([]byte(text[k.middleAt:]))
	k.last = binary.LittleEndian.Uint64([]byte(text[k.lastAt:]))
	return k
}

// at reports whether the key stands at b[i], with its quotes and the colon. It does not look near the end
// of b, where it is false.
func (k *key) at(b []byte, i int) bool {
	return i >= 0 && i < len(b)-keyWindow && k.equal((*[keyWindow]byte)(b[i:]))
}

// equal reports whether v starts with the key, its quotes and the colon.
func (k *key) equal(v *[keyWindow]byte) bool {
	return binary.LittleEndian.Uint64(v[:]) == k.first &&
		binary.LittleEndian.Uint64(v[k.middleAt&15:]) == k.middle &&
		binary.LittleEndian.Uint64(v[k.lastAt&15:]) == k.last
}

// keyOf returns the id of a key as it stands in an object, quotes and escapes included. An escaped key is
// compared rather than decoded, so that a long one costs no memory.
func keyOf(k Value) keyID {
	inside := k[1 : len(k)-1]
	if bytes.IndexByte(inside, '\\') < 0 {
		return keyIDs[string(inside)]
	}
	for i := range keys {
		if keys[i].name != "" && k.EqualString(keys[i].name) {
			return keyID(i)
		}
	}
	return keyOther
}

// keyIDs finds a key by its name.
var keyIDs = func() map[string]keyID {
	ids := make(map[string]keyID, len(keys))
	for i, k := range keys {
		if k.name != "" {
			ids[k.name] = keyID(i)
		}
	}
	return ids
}()

// markedKeys has the bit of each key that is a mark.
var markedKeys = func() (set uint64) {
	for i, k := range keys {
		if k.marks != 0 {
			set |= 1 << i
		}
	}
	return set
}()

// field returns where the value of a captured key belongs, or nil.
func (e *Event) field(k keyID) *Value {
	switch k {
	case keyEventVersion:
		return &e.EventVersion
	case keyUserIdentity:
		return &e.UserIdentity
	case keyEventTime:
		return &e.EventTime
	case keyEventSource:
		return &e.EventSource
	case keyEventName:
		return &e.EventName
	case keyAWSRegion:
		return &e.AWSRegion
	case keySourceIPAddress:
		return &e.SourceIPAddress
	case keyUserAgent:
		return &e.UserAgent
	case keyErrorCode:
		return &e.ErrorCode
	case keyEventID:
		return &e.EventID
	case keyReadOnly:
		return &e.ReadOnly
	case keyEventType:
		return &e.EventType
	case keyRecipientAccountID:
		return &e.RecipientAccountID
	case keyEventCategory:
		return &e.EventCategory
	}
	return nil
}
