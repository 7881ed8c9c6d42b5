package processor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/regionwatch/regionwatch/processor/retry"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// errDrain is the cause with which a client is given up when draining took too long.
var errDrain = errors.New("draining took too long")

// runAtLeastOnce runs consumers, one after another, until ctx ends or something fails, and drains.
func (p *Processor) runAtLeastOnce(ctx context.Context) error {
	// The clients outlive ctx: draining still needs them.
	drainCtx, giveUp := context.WithCancelCause(context.WithoutCancel(ctx))
	defer giveUp(nil)
	p.health.Begin(giveUp)
	ctx, drain := context.WithCancel(ctx)
	defer drain()
	done := p.drainDeadline(ctx, giveUp)
	err := p.consume(ctx, drainCtx, drain)
	return errors.Join(err, p.refusal(drainCtx), done())
}

// consume runs a consumer until ctx ends or something fails, and closes it. It makes another one if a topic was created
// again, or if the consumer was fenced by its own request: see fencedByItself.
func (p *Processor) consume(ctx, drainCtx context.Context, drain func()) error {
	for fails := 1; ; fails++ {
		began := time.Now()
		clientCtx, abandon := context.WithCancel(drainCtx)
		c, err := newConsumer(clientCtx, p)
		if err != nil {
			abandon()
			return err
		}
		p.consumer.Store(c)
		stop := p.topics.OnRestart(c.fail)
		err = c.run(ctx)
		stop()
		if p.health.Held(began) {
			fails = 1
		}
		renew := errors.Is(err, retry.ErrRenew)
		again := (renew || p.fencedByItself(err) && fails <= maxRestarts) && ctx.Err() == nil
		if !again {
			drain()
		}
		p.closeConsumer(c, abandon, again)
		if !again {
			p.leave(drainCtx, p.o.InstanceID, err)
			if renew { // and ctx ended meanwhile
				err = nil
			}
			return err
		}
		p.log.Warn("making a new client", "group", p.o.Group, "error", err)
		_ = retry.Sleep(ctx, retry.Backoff(fails)) // a canceled ctx ends the next consumer as it begins
	}
}

// closeConsumer stops the workers, commits what they marked, and closes the client; abandon ends its context. Workers
// may take until the end of draining, unless another client follows.
func (p *Processor) closeConsumer(c *consumer, abandon context.CancelFunc, again bool) {
	patience := p.o.DrainTimeout
	if again {
		patience = p.revokePatience
	}
	c.stopAndCommit(c.ctx, c.assignment(), patience)
	if p.o.InstanceID != "" {
		abandon()
	}
	c.client.CloseAllowingRebalance()
	abandon()
	c.stopWorkers(c.assignment(), 0) // of a late rebalance, or a client that was given up
	p.health.Lost(c.client)
}

// refusal returns why clients were given up, if brokers refuse us; see health.
func (p *Processor) refusal(drainCtx context.Context) error {
	if cause := context.Cause(drainCtx); retry.IsAuthFailure(cause) {
		return p.explain(fmt.Errorf("connecting to brokers %q: %w", p.o.Brokers, cause))
	}
	return nil
}

// assignment returns the partitions that have a worker.
func (c *consumer) assignment() map[string][]int32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := make(map[string][]int32)
	for tp := range c.workers {
		m[tp.Topic] = append(m[tp.Topic], tp.Partition)
	}
	return m
}

// drainDeadline gives up the clients if draining, which begins when ctx ends, takes longer than DrainTimeout. The
// returned function ends the deadline, and returns an error if it was exceeded: then some of what was in flight is not
// committed, and is read again.
func (p *Processor) drainDeadline(ctx context.Context, giveUp context.CancelCauseFunc) (done func() error) {
	over, tooLong := make(chan struct{}), make(chan bool, 1)
	go func() {
		select {
		case <-ctx.Done():
		case <-over:
		}
		timer := time.NewTimer(p.o.DrainTimeout)
		defer timer.Stop()
		select {
		case <-timer.C:
			giveUp(errDrain)
			tooLong <- true
		case <-over:
			tooLong <- false
		}
	}()
	return func() error {
		close(over)
		if !<-tooLong {
			return nil
		}
		return fmt.Errorf("%w (%v): %d records were abandoned and will be read again; nothing is lost",
			errDrain, p.o.DrainTimeout, p.tally.Snapshot().Abandoned)
	}
}

// leave removes a static member that is closed from the group, so that others get its partitions at once: closing alone
// does not, because a static member may come back.
//
// The context of a static member's client must be canceled before it is closed. Otherwise closing would wait for a
// rebalance in progress, which may itself be waiting for another member of ours that has closed.
//
// If cause says that another process has our instance id, the place in the group is no longer ours.
func (p *Processor) leave(ctx context.Context, instanceID string, cause error) {
	if ctx.Err() != nil || instanceID == "" || errors.Is(cause, kerr.FencedInstanceID) || errors.Is(cause, errReplaced) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	client, err := p.newClient(ctx, "regionwatch-leave")
	if err == nil {
		defer client.Close()
		var left kadm.LeaveGroupResponses
		left, err = kadm.NewClient(client).LeaveGroup(ctx, kadm.LeaveGroup(p.o.Group).
			InstanceIDs(instanceID).Reason("shutting down"))
		left.Each(func(r kadm.LeaveGroupResponse) { err = errors.Join(err, r.Err) })
	}
	if err != nil && !errors.Is(err, kerr.UnknownMemberID) { // it has left already, or never joined
		p.log.Warn("leaving the group; it waits for the session to time out", "group", p.o.Group, "error", err)
	}
}
