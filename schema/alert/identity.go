package alert

import (
	"crypto/sha1"
	"strconv"

	"github.com/google/uuid"
)

// Namespace is the UUID namespace of all alert ids: the UUIDv5 of the URL
// https://github.com/regionwatch/regionwatch/alert. It never changes: the same event must have the same
// id under every version of this program.
var Namespace = uuid.MustParse("9169434c-c222-55e9-959c-c20611729eca")

// AppendID appends the id of the alert that a rule raises for an event: the UUIDv5 (RFC 9562, section 5.5)
// in Namespace of the rule's id, the recipient account and the event's id, as decoded text. Account may
// be empty; eventID may not: an event without one has the id of [AppendRecordID].
//
// The name that is hashed is "event" and the three texts, each written as a netstring (its length in
// bytes, a colon, the text, a comma), so that no two different triples share a name.
func AppendID(dst []byte, ruleID string, account, eventID []byte) []byte {
	var array [256]byte
	name := appendPrefix(array[:0], "event", ruleID, account)
	return appendUUID(dst, appendNetstring(name, eventID))
}

// AppendRecordID appends the id of the alert for an event without an id: the UUIDv5 of the rule's id, the recipient
// account, the event's record (its topic, partition and offset, or another lasting name) and the event's index in it.
// The name that is hashed begins with "record" and is written as in [AppendID].
func AppendRecordID(dst []byte, ruleID string, account, record []byte, index int) []byte {
	var array [256]byte
	var digits [20]byte
	name := appendPrefix(array[:0], "record", ruleID, account)
	name = appendNetstring(name, record)
	return appendUUID(dst, appendNetstring(name, strconv.AppendInt(digits[:0], int64(index), 10)))
}

func appendPrefix(name []byte, kind, ruleID string, account []byte) []byte {
	name = appendNetstring(name, kind)
	name = appendNetstring(name, ruleID)
	return appendNetstring(name, account)
}

func appendNetstring[T string | []byte](name []byte, text T) []byte {
	name = strconv.AppendInt(name, int64(len(text)), 10)
	name = append(name, ':')
	name = append(name, text...)
	return append(name, ',')
}

// appendUUID is uuid.NewSHA1 without its allocations: a namespace, a name, SHA-1, version 5.
func appendUUID(dst, name []byte) []byte {
	var array [512]byte
	sum := sha1.Sum(append(append(array[:0], Namespace[:]...), name...))
	var id uuid.UUID
	copy(id[:], sum[:])
	id[6] = id[6]&0x0f | 5<<4
	id[8] = id[8]&0x3f | 0x80
	text, _ := id.MarshalText() // never an error
	return append(dst, text...)
}
