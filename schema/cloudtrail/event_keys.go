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
	keyTLSDetails // not captured, but often the same again
	keyOriginal   // CloudTrailEvent and its like: not captured
)

// key is a key that we know, and how to recognize it by comparing words: the key with its quotes and the colon.
type key struct {
	name  string
	words [keyWindow / 8]uint64 // the text
	masks [keyWindow / 8]uint64 // which bits of the words belong to it
	size  uint8                 // of the name, the quotes and the colon
}

// keyWindow is how many bytes from the opening quote on are looked at for a key.
const keyWindow = 24

// keys holds every key that we know: the captured ones and the rest of what CloudTrail writes at the top level of an
// event. There are less than 64; with a place for every keyID no index needs a check.
var keys = newKeys(
	"", "eventVersion", "userIdentity", "eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress",
	"userAgent", "errorCode", "eventID", "readOnly", "eventType", "recipientAccountId", "eventCategory",
	"tlsDetails", "CloudTrailEvent", "cloudTrailEvent", "eventJson",
	"errorMessage", "requestParameters", "responseElements", "additionalEventData", "requestID", "apiVersion",
	"managementEvent", "resources", "sharedEventID", "vpcEndpointId", "vpcEndpointAccountId",
	"serviceEventDetails", "addendum", "edgeDeviceDetails", "eventContext",
	"sessionCredentialFromConsole",
)

// actorKeys has the bits of the keys under which an event holds what the actor chose, as objects.
var actorKeys = func() (set uint64) {
	for _, name := range []string{"userIdentity", "requestParameters", "responseElements", "additionalEventData", "serviceEventDetails"} {
		set |= 1 << keyIDs[name]
	}
	return set
}()

// originalKeys has the bits of the keys under which an event is a text beside some of its own fields.
const originalKeys = 7 << keyOriginal

// newKeys returns the keys with these names.
func newKeys(names ...string) (all [256]key) {
	for i, name := range names {
		all[i] = newKey(name)
	}
	return all
}

// newKey returns the key of this name. One that is too long, or empty, has a mask that leaves out what the words have,
// so that nothing equals it: such keys are found by their name only.
func newKey(name string) key {
	text := `"` + name + `":`
	k := key{name: name, size: uint8(len(text))}
	if name == "" || len(text) > keyWindow {
		k.words[0] = 1
		return k
	}
	var bytes, mask [keyWindow]byte
	for i := range copy(bytes[:], text) {
		mask[i] = 0xff
	}
	for i := range k.words {
		k.words[i] = binary.LittleEndian.Uint64(bytes[8*i:])
		k.masks[i] = binary.LittleEndian.Uint64(mask[8*i:])
	}
	return k
}

// at reports whether the key stands at b[i], with its quotes and the colon. It does not look near the end
// of b, where it is false.
func (k *key) at(b []byte, i int) bool {
	return i >= 0 && i < len(b)-keyWindow && k.equal((*[keyWindow]byte)(b[i:]))
}

// equal reports whether v starts with the key, its quotes and the colon.
func (k *key) equal(v *[keyWindow]byte) bool {
	return binary.LittleEndian.Uint64(v[0:])&k.masks[0] == k.words[0] &&
		binary.LittleEndian.Uint64(v[8:])&k.masks[1] == k.words[1] &&
		binary.LittleEndian.Uint64(v[16:])&k.masks[2] == k.words[2]
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
