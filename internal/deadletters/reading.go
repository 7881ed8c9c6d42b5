package deadletters

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const clientID = "regionwatch-deadletter"

const (
	fetchBytes          = 8 << 20 // of one fetch: with one in the making and one in hand, what a reading holds
	fetchPartitionBytes = 1 << 20
	pollRecords         = 1000
	// stallTimeout is how long a read waits for records before it checks why none arrive.
	stallTimeout = 5 * time.Second
	// maxStalls is how many waits in a row are allowed. Together they last longer than an abandoned transaction stays
	// open (its timeout: at most 15 minutes by the brokers' default, and 15 seconds for ours).
	maxStalls = 24
)

// reading is one read of an extent.
type reading struct {
	topic  *Topic
	client *kgo.Client
	left   extent // unread rest of each partition
	total  int64
	stalls int
	wait   time.Duration // stallTimeout, but in tests
}

// read visits the records in e. It closes its client before it returns.
func (t *Topic) read(ctx context.Context, e extent, visit func(*kgo.Record) error) error {
	g := reading{topic: t, left: make(extent), total: e.total(), wait: stallTimeout}
	starts := make(map[int32]kgo.Offset)
	for p, span := range e {
		if span.from < span.to {
			g.left[p], starts[p] = span, kgo.NewOffset().At(span.from)
		}
	}
	if len(starts) == 0 {
		return nil
	}
	opts := []kgo.Opt{
		kgo.ClientID(clientID),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{t.Name: starts}),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), // in case retention deleted the wanted offset
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(), // the last record may end a transaction
		kgo.FetchMaxBytes(fetchBytes),
		kgo.FetchMaxPartitionBytes(fetchPartitionBytes),
		kgo.FetchMaxWait(500 * time.Millisecond),
	}
	if t.MaxBatchBytes > 0 {
		opts = append(opts, kgo.MaxDecompressBatchBytes(t.MaxBatchBytes))
	}
	client, err := t.Client(opts...)
	if err != nil {
		return err
	}
	defer client.Close()
	g.client = client
	if err := g.run(ctx, visit); !errors.Is(err, ErrEnough) {
		return err
	}
	return nil
}

// run polls until every partition is read to the end.
func (g *reading) run(ctx context.Context, visit func(*kgo.Record) error) error {
	for len(g.left) > 0 {
		poll, cancel := context.WithTimeout(ctx, g.wait)
		fetches := g.client.PollRecords(poll, pollRecords)
		waited := poll.Err() != nil
		cancel()
		if err := ctx.Err(); err != nil {
			return err
		}
		if fetches.NumRecords() == 0 && waited {
			if err := g.stalled(ctx); err != nil {
				return err
			}
			continue
		}
		if err := fetches.Err(); err != nil && !waited {
			return fmt.Errorf("reading topic %q: %w", g.topic.Name, err)
		}
		g.stalls = 0
		if err := g.visit(fetches, visit); err != nil {
			return err
		}
		if g.topic.Progress != nil {
			g.topic.Progress(g.total-g.left.total(), g.total)
		}
	}
	return nil
}

// visit visits the records and tracks the position in each partition.
func (g *reading) visit(fetches kgo.Fetches, visit func(*kgo.Record) error) error {
	for iter := fetches.RecordIter(); !iter.Done(); {
		r := iter.Next()
		span, wanted := g.left[r.Partition]
		if !wanted {
			continue
		}
		if r.Offset < span.to && !r.Attrs.IsControl() {
			if err := visit(r); err != nil {
				return err
			}
		}
		span.from = r.Offset + 1
		g.left[r.Partition] = span
		if span.from >= span.to {
			g.done(r.Partition)
		}
	}
	return nil
}

func (g *reading) done(partition int32) {
	delete(g.left, partition)
	g.client.PauseFetchPartitions(map[string][]int32{g.topic.Name: {partition}})
}

// stalled checks why no records arrive: they may have been deleted, or a transaction may be open.
func (g *reading) stalled(ctx context.Context) error {
	now, err := g.topic.committed(ctx, time.Time{})
	if err != nil {
		return err
	}
	g.stalls++
	for p, span := range g.left {
		switch {
		case now[p].from >= span.to:
			g.done(p)
		case g.stalls < maxStalls:
		case now[p].to < span.to:
			return fmt.Errorf("reading topic %q: a transaction is open in partition %d from offset %d on; try again when it has ended",
				g.topic.Name, p, now[p].to)
		default:
			return fmt.Errorf("reading topic %q: the brokers hand out no record of partition %d from offset %d on", g.topic.Name, p, span.from)
		}
	}
	return nil
}
