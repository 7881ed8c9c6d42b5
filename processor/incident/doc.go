// Package incident groups alerts into incidents: one thing to look at for all alerts of a principal in a region of an
// account within a window of time.
//
// It guarantees: every distinct alert is in exactly one incident; the alert alone decides which, so that any order and
// any speed give the same members and counts; a repeated alert counts once, as long as its incident is remembered; no
// alert is dropped, and memory is bounded: beyond the limit on incidents alerts roll up into storms, and beyond the
// limit on remembered ids counts become estimates, which the incident says.
//
// It is pure: no Kafka, no clock, no I/O, no goroutines. A [Grouper] holds the state of one partition of alerts, is
// given the time, and belongs to one goroutine at a time. Its state can be written as records and restored.
package incident
