// Package sample makes sample CloudTrail: records full of realistic events, in all the shapes in which events travel,
// some of them damaged on purpose. Tests, benchmarks, the demo and the generate command use it.
//
// It guarantees: the same [Options] give the same bytes on every machine. Each record comes with the truth about it, so
// that readers can be checked against exact counts ([Truth]). Accounts, names and addresses are those reserved for
// documentation; no event is a copy of a real one.
//
// The package starts no goroutines. A [Generator] belongs to one goroutine at a time.
//
// To add an API call, add a row to reads.go or writes.go; an identity, to identities.go; an
// envelope, to envelopes.go; a compression, to encoders.go; a kind of damage, to damage.go.
package sample
