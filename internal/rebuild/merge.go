package rebuild

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// span is the part of a partition that is read: from its first record to where it ended.
type span struct{ start, end int64 }

// spans returns what there is of each partition of a topic, without open transactions.
func spans(ctx context.Context, admin *kadm.Client, topic string) (map[int32]span, error) {
	starts, err := admin.ListStartOffsets(ctx, topic)
	if err == nil {
		err = starts.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("listing the starts of topic %q: %w", topic, err)
	}
	ends, err := admin.ListCommittedOffsets(ctx, topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("listing the ends of topic %q: %w", topic, err)
	}
	list := make(map[int32]span)
	starts.Each(func(start kadm.ListedOffset) {
		end, _ := ends.Lookup(topic, start.Partition)
		list[start.Partition] = span{start.Offset, max(start.Offset, end.Offset)}
	})
	return list, nil
}

// lane is a partition that is being read.
type lane struct {
	span
	partition int32
	queue     []*kgo.Record
}

func (l *lane) done() bool { return l.start >= l.end }

// merge reads spans of a topic together.
type merge struct {
	client *kgo.Client
	topic  string
	lanes  map[int32]*lane
	last   time.Time // of the last record
}

const (
	// maxQueued is how many records of a partition may wait for those of others before it is paused.
	maxQueued = 1000
	// fetchPartition and fetchAtMost limit the bytes that one poll adds to a partition, and to all.
	fetchPartition, fetchAtMost = 256 << 10, 8 << 20
	// patience is how long the next record may take.
	patience = 2 * time.Minute
)

var errNoRecords = errors.New("no record has come for long")

func (r *Rebuild) newMerge(list map[int32]span) (*merge, error) {
	m := &merge{topic: r.Topics.Input, lanes: make(map[int32]*lane), last: time.Now()}
	from := make(map[int32]kgo.Offset)
	for partition, s := range list {
		if s.start < s.end {
			m.lanes[partition] = &lane{span: s, partition: partition}
			from[partition] = kgo.NewOffset().At(s.start)
		}
	}
	var err error
	m.client, err = r.NewClient(
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{m.topic: from}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(),
		kgo.FetchMaxPartitionBytes(fetchPartition), kgo.FetchMaxBytes(fetchAtMost), kgo.FetchMaxWait(250*time.Millisecond))
	return m, err
}

// each passes every record to f: those of a partition in their order, and otherwise by timestamp, as if all had been in
// one partition.
func (m *merge) each(ctx context.Context, f func(*kgo.Record) error) error {
	for {
		l, waiting := m.oldest()
		switch {
		case waiting:
			if err := m.fetch(ctx); err != nil {
				return err
			}
		case l == nil:
			return nil
		default:
			record := l.queue[0]
			l.queue[0] = nil
			l.queue = l.queue[1:]
			if err := f(record); err != nil {
				return err
			}
		}
	}
}

// oldest returns the partition whose next record is the oldest, or reports that the next record of one must be fetched.
func (m *merge) oldest() (first *lane, waiting bool) {
	for _, l := range m.lanes {
		switch {
		case len(l.queue) == 0 && !l.done():
			return nil, true
		case len(l.queue) == 0:
			continue
		}
		if first == nil || before(l, first) {
			first = l
		}
	}
	return first, false
}

func before(a, b *lane) bool {
	s, t := a.queue[0].Timestamp, b.queue[0].Timestamp
	return s.Before(t) || s.Equal(t) && a.partition < b.partition
}

// fetch polls records of the partitions that need some.
func (m *merge) fetch(ctx context.Context) error {
	for _, l := range m.lanes {
		at := map[string][]int32{m.topic: {l.partition}}
		if l.done() || len(l.queue) > maxQueued {
			m.client.PauseFetchPartitions(at)
		} else {
			m.client.ResumeFetchPartitions(at)
		}
	}
	poll, cancel := context.WithTimeout(ctx, time.Second)
	fetches := m.client.PollFetches(poll)
	cancel()
	for _, e := range fetches.Errors() {
		if ctx.Err() == nil && !errors.Is(e.Err, context.DeadlineExceeded) {
			return fmt.Errorf("reading topic %q partition %d: %w", m.topic, e.Partition, e.Err)
		}
	}
	if fetches.NumRecords() > 0 {
		m.last = time.Now()
	}
	if time.Since(m.last) > patience {
		return fmt.Errorf("reading topic %q: %w", m.topic, errNoRecords)
	}
	fetches.EachRecord(m.add)
	return ctx.Err()
}

func (m *merge) add(record *kgo.Record) {
	l := m.lanes[record.Partition]
	if record.Offset < l.end && !record.Attrs.IsControl() {
		l.queue = append(l.queue, record)
	}
	l.start = record.Offset + 1
}
