// Package deadletters reads what package processor writes to the dead-letter topic: it parses letters, joins those in
// parts, selects, counts, decodes them again with the current decoder, and replays them.
//
// # Replays
//
// A record is replayed once, however often and with whatever selection a replay is run. Markers note what was replayed:
// they are records of the dead-letter topic, written in the same transaction as the results of the replay, so a crash
// leaves both or neither. A replay first initializes its transactional ID, which ends any transaction of an earlier
// replay, and then reads all markers up to the end of the topic. Two replays of one topic therefore cannot both replay
// a record.
//
// Committed offsets of a consumer group could not express this, because a selection leaves gaps. A ledger in a separate
// topic might outlive the letters, or disappear before them. A marker is in the same partition as its letter and after
// it. Retention deletes the oldest records first, so it deletes the letter before its marker; and if the topic is
// recreated, letters and markers start over together.
//
// A marker identifies a record by the topic, partition and offset it was read from, and by how often it had been
// replayed. Several letters of one record, and letters written twice, are one replay. A record that still cannot be
// read becomes a new dead letter, whose replay count is one higher.
//
// The only goroutines are those of the Kafka clients, which are closed before a function returns.
package deadletters
