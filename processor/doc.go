// Package processor is the stream engine: it reads records from Kafka, has them decided, writes alerts
// and dead letters, and commits what is done.
//
// It guarantees at least once by default: an offset is marked only after every alert and dead letter
// of its record, and of all records before it, is acknowledged by the broker. With ExactlyOnce offsets,
// alerts and dead letters are committed in one transaction.
//
// The two guarantees are two engines over the same decision and the same output:
//
//	at least once   consumer, poll, flow, queue, partition: a worker for each partition, marks and commits
//	exactly once    session, transaction: clients with a transactional id, one transaction after another
//	both            start, drain; package topics: what is there, where reading begins, topics that are created again
//
// Every goroutine is started by [Processor.Run] or by something that Run waits for; none is left when Run returns.
package processor
