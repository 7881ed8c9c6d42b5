// Package detection carries a record to its alerts: it decodes the events, lets the policy decide each of them, and makes
// the alerts with what an analyst needs to know.
//
// It is pure: no Kafka, no clock, no I/O, no goroutines. The same bytes under the same policy give the same alerts. A
// [Detector] belongs to one goroutine at a time.
package detection
