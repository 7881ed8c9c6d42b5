// Package deadletters reads what package processor writes to the dead-letter topic: it parses letters, puts
// those in parts together, selects, counts, reads them once more with the decoder of today, and replays them.
//
// # Replays
//
// A record is replayed once, however often and with whatever selection it is asked for. What was replayed is
// noted in markers: records of the dead-letter topic itself, written in the same transaction as what the
// replay comes to. So a crash leaves both or neither. A replay takes its transactional id before it looks at
// the markers, which ends the transaction of whoever had it before, and then reads all markers up to the ends
// of the topic: two replays of one topic cannot both replay a record.
//
// Offsets that a consumer group commits could not say this, because a selection leaves gaps. A ledger in a
// topic of its own would outlive the letters that it is about, or go before them. A marker stands in its
// letter's own partition, behind it: retention, which deletes from the front, deletes the letter first; and
// with a topic that is made anew, letters and markers begin anew together.
//
// What is noted is the record that a letter is about, by the topic, partition and offset that it was read
// from and how often it had been replayed by then. Several letters of one record, and letters that were
// written twice, are one replay. A record that cannot be read in its replay either becomes a new dead letter, with a
// number of replays that is one higher.
//
// The package starts no goroutines but those of the Kafka clients, which it closes before it returns.
package deadletters
