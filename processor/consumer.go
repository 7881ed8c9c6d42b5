package processor

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/regionwatch/regionwatch/processor/flow"
	"github.com/regionwatch/regionwatch/processor/progress"
	"github.com/regionwatch/regionwatch/processor/retry"
	"github.com/regionwatch/regionwatch/processor/topics"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// consumer is the at-least-once engine: a client, a poll loop, and a worker for each assigned partition.
//
// The client calls assigned, revoked and revokedForGood between polls, never during one: with BlockRebalanceOnPoll it
// waits for AllowRebalance. Each returns only when the workers it stops have ended, so that nothing is marked for a
// partition that another member may own by then.
type consumer struct {
	p      *Processor
	ctx    context.Context // the client's: ends only when it is given up
	client *kgo.Client
	flow   *flow.Flow
	failed chan error // holds the first error that ends Run

	mu      sync.Mutex
	workers map[kadm.Partition]*partition
}

func newConsumer(ctx context.Context, p *Processor) (*consumer, error) {
	ctx, begin := p.topics.Member(ctx, p.o.InstanceID)
	c := &consumer{
		p:       p,
		ctx:     ctx,
		failed:  make(chan error, 1),
		workers: make(map[kadm.Partition]*partition),
	}
	opts := append(p.groupOpts(ctx, clientID, p.outputs.Limits()),
		kgo.BlockRebalanceOnPoll(),
		kgo.AutoCommitMarks(),
		kgo.AutoCommitInterval(p.o.CommitInterval),
		kgo.AutoCommitCallback(c.committed),
		kgo.OnPartitionsAssigned(c.assigned),
		kgo.OnPartitionsRevoked(c.revoked),
		kgo.OnPartitionsLost(c.lost),
		kgo.WithHooks(c),
	)
	opts = append(opts, begin...)
	if p.o.InstanceID != "" {
		opts = append(opts, kgo.InstanceID(p.o.InstanceID))
	}
	c.mu.Lock() // partitions may be assigned before c.client is set
	defer c.mu.Unlock()
	client, err := kgo.NewClient(append(opts, p.o.ClientOpts...)...)
	if err != nil {
		return nil, fmt.Errorf("making client: %w", err)
	}
	c.client, c.flow = client, flow.NewFlow(client)
	return c, nil
}

// fail ends Run with err; the first one counts.
func (c *consumer) fail(err error) {
	select {
	case c.failed <- err:
	default:
	}
}

// assigned starts a worker for each partition without one: the client may name a partition twice.
func (c *consumer) assigned(_ context.Context, client *kgo.Client, m map[string][]int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	flow.Each(m, func(tp kadm.Partition) {
		if c.workers[tp] == nil {
			c.flow.Open(tp)
			c.workers[tp] = c.startPartition(tp)
		}
	})
	c.p.health.Assigned(client, maps.Keys(c.workers))
}

// revoked stops the workers of m, and commits what they have marked while the partitions are still ours. A worker whose
// alerts are not acknowledged in time marks nothing: the next owner decides its batch again. Waiting longer would hold
// up the whole group.
func (c *consumer) revoked(ctx context.Context, _ *kgo.Client, m map[string][]int32) {
	c.stopAndCommit(ctx, m, c.p.revokePatience)
}

func (c *consumer) stopAndCommit(ctx context.Context, m map[string][]int32, patience time.Duration) {
	c.stopWorkers(m, patience)
	ctx, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	c.countCommit(c.client.CommitMarkedOffsets(ctx))
}

// OnGroupManageError implements kgo.HookGroupManageError: the client has fallen out of the group. It will call lost and
// rejoin, but only when the current poll allows it.
func (c *consumer) OnGroupManageError(error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.p.health.Lost(c.client)
}

// lost stops the workers of m without waiting for acknowledgements, which are useless now. Other members already own
// the partitions: a commit would reset theirs.
func (c *consumer) lost(_ context.Context, client *kgo.Client, m map[string][]int32) {
	c.p.health.Lost(client)
	c.stopWorkers(m, 0)
}

// stopWorkers stops the workers of m and waits for each to end. They may finish the current batch until patience is
// over; then they abandon it. Partitions without a worker are fine: partitions can be lost before they were assigned.
func (c *consumer) stopWorkers(m map[string][]int32, patience time.Duration) {
	stopping := c.remove(m)
	abandon := func() {
		for _, w := range stopping {
			w.abandon(errAbandoned)
		}
	}
	if patience <= 0 {
		abandon() // before they are stopped, or one that is just done would still mark
	} else {
		defer time.AfterFunc(patience, abandon).Stop()
	}
	for _, w := range stopping {
		w.stop()
	}
	for _, w := range stopping {
		<-w.done
		w.giveUp()
		c.flow.Close(w.tp)
		c.p.lag.Forget(w.tp)
	}
}

// remove removes the workers of m from the map.
func (c *consumer) remove(m map[string][]int32) (removed []*partition) {
	c.mu.Lock()
	defer c.mu.Unlock()
	flow.Each(m, func(tp kadm.Partition) {
		if w := c.workers[tp]; w != nil {
			delete(c.workers, tp)
			removed = append(removed, w)
		}
	})
	return removed
}

// worker returns the worker of a partition, or nil.
func (c *consumer) worker(tp kadm.Partition) *partition {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.workers[tp]
}

// committed receives the result of each background commit.
func (c *consumer) committed(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, err error) {
	if err == nil && resp != nil {
		err = topics.CommitError(resp)
	}
	c.countCommit(err)
}

// countCommit counts a commit. A failed one is retried with the next, or the records are read again; only a permanent
// refusal ends Run.
func (c *consumer) countCommit(err error) {
	c.p.tally.Update(func(t *progress.Totals) {
		if err == nil {
			t.Commits++
		} else if !errors.Is(err, context.Canceled) {
			t.CommitFailures++
		}
	})
	if err == nil || errors.Is(err, context.Canceled) {
		return
	}
	c.p.log.Warn("committing offsets", "group", c.p.o.Group, "error", err)
	if retry.IsRecreated(err) {
		c.fail(fmt.Errorf("%w: committing offsets of group %q: %w", retry.ErrRenew, c.p.o.Group, err))
		return
	}
	if retry.IsRefusal(err) && !retry.IsAuthFailure(err) { // one broker of several may refuse us
		c.fail(c.p.explain(fmt.Errorf("committing offsets of group %q: %w", c.p.o.Group, err)))
	}
}
