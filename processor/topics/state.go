package topics

import (
	"context"
	"errors"
	"fmt"
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

// StatePartitioner puts state records into the partition they name, and leaves all others to Partitioner.
type StatePartitioner struct {
	kgo.Partitioner
	State string // the state topic
}

// ForTopic implements kgo.Partitioner.
func (p StatePartitioner) ForTopic(topic string) kgo.TopicPartitioner {
	if topic == p.State {
		return kgo.ManualPartitioner().ForTopic(topic)
	}
	return p.Partitioner.ForTopic(topic)
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

// checkState creates a missing state topic, and checks that it has as many partitions as the input. It does not replace
// one that was deleted: what is created is empty.
func (ts *Topics) checkState(ctx context.Context, admin *kadm.Client) error {
	for since := time.Now(); ; {
		found, err := admin.ListTopics(ctx, ts.o.State, ts.o.Inputs[0])
		if err != nil {
			return fmt.Errorf("listing topics: %w", err)
		}
		state, input := found[ts.o.State], found[ts.o.Inputs[0]]
		switch {
		case input.Err == nil && state.Err == nil:
			return ts.comparePartitions(input, state)
		case errors.Is(state.Err, kerr.UnknownTopicOrPartition):
			if err := ts.replaceState(ctx, admin, input, time.Since(since) > topicPatience); err != nil {
				return err
			}
		case state.Err != nil:
			return fmt.Errorf("looking for topic %q: %w", ts.o.State, state.Err)
		}
		if err := retry.Sleep(ctx, topicPatience/8); err != nil { // brokers learn about new topics at different times
			return err
		}
	}
}

// replaceState creates the missing state topic, if we may and it is not known to have held anything. Otherwise, once
// surely is true, it returns what to do.
func (ts *Topics) replaceState(ctx context.Context, admin *kadm.Client, input kadm.TopicDetail, surely bool) error {
	deleted := ts.checkDeleted(ctx, admin, input)
	if _, ok := errors.AsType[*StateError](deleted); deleted != nil && !ok {
		return deleted
	}
	switch {
	case surely && deleted != nil:
		return deleted
	case surely && !ts.o.Create:
		return fmt.Errorf("missing topic %q: create it, compacted and with as many partitions as %q, or let it be created (--create-topics)",
			ts.o.State, ts.o.Inputs[0])
	case deleted == nil && ts.o.Create && input.Err == nil:
		return ts.createTopics(ctx, admin, int32(len(input.Partitions)), StateConfigs(), ts.o.State)
	}
	return nil
}

// checkDeleted returns a [StateError] if the missing state topic is known to have held something.
func (ts *Topics) checkDeleted(ctx context.Context, admin *kadm.Client, input kadm.TopicDetail) error {
	commits, err := ts.groupCommits(ctx, admin)
	if err != nil {
		return err
	}
	for _, c := range commits[input.Topic] {
		if c.At >= 0 && !ts.isOlderTopic(c.Metadata, input.ID) {
			return ts.stateError(-1, "it does not exist, although group %q has read alerts: it was deleted", ts.o.Group)
		}
	}
	return nil
}

// comparePartitions returns an error if a partition of the input has no state, or state no input.
func (ts *Topics) comparePartitions(input, state kadm.TopicDetail) error {
	n, m := len(input.Partitions), len(state.Partitions)
	if n == m {
		return nil
	}
	plural, advice := "s", ""
	if m == 1 {
		plural = ""
	}
	if n > m { // an alert that still goes to its old partition would make an incident of its own
		advice = "; wait a minute until every regionwatch run has noticed the new partitions"
	}
	return ts.stateError(-1, "it has %d partition%s, and topic %q has %d: they must be equal%s", m, plural, input.Topic, n, advice)
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

// Unread returns where each partition of the input begins that has records, if the group has read none of them. Call it
// before Watch.
func (ts *Topics) Unread(ctx context.Context, admin *kadm.Client) (map[string]map[int32]kgo.Offset, error) {
	input := ts.o.Inputs[0]
	commits, err := ts.groupCommits(ctx, admin)
	if err != nil || len(commits[input]) > 0 {
		return nil, err
	}
	ends, err := listAll(ctx, admin.ListEndOffsets, []string{input})
	if err != nil {
		return nil, fmt.Errorf("listing the ends of topic %q: %w", input, err)
	}
	starts, err := listAll(ctx, admin.ListStartOffsets, []string{input})
	if err != nil {
		return nil, fmt.Errorf("listing the starts of topic %q: %w", input, err)
	}
	next := make(map[int32]kgo.Offset)
	ends.Each(func(end kadm.ListedOffset) {
		if start, _ := starts.Lookup(input, end.Partition); start.Offset < end.Offset {
			next[end.Partition] = kgo.NewOffset().At(start.Offset)
		}
	})
	if len(next) == 0 {
		return nil, nil
	}
	return map[string]map[int32]kgo.Offset{input: next}, nil
}
