// Package incident is the incident record: a summary of the alerts of one principal in one region of one account within
// one window of time, with its identity and encodings.
//
// It guarantees: an encoded incident is one line of valid UTF-8 JSON, and the same key and window have the same id in every
// process and release. Field names are fixed: additions are compatible, changes are not.
//
// There are two encodings, native JSON and Detection Finding of the Open Cybersecurity Schema Framework. Both depend
// only on the incident: nothing here reads a clock. The package starts no goroutines.
package incident
