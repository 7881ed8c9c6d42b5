package sample

import "bytes"

// Damage is what is wrong with a record. The zero value is DamageNone.
type Damage uint8

// The kinds of damage.
const (
	DamageNone Damage = iota
	// DamageTruncated: the record ends in its last event, before the decisive fields or after them.
	DamageTruncated
	// DamageGarbage: the record never was CloudTrail.
	DamageGarbage
	// DamageNotObject: an event is replaced by something that is not an object.
	DamageNotObject
	// DamageUTF8: the user agent has bytes that are not UTF-8. The event can be decided. If a layer holds the event as
	// a JSON string such bytes are replaced on the way, and the record is not damaged.
	DamageUTF8
	// DamageType: a field has a value of the wrong type. The event can be decided.
	DamageType
	damageCount
)

var damageNames = [damageCount]string{"none", "truncated", "garbage", "not-an-object", "invalid-utf8", "wrong-type"}

// String returns the name of the kind.
func (d Damage) String() string {
	if d < damageCount {
		return damageNames[d]
	}
	return "unknown"
}

// unreadable reports whether part of such a record cannot be read.
func (d Damage) unreadable() bool {
	return d == DamageTruncated || d == DamageGarbage || d == DamageNotObject
}

var readOnlyKey = []byte(`"readOnly":`)

// damage damages the event that starts at start and ends the text, and updates its truth, the last of the record.
func (g *Generator) damage(text []byte, start int) []byte {
	event := text[start:]
	truth := &g.record.Events[len(g.record.Events)-1]
	switch g.record.Damage {
	case DamageTruncated:
		return text[:start+g.cut(event, truth)]
	case DamageNotObject:
		truth.Lost = true
		return append(text[:start], pick(g.random, notObjects)...)
	case DamageUTF8:
		at := bytes.Index(event, []byte(`"userAgent":"`)) + len(`"userAgent":"`)
		copy(event[at:], "\xff\xc0\xaf")
		return text
	default:
		return g.spoilType(text, start, truth)
	}
}

// cut returns where to cut the event: in half of the cases before the key readOnly, which loses it, in the others after
// its value, at the earliest right after it.
func (g *Generator) cut(event []byte, truth *Event) int {
	key := bytes.LastIndex(event, readOnlyKey)
	if g.random.IntN(2) == 0 {
		truth.Lost = true
		return 1 + g.random.IntN(key-1)
	}
	truth.Partial = true
	end := key + bytes.IndexByte(event[key:], ',')
	return end + g.random.IntN(len(event)-end)
}

// notObjects replace events. None of them can be read as one in any of our shapes.
var notObjects = []string{`"not an event, but a text"`, "42", "true", "-1.5e3"}

// wrongTypes replace one value of an event by one of another type.
var wrongTypes = []struct {
	key, value string
	readOnly   ReadOnly // its meaning, if the key is readOnly
}{
	{key: `"readOnly":`, value: `"maybe"`, readOnly: Unknown},
	{key: `"readOnly":`, value: `null`, readOnly: Unknown},
	{key: `"readOnly":`, value: `0`, readOnly: Unknown},
	{key: `"readOnly":`, value: `"False"`, readOnly: Write},
	{key: `"readOnly":`, value: `"true"`, readOnly: Read},
	{key: `"awsRegion":`, value: `404`},
	{key: `"sourceIPAddress":`, value: `["192.0.2.1"]`},
	{key: `"userAgent":`, value: `{"name":"curl"}`},
}

// spoilType replaces one value of the event. Each key occurs once at its top level: readOnly last, the others first.
func (g *Generator) spoilType(text []byte, start int, truth *Event) []byte {
	w := pick(g.random, wrongTypes)
	event := bytes.Clone(text[start:])
	at := bytes.Index(event, []byte(`,`+w.key)) + len(`,`+w.key)
	if w.key == string(readOnlyKey) {
		at = bytes.LastIndex(event, readOnlyKey) + len(readOnlyKey)
		truth.ReadOnly = w.readOnly
	}
	if w.key == `"awsRegion":` {
		truth.Region = ""
	}
	text = append(text[:start+at], w.value...)
	return append(text, event[at+valueLength(event[at:]):]...)
}

// valueLength returns the length of the simple value that b starts with: a string without escapes, or a
// word.
func valueLength(b []byte) int {
	if b[0] == '"' {
		return 2 + bytes.IndexByte(b[1:], '"')
	}
	return bytes.IndexByte(b, ',')
}

// garbage is other content found in such topics.
var garbage = []string{
	`<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>`,
	`<134>1 2026-11-01T00:00:00Z host.example.com app 1234 - - user logged in`,
	`level=info ts=2026-11-01T00:00:00Z msg="started" version=1.2.3`,
	`eventVersion,eventName,awsRegion`,
	"\xc1\x8e\xfb\x03\x91",
}

// appendGarbage appends something that never was CloudTrail, with a different tail each time.
func (g *Generator) appendGarbage(dst []byte) []byte {
	dst = append(dst, pick(g.random, garbage)...)
	dst = append(dst, ' ')
	return g.appendRandom(dst, "0123456789abcdef", 4, 16)
}
