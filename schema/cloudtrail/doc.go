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
// where the record was compressed or quoted. They are valid until the [Sink] returns. Who wants to
// keep them copies them.
//
// # What is accepted
//
// Exactly what encoding/json (v1) accepts, and beyond its limit of 10,000 levels of nesting any depth:
//
//   - White space is space, tab, line feed and carriage return. There are no comments, no trailing commas and
//     no byte order mark within a value.
//   - Numbers are as in RFC 8259, of any size and with any exponent: they are never converted, so 1e999999
//     and a number of a thousand digits are values like any other. A leading zero or plus is damage.
//   - In strings, control characters below 0x20 are damage, and so is any escape but \" \\ \/ \b \f \n \r \t
//     and \u with four hexadecimal digits. 0x7f and NUL written as \u0000 are text.
//   - Bytes that are not UTF-8, and halves of surrogate pairs (\ud800 alone), are no damage: they are accepted
//     where encoding/json replaces them, and the event has [Event.InvalidUTF8] set. [Value.AppendText] writes U+FFFD
//     in their place, one for each byte or half, as encoding/json does.
//   - Keys are compared decoded and in exact case, where encoding/json folds case when it fills structs: the
//     key "\u0061wsRegion" is awsRegion, "AwsRegion" is not. Of a key that stands twice the last one wins, also where its
//     value is null.
//   - Only the top level of an event counts: the same names further down are never taken for its fields.
//
// What is not accepted is damage. It is a [SyntaxError] with its place, and never undoes what was read before it.
//
// The package starts no goroutines. A [Decoder] belongs to one goroutine at a time.
package cloudtrail
