// Package scan decides the events in files: the same decision as on a topic, without Kafka.
//
// Each file is read as one record would be: whatever shape its events travel in, compressed or not. Where
// a file holds several top-level values, NDJSON as a rule, each value is a record of its own, named by the
// byte offset at which it starts in the (decompressed) text. Such a file is read in chunks, so that its
// size does not matter; a single value is read whole and may have up to Options.MaxEventBytes.
//
// It guarantees: alerts and dead letters come in the order of the input, whatever runs in parallel; what
// cannot be read is a dead letter, and a file that cannot be opened or read is an error that is told and
// does not keep others from being read. Memory is bounded by the number of workers, the chunk size and
// MaxEventBytes; the alerts of one chunk beyond 16 MiB wait in a temporary file for their turn.
//
// Every goroutine is started by [Run], which returns when all have ended.
package scan
