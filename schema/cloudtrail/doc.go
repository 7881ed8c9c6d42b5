// Package cloudtrail reads AWS CloudTrail: it finds the events in the bytes of a record, whatever
// they are wrapped in, and reads the fields of each event that a decision and an alert need.
//
// It guarantees: every byte of a record is accounted for. It is part of an event, of an envelope
// that was recognized, or of a [Fault]. The JSON grammar (RFC 8259) is checked to the last byte, at
// any depth, without recursion and without reflection.
//
// The same text is not checked twice: a userIdentity or tlsDetails that equals, byte for byte, one that the decoder has
// read lately needs no second look. What was remembered changes how fast an event is read, never what is read of it.
//
// Nothing is handed on as a copy: an [Event] is made of sub-slices of the record, or of the decoder's own buffer
// where the record was compressed or quoted. They are valid until the [Sink] returns. Copy what
// must outlive that.
//
// # What is accepted
//
// The JSON that package jsonscan accepts. Bytes that are not UTF-8 and lone surrogates are no damage: the event has
// [Event.InvalidUTF8] set. If a key is repeated, the last one wins, even if its value is null. Only the top
// level of an event counts: the same names further down are never taken for its fields.
//
// What is not accepted is damage. It is a [SyntaxError] with its place, and never undoes what was read before it.
//
// The package starts no goroutines. A [Decoder] belongs to one goroutine at a time.
package cloudtrail
