package topics

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/retry"
)

// StateError is why the state in the state topic cannot be used. Trying again does not help.
type StateError struct {
	Topic     string
	Partition int32 // negative means the topic as a whole
	Err       error
}

// Error says what to do.
func (e *StateError) Error() string {
	where := fmt.Sprintf("state topic %q", e.Topic)
	if e.Partition >= 0 {
		where += fmt.Sprintf(" partition %d", e.Partition)
	}
	return where + ": " + e.Err.Error() + "; stop every instance and run regionwatch incidents rebuild"
}

// Unwrap returns the cause.
func (e *StateError) Unwrap() error { return e.Err }

func (ts *Topics) stateError(partition int32, format string, args ...any) error {
	return &StateError{ts.o.State, partition, fmt.Errorf(format, args...)}
}

// StateConfigs are the settings of a state topic that is created. Small segments let the brokers compact early: what
// is not compacted is read at each restore.
func StateConfigs() map[string]*string {
	configs := make(map[string]*string)
	for name, value := range map[string]string{
		"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.1", "segment.bytes": "67108864",
	} {
		configs[name] = &value
	}
	return configs
}

// checkState creates a missing state topic, and checks that it has as many partitions as the input.
func (ts *Topics) checkState(ctx context.Context, admin *kadm.Client) error {
	for since := time.Now(); ; {
		found, err := admin.ListTopics(ctx, ts.o.State, ts.o.Inputs[0])
		if err != nil {
			return fmt.Errorf("listing topics: %w", err)
		}
		state, input := found[ts.o.State], found[ts.o.Inputs[0]]
		missing := errors.Is(state.Err, kerr.UnknownTopicOrPartition)
		switch {
		case input.Err == nil && state.Err == nil:
			return ts.comparePartitions(input, state)
		case missing && !ts.o.Create && time.Since(since) > topicPatience:
			return fmt.Errorf("missing topic %q: create it, compacted and with as many partitions as %q, or let it be created (--create-topics)",
				ts.o.State, ts.o.Inputs[0])
		case missing && input.Err == nil && ts.o.Create:
			if err := ts.createTopics(ctx, admin, int32(len(input.Partitions)), StateConfigs(), ts.o.State); err != nil {
				return err
			}
		case state.Err != nil && !missing:
			return fmt.Errorf("looking for topic %q: %w", ts.o.State, state.Err)
		}
		if err := retry.Sleep(ctx, topicPatience/8); err != nil { // brokers learn about new topics at different times
			return err
		}
	}
}

// comparePartitions returns an error if a partition of the input has no state, or state no input.
func (ts *Topics) comparePartitions(input, state kadm.TopicDetail) error {
	if n, m := len(input.Partitions), len(state.Partitions); n != m {
		return ts.stateError(-1, "it has %d partitions, and topic %q has %d: they must be equal", m, input.Topic, n)
	}
	return nil
}

// stateMark is the key of the record that says whose state a partition has: it is part of the first transaction.
const stateMark = "topic"

// StateMark returns that record, as of now.
func (ts *Topics) StateMark(ctx context.Context, partition int32) (*kgo.Record, error) {
	id, err := ts.inputID(ctx)
	return &kgo.Record{Topic: ts.o.State, Partition: partition, Key: []byte(stateMark), Value: []byte("1 " + ts.commitMetadata(id))}, err
}

// inputID returns the id of the input topic.
func (ts *Topics) inputID(ctx context.Context) (kadm.TopicID, error) {
	input := ts.o.Inputs[0]
	found, err := ts.admin.ListTopics(ctx, input)
	if err == nil {
		err = found[input].Err
	}
	if err != nil {
		return kadm.TopicID{}, fmt.Errorf("looking for topic %q: %w", input, err)
	}
	return found[input].ID, nil
}

// StateReader reads the state of one partition.
type StateReader struct {
	ts        *Topics
	partition int32
	input     kadm.TopicID
	// Marked reports, after Read, whether the partition has its mark.
	Marked bool
	read   int
}

// OpenState returns a reader of a partition's state.
func (ts *Topics) OpenState(ctx context.Context, partition int32) (*StateReader, error) {
	id, err := ts.inputID(ctx)
	return &StateReader{ts: ts, partition: partition, input: id}, err
}

// readPatience is how long a read waits for the next record: longer than brokers let a transaction be open, unless they
// are set to more.
const readPatience = 2 * time.Minute

// Read passes every record of the state to record, in order, up to the end at the time of the call. A transaction that
// is open then may still commit, so the end is that of uncommitted records, and Read waits for it. keep reports
// whether to go on.
func (r *StateReader) Read(ctx context.Context, keep func() bool, record func(key, value []byte) error) error {
	end, err := r.end(ctx)
	if err == nil && end > 0 {
		err = r.readTo(ctx, end, keep, record)
	}
	if err == nil {
		err = r.checkOffset(ctx)
	}
	return err
}

// end returns where the partition ends, 0 if it is empty.
func (r *StateReader) end(ctx context.Context) (int64, error) {
	topic := r.ts.o.State
	ends, err := listAll(ctx, r.ts.admin.ListEndOffsets, []string{topic})
	if err != nil {
		return 0, fmt.Errorf("listing the ends of topic %q: %w", topic, err)
	}
	starts, err := listAll(ctx, r.ts.admin.ListStartOffsets, []string{topic})
	if err != nil {
		return 0, fmt.Errorf("listing the starts of topic %q: %w", topic, err)
	}
	end, ok := ends.Lookup(topic, r.partition)
	if !ok {
		return 0, r.ts.stateError(r.partition, "it does not exist")
	}
	if start, _ := starts.Lookup(topic, r.partition); start.Offset >= end.Offset {
		return 0, nil
	}
	return end.Offset, nil
}

// fetchAtMost limits the fetches of one read, in bytes.
const fetchAtMost = 4 << 20

func (r *StateReader) readTo(ctx context.Context, end int64, keep func() bool, record func(key, value []byte) error) error {
	topic := r.ts.o.State
	client, err := r.ts.o.NewClient(ctx, r.ts.o.ClientID+"-restore",
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {r.partition: kgo.NewOffset().AtStart()}}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(), kgo.FetchMaxWait(250*time.Millisecond),
		kgo.FetchMaxBytes(fetchAtMost), kgo.FetchMaxPartitionBytes(fetchAtMost))
	if err != nil {
		return fmt.Errorf("making client: %w", err)
	}
	defer client.Close()
	for next, last := int64(0), time.Now(); next < end; {
		poll, cancel := context.WithTimeout(ctx, time.Second)
		fetches := client.PollFetches(poll)
		cancel()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case !keep():
			return context.Canceled
		case fetches.NumRecords() > 0:
			last = time.Now()
		case time.Since(last) > readPatience:
			return fmt.Errorf("reading state topic %q partition %d: %w", topic, r.partition, errNoRecords)
		}
		if err := pollError(fetches); err != nil {
			return fmt.Errorf("reading state topic %q partition %d: %w", topic, r.partition, err)
		}
		for _, rec := range fetches.Records() {
			if next = rec.Offset + 1; next > end {
				break // of a successor, which has taken the partition
			}
			if err := r.take(rec, record); err != nil {
				return &StateError{topic, r.partition, err}
			}
		}
	}
	return nil
}

var errNoRecords = errors.New("no record has come for long")

// pollError returns the first error of a poll that does not pass by itself.
func pollError(fetches kgo.Fetches) (first error) {
	fetches.EachError(func(_ string, _ int32, err error) {
		if first == nil && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) && !retry.IsTransient(err) {
			first = err
		}
	})
	return first
}

// take passes a record on, or looks at the mark.
func (r *StateReader) take(rec *kgo.Record, record func(key, value []byte) error) error {
	switch {
	case rec.Attrs.IsControl():
		return nil
	case string(rec.Key) != stateMark:
		r.read++
		return record(rec.Key, rec.Value)
	}
	version, metadata, _ := strings.Cut(string(rec.Value), " ")
	r.Marked = len(rec.Value) > 0
	switch {
	case r.Marked && version != "1":
		return fmt.Errorf("it has version %q, this program reads version 1", version[:min(len(version), 20)])
	case r.ts.isOlderTopic(metadata, r.input):
		return fmt.Errorf("it belongs to an older topic %q, which was deleted and created again", r.ts.o.Inputs[0])
	}
	return nil
}

// checkOffset returns an error if there is state without an offset, or an offset without state: the first transaction
// of a partition writes both the mark and the offset. Without the offset, which expires, all alerts would count again.
func (r *StateReader) checkOffset(ctx context.Context) error {
	commits, err := r.ts.groupCommits(kadm.RequireStable(ctx), r.ts.admin) // the broker may still be committing it
	if err != nil {
		return err
	}
	c, ok := commits.Lookup(r.ts.o.Inputs[0], r.partition)
	ok = ok && c.At >= 0
	switch {
	case r.Marked && !ok:
		return r.ts.stateError(r.partition, "group %q has no offset that belongs to it: it expired or was deleted", r.ts.o.Group)
	case !r.Marked && (r.read > 0 || ok && !r.ts.isOlderTopic(c.Metadata, r.input)):
		return r.ts.stateError(r.partition, "its beginning is missing, although group %q has read alerts", r.ts.o.Group)
	}
	return nil
}

// Unread returns where the group continues in each partition of the input that has unread records. Call it before Watch.
func (ts *Topics) Unread(ctx context.Context, admin *kadm.Client) (map[string]map[int32]kgo.Offset, error) {
	input := ts.o.Inputs[0]
	ends, err := listAll(ctx, admin.ListEndOffsets, []string{input})
	if err != nil {
		return nil, fmt.Errorf("listing the ends of topic %q: %w", input, err)
	}
	starts, err := listAll(ctx, admin.ListStartOffsets, []string{input})
	if err != nil {
		return nil, fmt.Errorf("listing the starts of topic %q: %w", input, err)
	}
	commits, err := ts.groupCommits(ctx, admin)
	if err != nil {
		return nil, err
	}
	next := make(map[int32]kgo.Offset)
	ends.Each(func(end kadm.ListedOffset) {
		start, _ := starts.Lookup(input, end.Partition)
		at := start.Offset
		if c, ok := commits.Lookup(input, end.Partition); ok && c.At <= end.Offset {
			at = max(at, c.At)
		}
		if at < end.Offset {
			next[end.Partition] = kgo.NewOffset().At(at)
		}
	})
	if len(next) == 0 {
		return nil, nil
	}
	return map[string]map[int32]kgo.Offset{input: next}, nil
}
