// Package incident groups alerts into incidents: one thing to look at for all alerts of a principal in a region of an
// account within a window of time.
//
// It guarantees: every distinct alert is in exactly one incident; what an alert joins depends on the alert, so that any
// order and any speed give the same members and counts; an alert that comes twice counts once, as long as its incident is
// remembered; no alert is dropped, and memory is bounded: beyond the bound of incidents alerts roll up into storms, and
// beyond the bound of remembered ids counts become estimates, which the incident says.
//
// It is pure: no Kafka, no clock, no I/O, no goroutines. A [Grouper] holds what is known of one partition of alerts, is
// handed the clock, and belongs to one goroutine at a time. Its state can be written as records and restored.
package incident
