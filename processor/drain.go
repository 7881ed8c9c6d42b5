package processor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// errDrain is the cause with which a client is given up when draining took too long.
var errDrain = errors.New("draining took too long")

// runAtLeastOnce runs the consumer until ctx ends or something fails, and drains it.
func (p *Processor) runAtLeastOnce(ctx context.Context) error {
	// The client outlives ctx: draining still needs it.
	clientCtx, giveUp := context.WithCancelCause(context.WithoutCancel(ctx))
	defer giveUp(nil)
	c, err := newConsumer(clientCtx, p)
	if err != nil {
		return err
	}
	p.consumer.Store(c)
	err = c.run(ctx)
	stop := p.drainDeadline(giveUp)
	c.client.CloseAllowingRebalance() // revokes: workers stop, and what they marked is committed
	c.stopAll()
	p.leave(clientCtx, p.o.InstanceID)
	return errors.Join(err, stop())
}

// stopAll stops the workers that no revoke has stopped: of a member that was never in a group when it
// closed, or a client that was given up.
func (c *consumer) stopAll() {
	left := make(map[string][]int32)
	c.mu.Lock()
	for tp := range c.workers {
		left[tp.topic] = append(left[tp.topic], tp.partition)
	}
	c.mu.Unlock()
	c.stopWorkers(left, true)
}

// drainDeadline gives the client up when draining has taken DrainTimeout. The function that it returns
// ends that, and returns an error if it came to it: then some of what was in flight is not committed, and
// is read again.
func (p *Processor) drainDeadline(giveUp context.CancelCauseFunc) (stop func() error) {
	timer := time.AfterFunc(p.o.DrainTimeout, func() { giveUp(errDrain) })
	return func() error {
		if timer.Stop() {
			return nil
		}
		left := p.tally.snapshot()
		return fmt.Errorf("%w (%v): %d records were given up, they are read again; nothing is lost",
			errDrain, p.o.DrainTimeout, left.Returned)
	}
}

// leave takes a static member out of the group, so that others get its partitions at once: closing the
// client does not, because a static member may come back.
func (p *Processor) leave(ctx context.Context, instanceIDs ...string) {
	if ctx.Err() != nil || instanceIDs[0] == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	client, err := kgo.NewClient(append(p.baseOpts(ctx, "regionwatch-leave"), p.o.ClientOpts...)...)
	if err == nil {
		defer client.Close()
		var left kadm.LeaveGroupResponses
		left, err = kadm.NewClient(client).LeaveGroup(ctx, kadm.LeaveGroup(p.o.Group).
			InstanceIDs(instanceIDs...).Reason("shutting down"))
		left.Each(func(r kadm.LeaveGroupResponse) { err = errors.Join(err, r.Err) })
	}
	if err != nil && !errors.Is(err, kerr.UnknownMemberID) { // the client has left already, or never joined
		p.log.Warn("leaving the group; it waits for the session to time out", "group", p.o.Group, "error", err)
	}
}
