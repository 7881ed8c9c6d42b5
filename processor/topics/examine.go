package topics

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Examination finds what a start of a group with state would refuse. It only reads. All fields are required.
type Examination struct {
	Client              *kgo.Client
	NewClient           func(ctx context.Context, id string, opts ...kgo.Opt) (*kgo.Client, error) // as in Options
	Group, Input, State string
}

// Run returns a [StateError] for state that cannot be used, or nil if the input does not exist. Of each partition it reads
// only the beginning, which says whose state it is.
func (e *Examination) Run(ctx context.Context) error {
	admin := kadm.NewClient(e.Client)
	cluster, err := admin.BrokerMetadata(ctx)
	if err != nil {
		return fmt.Errorf("asking for the cluster: %w", err)
	}
	ts := New(Options{Group: e.Group, Inputs: []string{e.Input}, State: e.State, NewClient: e.NewClient, ClientID: "regionwatch-check"})
	ts.client, ts.admin = e.Client, admin
	ts.SetCluster(cluster.Cluster)
	found, err := admin.ListTopics(ctx, e.Input, e.State)
	if err != nil {
		return fmt.Errorf("listing topics: %w", err)
	}
	input, state := found[e.Input], found[e.State]
	switch {
	case input.Err != nil:
		return nil
	case errors.Is(state.Err, kerr.UnknownTopicOrPartition):
		return ts.checkDeleted(ctx, admin, input)
	case state.Err != nil:
		return fmt.Errorf("looking for topic %q: %w", e.State, state.Err)
	}
	if err := ts.comparePartitions(input, state); err != nil {
		return err
	}
	for _, p := range input.Partitions.Sorted() {
		if err := ts.examine(ctx, p.Partition); err != nil {
			return err
		}
	}
	return nil
}

// errEnough ends a read early.
var errEnough = errors.New("enough was read")

// examine returns why a partition's state cannot be restored, by its mark and the group's offset.
func (ts *Topics) examine(ctx context.Context, partition int32) error {
	r, err := ts.OpenState(ctx, partition)
	if err != nil {
		return err
	}
	err = r.Read(ctx, func() bool { return true }, func(_, _ []byte) error {
		if r.Marked {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		return r.checkOffset(ctx)
	}
	return err
}
