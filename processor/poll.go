package processor

import (
	"context"
	"errors"
	"fmt"

	"github.com/regionwatch/regionwatch/processor/flow"
	"github.com/regionwatch/regionwatch/processor/output"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/regionwatch/regionwatch/processor/progress"
	"github.com/regionwatch/regionwatch/processor/retry"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/decompress"
)

// run polls until ctx ends or the client is given up, which is not an error, or until something fails for good.
func (c *consumer) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	polled := make(chan error, 1)
	go func() { polled <- c.pollAll(ctx) }()
	select {
	case err := <-polled:
		return err
	case err := <-c.failed:
		cancel()
		<-polled //nolint:errcheck // the first failure is the reason
		return err
	case <-c.ctx.Done():
		cancel()
		return <-polled
	}
}

// pollAll is the poll loop. It waits before a poll, never between a poll and AllowRebalance.
func (c *consumer) pollAll(ctx context.Context) error {
	for {
		c.flow.Wait(ctx)
		c.p.pace.Wait(ctx, c.client.BufferedFetchRecords)
		fetches := c.client.PollRecords(ctx, c.p.pace.Most())
		c.p.pace.Spend(fetches.NumRecords())
		err := c.handOff(fetches)
		c.client.AllowRebalance() // a poll that returns nothing but an error holds rebalances up as well
		if err != nil || ctx.Err() != nil {
			return err
		}
	}
}

// handOff passes what was polled to the workers. It does not wait for them.
func (c *consumer) handOff(fetches kgo.Fetches) error {
	total := 0
	fetches.EachPartition(func(f kgo.FetchTopicPartition) { total += c.p.bytesOf(f.Records) })
	fetches.EachPartition(func(f kgo.FetchTopicPartition) {
		if len(f.Records) == 0 {
			return
		}
		n := uint64(flow.CountData(f.Records))
		c.p.tally.Update(func(t *progress.Totals) { t.Read += n })
		tp := kadm.Partition{Topic: f.Topic, Partition: f.Partition}
		w := c.worker(tp)
		if w == nil { // impossible if the client keeps its contract; what is not ours is not done
			c.p.tally.Update(func(t *progress.Totals) { t.Abandoned += n })
			return
		}
		c.p.fetched(tp, &f.FetchPartition)
		b := c.p.newBatch(f.Records, total)
		c.flow.Put(tp, b.Bytes)
		w.queue.Put(b)
	})
	return c.p.fetchErrors(fetches)
}

// fetched counts a fetch, and reports records that were dropped before they were read.
func (p *Processor) fetched(tp kadm.Partition, f *kgo.FetchPartition) {
	if dropped := p.lag.Fetched(tp, f); dropped > 0 {
		p.tally.Update(func(t *progress.Totals) { t.Dropped += uint64(dropped) })
		p.log.Error("records were dropped by the broker before they were read: retention is shorter than the lag",
			"topic", tp.Topic, "partition", tp.Partition, "offsets", dropped, "first", f.LogStartOffset)
	}
}

// newBatch takes the records of one partition out of a poll of total bytes.
func (p *Processor) newBatch(records []*kgo.Record, total int) flow.Batch {
	b := flow.Batch{Records: records, Bytes: p.bytesOf(records)}
	if records[0].Attrs.CompressionType() == 0 && b.Bytes < total/4 {
		for i, r := range records {
			records[i] = output.CopyRecord(r) // r is in the memory of the whole fetch, which must not wait for this partition
		}
	}
	return b
}

// bytesOf returns roughly how much memory records take.
func (p *Processor) bytesOf(records []*kgo.Record) (n int) {
	for _, r := range records {
		n += decompress.RecordBytes + len(r.Key) + len(r.Value)
		if b := p.decompressor.Batch(r); b != nil {
			n += len(b.Raw())
		}
	}
	return n
}

// fetchErrors returns the errors of a poll that the client cannot recover from. It reports repeated ones once: errors
// of the group pile up between polls.
func (p *Processor) fetchErrors(fetches kgo.Fetches) error {
	var errs []error
	told := make(map[string]bool)
	fetches.EachError(func(topic string, partition int32, err error) {
		if text := fmt.Sprint(topic, partition, err); !told[text] {
			told[text] = true
			errs = append(errs, p.fetchError(topic, partition, err))
		}
	})
	return errors.Join(errs...)
}

// fetchError handles an error that a poll reports for a partition, or for the whole client. It returns an error if the
// client cannot recover: reading has stopped then, and the process must say so.
func (p *Processor) fetchError(topic string, partition int32, err error) error {
	if loss, ok := errors.AsType[*kgo.ErrDataLoss](err); ok {
		p.tally.Update(func(t *progress.Totals) { t.DataLosses++ })
		p.log.Error("records were lost in the broker", "topic", loss.Topic, "partition", loss.Partition,
			"consumed_to", loss.ConsumedTo, "reset_to", loss.ResetTo)
		return nil
	}
	if session, ok := errors.AsType[*kgo.ErrGroupSession](err); ok {
		return p.sessionError(session)
	}
	ofPoll := topic == "" // the poll's context or client has ended, not a fetch
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, kgo.ErrClientClosed),
		ofPoll && errors.Is(err, context.DeadlineExceeded):
		return nil
	case !ofPoll && kerr.IsRetriable(err):
		// The client retries these silently. If it reports one, it has dropped the partition: the topic was deleted, or
		// the group coordinator refused the committed offset.
		p.topics.LookSoon()
		return fmt.Errorf("%w: topic %q partition %d: %w", retry.ErrRenew, topic, partition, err)
	case retry.IsTransient(err), !ofPoll && retry.IsAuthFailure(err): // one broker's; health and the group know whether all refuse
		p.log.Warn("fetching", "topic", topic, "partition", partition, "error", err)
		return nil
	}
	return p.explain(fmt.Errorf("%w topic %q partition %d: %w", errFetching, topic, partition, err))
}

// errFetching marks what keeps a partition from being read.
var errFetching = errors.New("fetching")

// sessionError handles an error that ended a group session. The client rejoins by itself, so only a permanent error
// ends Run.
func (p *Processor) sessionError(err *kgo.ErrGroupSession) error {
	if retry.IsRefusal(err) && !retry.IsAuthFailure(err) { // the client asks any broker for the coordinator; health knows whether all refuse
		return p.explain(fmt.Errorf("joining group %q: %w", p.o.Group, err.Err))
	}
	p.log.Warn("the group session ended, joining again", "group", p.o.Group, "error", err.Err)
	return nil
}
