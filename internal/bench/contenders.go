package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor"
)

// drainTimeout is how long a processor may take to end. It has to leave time to delete the topics.
const drainTimeout = 5 * time.Second

// readBare reads all records and does nothing with them, set up with what the client library does by itself, in a group,
// as everything that reads a topic together with others must be. It returns the time from the first to the last.
func (b *bench) readBare(ctx context.Context, group string) (time.Duration, error) {
	client, err := b.client(kgo.ConsumeTopics(b.input()), kgo.ConsumerGroup(group), kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return 0, err
	}
	defer client.Close()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stall := watchStall(b.o.Stall, cancel)
	defer stall.stop()
	var c clock
	for read := 0; read < b.o.Records; {
		fetches := client.PollFetches(ctx)
		if err := cmp.Or(context.Cause(ctx), fetches.Err()); err != nil {
			return 0, err
		}
		stall.moved()
		fetches.EachRecord(func(*kgo.Record) { read++ })
		c.tick(read)
		b.o.Progress(read)
	}
	return c.whole(b.o.Records), nil
}

// readWith returns what reads all records with a processor, and checks what it did.
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
	stall := watchStall(b.o.Stall, cancel)
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

// clock takes the time from the first records to the last, so that joining the group, for which brokers let members
// wait some seconds, is not in it. The zero value is ready.
type clock struct {
	first, last     time.Time
	atFirst, atLast int
}

// tick tells how many records have been read.
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

// whole returns the time that all records take at the rate at which those after the first took theirs; 0 where there is
// no telling, because too few came after them.
func (c *clock) whole(records int) time.Duration {
	after := c.atLast - c.atFirst
	if after < records/4 {
		return 0
	}
	return time.Duration(float64(c.last.Sub(c.first)) * float64(records) / float64(max(after, 1)))
}
