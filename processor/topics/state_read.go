package topics

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/processor/retry"
)

// StateReader reads the state of one partition.
type StateReader struct {
	ts        *Topics
	partition int32
	input     kadm.TopicID
	// OnWait, if set, is called when a read has waited for a second, for a leader or for the end of a transaction, and
	// before it goes on. An error ends the read.
	OnWait func(ctx context.Context, waiting bool) error
	// Marked reports, after Read, whether the partition has its mark.
	Marked bool
	read   int
	last   time.Time // when a record came last
}

// OpenState returns a reader of a partition's state.
func (ts *Topics) OpenState(ctx context.Context, partition int32) (*StateReader, error) {
	id, err := ts.inputID(ctx)
	return &StateReader{ts: ts, partition: partition, input: id}, err
}

// readPatience is how long a read waits for the next record: longer than brokers let a transaction be open, unless they
// are set to more.
const readPatience = 2 * time.Minute

// Read passes every record of the state to record, in order, up to the end at the time of the call. A transaction that
// is open then may still commit, so the end is that of uncommitted records, and Read waits for it. keep reports
// whether to go on.
func (r *StateReader) Read(ctx context.Context, keep func() bool, record func(key, value []byte) error) error {
	end, err := r.end(ctx)
	if err == nil && end > 0 {
		err = r.readTo(ctx, end, keep, record)
	}
	if err == nil {
		err = r.checkOffset(ctx)
	}
	return err
}

// end returns where the partition ends, 0 if it is empty.
func (r *StateReader) end(ctx context.Context) (int64, error) {
	end, err := r.offset(ctx, endOfLog)
	if err != nil {
		return 0, fmt.Errorf("looking for the end of topic %q partition %d: %w", r.ts.o.State, r.partition, err)
	}
	start, err := r.offset(ctx, startOfLog)
	if err != nil {
		return 0, fmt.Errorf("looking for the start of topic %q partition %d: %w", r.ts.o.State, r.partition, err)
	}
	if start >= end {
		return 0, nil
	}
	return end, nil
}

// The times that ask for the ends of a log.
const (
	startOfLog = -2
	endOfLog   = -1
)

// offset asks where the partition starts or ends. It asks for no other partition: one without a leader would hold this
// one up.
func (r *StateReader) offset(ctx context.Context, at int64) (int64, error) {
	p := kmsg.NewListOffsetsRequestTopicPartition()
	p.Partition, p.Timestamp = r.partition, at
	t := kmsg.NewListOffsetsRequestTopic()
	t.Topic, t.Partitions = r.ts.o.State, append(t.Partitions, p)
	req := kmsg.NewPtrListOffsetsRequest()
	req.Topics = append(req.Topics, t)
	resp, err := req.RequestWith(ctx, r.ts.client)
	if err != nil {
		return 0, err
	}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			return p.Offset, kerr.ErrorForCode(p.ErrorCode)
		}
	}
	return 0, errNoAnswer
}

// fetchAtMost limits the fetches of one read, in bytes. Reads that wait for their turn hold a fetch as well.
const fetchAtMost = 1 << 20

func (r *StateReader) readTo(ctx context.Context, end int64, keep func() bool, record func(key, value []byte) error) error {
	topic := r.ts.o.State
	client, err := r.ts.o.NewClient(ctx, r.ts.o.ClientID+"-restore",
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {r.partition: kgo.NewOffset().AtStart()}}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(), kgo.FetchMaxWait(250*time.Millisecond),
		kgo.FetchMaxBytes(fetchAtMost), kgo.FetchMaxPartitionBytes(fetchAtMost))
	if err != nil {
		return fmt.Errorf("making client: %w", err)
	}
	defer client.Close()
	r.last = time.Now()
	for next := int64(0); next < end; {
		poll, cancel := context.WithTimeout(ctx, pollTimeout)
		fetches := client.PollFetches(poll)
		cancel()
		var waitErr error
		if r.OnWait != nil {
			waitErr = r.OnWait(ctx, fetches.NumRecords() == 0)
		}
		switch {
		case waitErr != nil:
			return waitErr
		case ctx.Err() != nil:
			return ctx.Err()
		case !keep():
			return context.Canceled
		case r.isSilent(fetches.NumRecords()):
			return fmt.Errorf("reading state topic %q partition %d: %w", topic, r.partition, errNoRecords)
		}
		if err := pollError(fetches); err != nil {
			return fmt.Errorf("reading state topic %q partition %d: %w", topic, r.partition, err)
		}
		for _, rec := range fetches.Records() {
			if next = rec.Offset + 1; next > end {
				break // of a successor, which has taken the partition
			}
			if err := r.take(rec, record); err != nil {
				return &StateError{topic, r.partition, err}
			}
		}
	}
	return nil
}

// isSilent reports whether no record has come for readPatience; n have come now.
func (r *StateReader) isSilent(n int) bool {
	if n > 0 {
		r.last = time.Now()
	}
	return time.Since(r.last) > readPatience
}

// pollTimeout is how long a read waits before it looks whether it is still needed.
const pollTimeout = time.Second

var (
	errNoRecords = errors.New("no record has come for long")
	errNoAnswer  = errors.New("the answer of the broker lacks the partition")
)

// pollError returns the first error of a poll that does not pass by itself.
func pollError(fetches kgo.Fetches) (first error) {
	fetches.EachError(func(_ string, _ int32, err error) {
		if first == nil && !errors.Is(err, context.Canceled) && !retry.IsTransient(err) {
			first = err
		}
	})
	return first
}

// take passes a record on, or looks at the mark.
func (r *StateReader) take(rec *kgo.Record, record func(key, value []byte) error) error {
	switch {
	case rec.Attrs.IsControl():
		return nil
	case string(rec.Key) != stateMark:
		r.read++
		return record(rec.Key, rec.Value)
	}
	version, metadata, _ := strings.Cut(string(rec.Value), " ")
	r.Marked = len(rec.Value) > 0
	switch {
	case r.Marked && version != "1":
		return fmt.Errorf("it has version %q, this program reads version 1", version[:min(len(version), 20)])
	case r.ts.isOlderTopic(metadata, r.input):
		return fmt.Errorf("it belongs to an older topic %q, which was deleted and created again", r.ts.o.Inputs[0])
	}
	return nil
}

// checkOffset returns an error if there is state without an offset, or an offset without state: the first transaction
// of a partition writes both the mark and the offset. Without the offset, which expires, all alerts would count again.
func (r *StateReader) checkOffset(ctx context.Context) error {
	at, metadata, err := r.committed(ctx)
	if err != nil {
		return fmt.Errorf("fetching the committed offset of group %q for topic %q partition %d: %w", r.ts.o.Group, r.ts.o.Inputs[0], r.partition, err)
	}
	ok := at >= 0
	switch {
	case r.Marked && !ok:
		return r.ts.stateError(r.partition, "group %q has no offset that belongs to it: it expired or was deleted", r.ts.o.Group)
	case !r.Marked && (r.read > 0 || ok && !r.ts.isOlderTopic(metadata, r.input)):
		return r.ts.stateError(r.partition, "its beginning is missing, although group %q has read alerts", r.ts.o.Group)
	}
	return nil
}

// committed returns the committed offset of the partition, -1 for none, with its metadata. While the broker is still
// committing one it asks again. It asks for no other partition: the group commits those all the time.
func (r *StateReader) committed(ctx context.Context) (at int64, metadata string, err error) {
	t := kmsg.NewOffsetFetchRequestGroupTopic()
	t.Topic, t.Partitions = r.ts.o.Inputs[0], []int32{r.partition}
	g := kmsg.NewOffsetFetchRequestGroup()
	g.Group, g.Topics = r.ts.o.Group, append(g.Topics, t)
	req := kmsg.NewPtrOffsetFetchRequest()
	req.Groups, req.RequireStable = append(req.Groups, g), true
	for {
		resp, err := req.RequestWith(ctx, r.ts.client)
		if err == nil {
			at, metadata, err = committedIn(resp)
		}
		if !errors.Is(err, kerr.UnstableOffsetCommit) {
			return at, metadata, err
		}
		if err := retry.Sleep(ctx, retry.Backoff(1)); err != nil {
			return 0, "", err
		}
	}
}

// committedIn returns the only offset in an answer.
func committedIn(resp *kmsg.OffsetFetchResponse) (at int64, metadata string, err error) {
	for _, g := range resp.Groups {
		if err := kerr.ErrorForCode(g.ErrorCode); errors.Is(err, kerr.GroupIDNotFound) { // a new group does not exist yet
			return -1, "", nil
		} else if err != nil {
			return 0, "", err
		}
		for _, t := range g.Topics {
			for _, p := range t.Partitions {
				if p.Metadata != nil {
					metadata = *p.Metadata
				}
				return p.Offset, metadata, kerr.ErrorForCode(p.ErrorCode)
			}
		}
	}
	return 0, "", errNoAnswer
}
