// Package alert is the output of regionwatch: the alert record, its identity, and its encodings.
//
// It guarantees: an encoded alert is one line of valid UTF-8 JSON, and the same event under the same
// rule has the same id on every delivery. Field names are fixed: additions are compatible, changes
// are not.
//
// The package starts no goroutines.
package alert
