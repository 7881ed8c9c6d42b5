package integration

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// reader follows topics from their start with its own client, read committed.
type reader struct {
	client *kgo.Client
	admin  *kadm.Client
	topics []string
	done   chan struct{}

	mu      sync.Mutex
	next    map[string]map[int32]int64 // the offset after the last one seen
	aborted int                        // transactions, counted once for each partition that they wrote to
}

// follow calls see, from one goroutine, for each record of the topics.
func follow(t *testing.T, bootstrap string, see func(r *kgo.Record, at time.Time), topics ...string) *reader {
	t.Helper()
	client, err := kgo.NewClient(
		kgo.SeedBrokers(strings.Split(bootstrap, ",")...),
		kgo.ConsumeTopics(topics...),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(), // the end of a topic may be one
		kgo.FetchMaxWait(100*time.Millisecond),
		kgo.MetadataMaxAge(2*time.Second),
		kgo.MetadataMinAge(100*time.Millisecond),
	)
	if err != nil {
		t.Fatal(err)
	}
	r := &reader{client: client, admin: kadm.NewClient(client), topics: topics, done: make(chan struct{}), next: map[string]map[int32]int64{}}
	for _, topic := range topics {
		r.next[topic] = map[int32]int64{}
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(func() {
		cancel()
		<-r.done
		client.Close()
	})
	go func() {
		defer close(r.done)
		for {
			fetches := client.PollFetches(ctx)
			if ctx.Err() != nil {
				return
			}
			r.take(fetches, time.Now(), see)
		}
	}()
	return r
}

func (r *reader) take(fetches kgo.Fetches, now time.Time, see func(*kgo.Record, time.Time)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fetches.EachRecord(func(record *kgo.Record) {
		switch {
		case !record.Attrs.IsControl():
			see(record, now)
		case len(record.Key) == 4 && record.Key[3] == 0: // version and type, two bytes each; type 0 is an abort
			r.aborted++
		}
		r.next[record.Topic][record.Partition] = record.Offset + 1
	})
}

// catchUp waits until everything that is in the topics now has been seen. A transaction that is left
// open keeps it waiting: that is a fault too.
func (r *reader) catchUp(t *testing.T, atMost time.Duration) {
	t.Helper()
	var ends kadm.ListedOffsets
	eventually(t, atMost, func() error {
		var err error
		if ends, err = r.admin.ListEndOffsets(t.Context(), r.topics...); err != nil {
			return err
		}
		return ends.Error()
	})
	eventually(t, atMost, func() error {
		r.mu.Lock()
		defer r.mu.Unlock()
		var behind []string
		ends.Each(func(end kadm.ListedOffset) {
			if next := r.next[end.Topic][end.Partition]; next < end.Offset {
				behind = append(behind, fmt.Sprintf("%s/%d at %d of %d", end.Topic, end.Partition, next, end.Offset))
			}
		})
		if behind != nil {
			return fmt.Errorf("not read to the end (is a transaction open?): %s", strings.Join(behind, ", "))
		}
		return nil
	})
}

// readAll returns what is in a topic now, partition after partition in the order of offsets.
func (s *scene) readAll(t *testing.T, topic string) []*kgo.Record {
	t.Helper()
	byPartition := make([][]*kgo.Record, s.partitions)
	r := follow(t, s.bootstrap, func(record *kgo.Record, _ time.Time) {
		for int(record.Partition) >= len(byPartition) {
			byPartition = append(byPartition, nil)
		}
		byPartition[record.Partition] = append(byPartition[record.Partition], record)
	}, topic)
	r.catchUp(t, time.Minute)
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []*kgo.Record
	for _, records := range byPartition {
		all = append(all, records...)
	}
	return all
}
