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

// Rebuild makes a group with state begin again: it forgets the group's offsets and empties the state topic.
type Rebuild struct {
	Admin        *kadm.Client
	Group        string
	Input, State string
	Replicas     int16 // of the state topic; -1 means the broker's default
}

// Plan says how many partitions the state topic will have, or why it cannot be emptied.
func (r *Rebuild) Plan(ctx context.Context) (partitions int, err error) {
	found, err := r.Admin.ListTopics(ctx, r.Input)
	if err == nil {
		err = found[r.Input].Err
	}
	if errors.Is(err, kerr.UnknownTopicOrPartition) {
		return 0, fmt.Errorf("topic %q does not exist: alert-topic names the alerts that run writes", r.Input)
	}
	if err != nil {
		return 0, fmt.Errorf("looking for topic %q: %w", r.Input, err)
	}
	groups, err := r.Admin.DescribeGroups(ctx, r.Group)
	if err == nil {
		err = groups[r.Group].Err
	}
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		return 0, fmt.Errorf("describing group %q: %w", r.Group, err)
	}
	if n := len(groups[r.Group].Members); n > 0 {
		return 0, fmt.Errorf("group %q has %d live members: stop every instance of incidents; one that was killed counts until session-timeout", r.Group, n)
	}
	return len(found[r.Input].Partitions), nil
}

// Run does it. If it is interrupted, run it again: until then no instance goes on.
func (r *Rebuild) Run(ctx context.Context) error {
	partitions, err := r.Plan(ctx)
	if err != nil {
		return err
	}
	if _, err := r.Admin.DeleteGroup(ctx, r.Group); err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		return fmt.Errorf("deleting the offsets of group %q: %w", r.Group, err)
	}
	if _, err := r.Admin.DeleteTopic(ctx, r.State); err != nil && !errors.Is(err, kerr.UnknownTopicOrPartition) {
		return fmt.Errorf("deleting topic %q: %w", r.State, err)
	}
	return r.create(ctx, int32(partitions))
}

// Marks returns the records that say whose state each partition has. With them and without offsets, no instance goes on
// until [Rebuild.Continue].
func (r *Rebuild) Marks(ctx context.Context, partitions int32) (records []*kgo.Record, err error) {
	ts, err := r.topics(ctx)
	for partition := int32(0); err == nil && partition < partitions; partition++ {
		var mark *kgo.Record
		mark, err = ts.StateMark(ctx, partition)
		records = append(records, mark)
	}
	return records, err
}

// Continue has the group go on at these offsets of the input.
func (r *Rebuild) Continue(ctx context.Context, next map[int32]int64) error {
	ts, err := r.topics(ctx)
	if err != nil {
		return err
	}
	id, err := ts.inputID(ctx)
	if err != nil {
		return err
	}
	offsets := make(kadm.Offsets)
	for partition, at := range next {
		offsets.Add(kadm.Offset{Topic: r.Input, Partition: partition, At: at, LeaderEpoch: -1, Metadata: ts.commitMetadata(id)})
	}
	committed, err := r.Admin.CommitOffsets(ctx, r.Group, offsets)
	if err == nil {
		err = committed.Error()
	}
	if err != nil {
		return fmt.Errorf("committing where group %q goes on: %w", r.Group, err)
	}
	return nil
}

// topics returns the topics of the group.
func (r *Rebuild) topics(ctx context.Context) (*Topics, error) {
	found, err := r.Admin.BrokerMetadata(ctx)
	if err != nil {
		return nil, fmt.Errorf("asking for the cluster: %w", err)
	}
	ts := New(Options{Group: r.Group, Inputs: []string{r.Input}, State: r.State})
	ts.admin = r.Admin
	ts.SetCluster(found.Cluster)
	return ts, nil
}

// create creates the state topic, as soon as the old one is gone.
func (r *Rebuild) create(ctx context.Context, partitions int32) error {
	for {
		_, err := r.Admin.CreateTopic(ctx, partitions, r.Replicas, StateConfigs(), r.State)
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, kerr.TopicAlreadyExists):
			return fmt.Errorf("creating topic %q: %w", r.State, err)
		}
		if err := retry.Sleep(ctx, 100*time.Millisecond); err != nil {
			return fmt.Errorf("waiting until topic %q is deleted: %w", r.State, err)
		}
	}
}
