package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor"
)

// drainTimeout is how long a processor may take to end. It must leave time for deleting the topics.
const drainTimeout = 5 * time.Second

// readBare reads all records and drops them. It uses the client library's defaults and a group, as any consumer that
// shares a topic must. It returns the time from the first record to the last.
func (b *bench) readBare(ctx context.Context, group string) (time.Duration, error) {
	client, err := b.client(kgo.ConsumeTopics(b.input()), kgo.ConsumerGroup(group), kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return 0, err
	}
	defer client.Close()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var got atomic.Int64
	stall := watchStall(b.o.Stall, cancel, func() string { return fmt.Sprintf("%d of %d records read", got.Load(), b.o.Records) })
	defer stall.stop()
	var c clock
	for read := 0; read < b.o.Records; {
		fetches := client.PollFetches(ctx)
		if err := cmp.Or(context.Cause(ctx), fetches.Err()); err != nil {
			return 0, err
		}
		stall.moved()
		fetches.EachRecord(func(*kgo.Record) { read++ })
		got.Store(int64(read))
		c.tick(read)
		b.o.Progress(read)
	}
	return c.whole(b.o.Records), nil
}

// readWith returns a function that reads all records with a processor and checks its results.
func (b *bench) readWith(delivery processor.Delivery) func(context.Context, string) (time.Duration, error) {
	return func(ctx context.Context, group string) (time.Duration, error) {
		o := b.o.Processor
		o.InputTopics, o.InputPattern = []string{b.input()}, false
		o.AlertTopic, o.DeadLetterTopic, o.ShadowTopic, o.ExemptedTopic = b.alerts(), b.letters(), "", ""
		o.Group, o.InstanceID, o.Delivery, o.Registry = group, "bench", delivery, nil
		o.Start, o.DrainTimeout = processor.Start{}, drainTimeout
		p, err := processor.New(o)
		if err != nil {
			return 0, err
		}
		took, err := b.runToEnd(ctx, p)
		if err != nil {
			return 0, err
		}
		status := p.Status()
		if status.Counts.Records != uint64(b.o.Records) {
			return 0, fmt.Errorf("%d records read, want %d", status.Counts.Records, b.o.Records)
		}
		if b.o.Check != nil {
			err = b.o.Check(status)
		}
		return took, err
	}
}

// runToEnd runs a processor until all records are done, and drains it.
func (b *bench) runToEnd(ctx context.Context, p *processor.Processor) (time.Duration, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stall := watchStall(b.o.Stall, cancel, func() string {
		s := p.Status()
		return fmt.Sprintf("%d of %d records read, %d partitions assigned, members %v", s.Counts.Records, b.o.Records, s.Assigned, s.Members)
	})
	defer stall.stop()
	running, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- p.Run(running) }()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	var c clock
	for {
		select {
		case <-tick.C:
		case err := <-ended:
			return 0, errors.Join(context.Cause(ctx), err)
		}
		read := int(p.Status().Counts.Records)
		if read > c.atLast {
			stall.moved()
		}
		c.tick(read)
		b.o.Progress(read)
		if read >= b.o.Records {
			break
		}
	}
	stop()
	return c.whole(b.o.Records), errors.Join(<-ended, context.Cause(ctx))
}

// clock measures the time from the first records to the last, which excludes joining the group, where brokers make
// members wait for some seconds. The zero value is ready to use.
type clock struct {
	first, last     time.Time
	atFirst, atLast int
}

// tick notes how many records have been read.
func (c *clock) tick(read int) {
	now := time.Now()
	switch {
	case read == 0:
		return
	case c.atFirst == 0:
		c.first, c.atFirst = now, read
	}
	c.last, c.atLast = now, read
}

// whole returns the time for all records, extrapolated from those after the first. It returns 0 if too few followed.
func (c *clock) whole(records int) time.Duration {
	after := c.atLast - c.atFirst
	if after < records/4 {
		return 0
	}
	return time.Duration(float64(c.last.Sub(c.first)) * float64(records) / float64(max(after, 1)))
}
