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

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Topic is a topic, mostly of dead letters, and how to reach it. It is read without a group: nothing is committed, and each read
// ends where the topic ended when the read began. Name and Client are required.
type Topic struct {
	Name string
	// Client returns a client with the given options and those of the connection. The caller closes it.
	Client func(...kgo.Opt) (*kgo.Client, error)
	// MaxBatchBytes bounds a decompressed batch; 0 means the client library's own bound.
	MaxBatchBytes int
	// Progress, if set, is called with how many of all offsets have been read.
	Progress func(read, total int64)
}

// ErrNoTopic is returned if the topic does not exist or may not be read.
var ErrNoTopic = errors.New("no such topic, or no permission to read it")

// ErrEnough is what visit returns to end a read without an error.
var ErrEnough = errors.New("enough was read")

// extent is what to read: per partition, the first offset and the one after the last.
type extent map[int32]struct{ from, to int64 }

// total returns the number of offsets.
func (e extent) total() (n int64) {
	for _, span := range e {
		n += max(span.to-span.from, 0)
	}
	return n
}

// Read visits each committed record written at since or later, and possibly some before; zero means all. Records of one
// partition come in order. An error of visit ends the read and is returned, except for ErrEnough.
func (t *Topic) Read(ctx context.Context, since time.Time, visit func(*kgo.Record) error) error {
	e, err := t.committed(ctx, since)
	if err != nil {
		return err
	}
	return t.read(ctx, e, visit)
}

// committed returns the extent of the records committed so far, without those before the first record written at since
// or later.
func (t *Topic) committed(ctx context.Context, since time.Time) (extent, error) {
	e, err := t.measure(ctx, (*kadm.Client).ListCommittedOffsets)
	if err != nil {
		return nil, err
	}
	return t.narrowed(ctx, e, since)
}

// written returns the extent of everything in the topic, including uncommitted records: reading it waits for open
// transactions.
func (t *Topic) written(ctx context.Context) (extent, error) {
	return t.measure(ctx, (*kadm.Client).ListEndOffsets)
}

type listOffsets func(*kadm.Client, context.Context, ...string) (kadm.ListedOffsets, error)

// reachTimeout is how long the brokers may take to report the end of the topic.
const reachTimeout = 30 * time.Second

func (t *Topic) measure(ctx context.Context, listEnds listOffsets) (extent, error) {
	starts, err := t.list(ctx, (*kadm.Client).ListStartOffsets)
	if err != nil {
		return nil, err
	}
	ends, err := t.list(ctx, listEnds)
	if err != nil {
		return nil, err
	}
	e := make(extent)
	for p, start := range starts {
		e[p] = struct{ from, to int64 }{start.Offset, ends[p].Offset}
	}
	return e, nil
}

// narrowed returns e without the records before the first one written at since or later; a zero since keeps all.
func (t *Topic) narrowed(ctx context.Context, e extent, since time.Time) (extent, error) {
	if since.IsZero() {
		return e, nil
	}
	first, err := t.list(ctx, func(a *kadm.Client, ctx context.Context, topics ...string) (kadm.ListedOffsets, error) {
		return a.ListOffsetsAfterMilli(ctx, since.UnixMilli(), topics...)
	})
	if err != nil {
		return nil, err
	}
	for p, span := range e {
		span.from = max(span.from, first[p].Offset)
		e[p] = span
	}
	return e, nil
}

// list lists offsets with a new client.
func (t *Topic) list(ctx context.Context, list listOffsets) (map[int32]kadm.ListedOffset, error) {
	client, err := t.Client(kgo.ClientID(clientID))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	listed, err := list(kadm.NewClient(client), ctx, t.Name)
	if err == nil {
		err = listed.Error()
	}
	switch {
	case errors.Is(err, kerr.UnknownTopicOrPartition), err == nil && len(listed[t.Name]) == 0:
		return nil, fmt.Errorf("topic %q: %w", t.Name, ErrNoTopic)
	case err != nil:
		return nil, fmt.Errorf("looking for the offsets of topic %q: %w", t.Name, err)
	}
	return listed[t.Name], nil
}
