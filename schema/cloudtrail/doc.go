// Package cloudtrail reads AWS CloudTrail: it finds the events in the bytes of a record, whatever
// they are wrapped in, and reads the fields of each event that a decision and an alert need.
//
// It guarantees: every byte of a record is accounted for. It is part of an event, of an envelope
// that was recognized, or of a [Fault]. The JSON grammar (RFC 8259) is checked to the last byte, at
// any depth, without recursion and without reflection.
//
// Nothing is copied: an [Event] is made of sub-slices of the record, or of the decoder's own buffer
// where the record was compressed or quoted. They are valid until the [Sink] returns. Who wants to
// keep them copies them.
//
// The package starts no goroutines. A [Decoder] belongs to one goroutine at a time.
package cloudtrail
