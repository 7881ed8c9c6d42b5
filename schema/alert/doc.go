// Package alert is the output of regionwatch: the alert record, its identity, and its encodings.
//
// It guarantees: an encoded alert is one line of valid UTF-8 JSON, and the same event under the same rule has the same
// id on every delivery. Field names are fixed: additions are compatible, changes are not.
//
// There are two encodings of the same facts, see [Format]: native JSON, and Detection Finding of the Open Cybersecurity
// Schema Framework. Both depend only on the alert: nothing here reads a clock.
//
// The package starts no goroutines.
package alert
