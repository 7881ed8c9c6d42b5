// Package detection is the decision: which regions are unused for an account, whether an event is a
// finding, why, and what an analyst needs to know about it.
//
// It guarantees that it is pure: no Kafka, no clock, no I/O, no goroutines. The same bytes under the
// same [Policy] give the same alerts. A Policy is immutable and safe for concurrent use; a [Detector]
// belongs to one goroutine at a time.
package detection
