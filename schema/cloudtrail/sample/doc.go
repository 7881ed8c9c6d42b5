// Package sample makes sample CloudTrail: records full of realistic events, in the shapes that events
// travel in, some of them damaged on purpose. Tests, benchmarks, the demo and the generate command live
// on it.
//
// It guarantees: the same [Options] give the same bytes, on every machine. Each record comes with the
// truth about it, so that whoever reads the records can be checked against exact counts ([Truth]).
// Accounts, names and addresses are those that are set aside for documentation; no event is taken from
// anywhere.
//
// The package starts no goroutines. A [Generator] belongs to one goroutine at a time.
//
// To add an API call, add a row to reads.go or writes.go; an identity, to identities.go; an
// envelope, to envelopes.go; a compression, to encoders.go; a kind of damage, to damage.go.
package sample
