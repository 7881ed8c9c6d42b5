package processortest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Helpers give up waiting for something that has to happen when nothing has changed in the cluster for stillness, or after
// patience. Both are in time spent waiting between two looks, so that a machine too busy to look has not waited either.
const (
	stillness = 15 * time.Second
	patience  = time.Minute
)

// wait is how long a helper has waited.
type wait struct {
	c            *Cluster
	total, still time.Duration
	seen         int
}

// over adds the time to the next look, and reports whether to give up.
func (w *wait) over(look time.Duration) bool {
	w.total += look
	w.still += look
	if seen := w.c.progress.Hits(); seen != w.seen {
		w.seen, w.still = seen, 0
	}
	return w.still > stillness || w.total > patience
}

// poll returns what a client fetches until the next look. It fails the test once the wait is over.
func (w *wait) poll(client *kgo.Client, what func() string) kgo.Fetches {
	const look = 200 * time.Millisecond
	ctx, cancel := context.WithTimeout(context.Background(), look)
	defer cancel()
	fetches := client.PollFetches(ctx)
	if fetches.NumRecords() == 0 && w.over(look) {
		w.c.t.Helper()
		w.c.t.Fatalf("%s after %v, %v of them without a change", what(), w.total, w.still)
	}
	return fetches
}

// Produce writes records to the partitions they name and waits for their acknowledgement. Records of one partition go into
// one batch if the batch size allows, so that a consumer that sees one of them has all of them.
func (c *Cluster) Produce(records ...*kgo.Record) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	largest := 900 << 10
	for _, r := range records {
		largest = max(largest, len(r.Value)+len(r.Key)+1024)
	}
	client, err := kgo.NewClient(append(c.seeds(), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchMaxBytes(int32(largest)), kgo.MaxBufferedRecords(1<<20), kgo.ManualFlushing())...)
	if err != nil {
		c.t.Fatalf("making client: %v", err)
	}
	defer client.Close()
	var failed kgo.FirstErrPromise
	for _, r := range records {
		client.Produce(ctx, r, failed.Promise())
	}
	err = client.Flush(ctx)
	if err == nil {
		err = failed.Err()
	}
	if err != nil {
		c.t.Fatalf("producing: %v", err)
	}
}

// ProduceValues writes values to a topic, distributing them over the partitions in turn.
func (c *Cluster) ProduceValues(topic string, partitions int32, values ...string) {
	c.t.Helper()
	records := make([]*kgo.Record, len(values))
	for i, v := range values {
		records[i] = &kgo.Record{Topic: topic, Partition: int32(i) % partitions, Value: []byte(v)}
	}
	c.Produce(records...)
}

// Read returns n committed records of a topic. It fails the test if they do not arrive.
func (c *Cluster) Read(topic string, n int) (records []*kgo.Record) {
	c.t.Helper()
	client := c.reader(topic)
	defer client.Close()
	w := wait{c: c}
	for len(records) < n {
		fetches := w.poll(client, func() string { return fmt.Sprintf("topic %q: %d records, want %d", topic, len(records), n) })
		records = append(records, fetches.Records()...)
	}
	return records
}

// reader returns a client that reads what is committed in a topic. The caller closes it, often while it fetches: franz-go
// v1.22.2 then reads the id of a fetch session while another goroutine writes it, which the race detector reports.
func (c *Cluster) reader(topic string, opts ...kgo.Opt) *kgo.Client {
	c.t.Helper()
	client, err := kgo.NewClient(slices.Concat(c.seeds(), opts, []kgo.Opt{kgo.ConsumeTopics(topic),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxWait(50 * time.Millisecond), kgo.MetadataMinAge(50 * time.Millisecond), kgo.DisableFetchSessions()})...)
	if err != nil {
		c.t.Fatalf("making client: %v", err)
	}
	return client
}

// ReadAll returns every record that is currently committed in a topic.
func (c *Cluster) ReadAll(topic string) (records []*kgo.Record) {
	c.t.Helper()
	client := c.reader(topic, kgo.KeepControlRecords())
	defer client.Close()
	left := make(map[int32]int64) // end offsets not reached yet
	for _, info := range c.PartitionInfos(topic) {
		if info.LastStableOffset > info.LogStartOffset {
			left[info.Partition] = info.LastStableOffset
		}
	}
	w := wait{c: c}
	for len(left) > 0 {
		fetches := w.poll(client, func() string { return fmt.Sprintf("topic %q: ends %v not reached", topic, left) })
		fetches.EachRecord(func(r *kgo.Record) {
			if !r.Attrs.IsControl() {
				records = append(records, r)
			}
			if end, ok := left[r.Partition]; ok && r.Offset+1 >= end {
				delete(left, r.Partition)
			}
		})
	}
	return records
}

// Eventually waits until condition holds, and fails the test if that takes too long.
func (c *Cluster) Eventually(what string, condition func() bool) {
	c.t.Helper()
	const look = 5 * time.Millisecond
	for w := (wait{c: c}); !condition(); time.Sleep(look) {
		if w.over(look) {
			c.t.Fatalf("after %v, %v of them without a change, still not: %s", w.total, w.still, what)
		}
	}
}

// Refused waits until done is closed, as it is by a processor that must not begin. It fails the test as soon as the processor
// commits something instead, so there should be a record for it to read.
func (c *Cluster) Refused(done <-chan struct{}) {
	c.t.Helper()
	commits := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit, kmsg.EndTxn}, Observe: true, Count: -1})
	c.Eventually("the processor ends", func() bool {
		c.t.Helper()
		if commits.Hits() > 0 {
			c.t.Fatal("the processor commits, want it to end with an error")
		}
		select {
		case <-done:
			return true
		default:
			return false
		}
	})
}

// Header returns the value of a record's header, and whether the record has it.
func Header(r *kgo.Record, key string) (string, bool) {
	for _, h := range r.Headers {
		if h.Key == key {
			return string(h.Value), true
		}
	}
	return "", false
}

// Noise returns n bytes that do not compress, the same ones each time.
func Noise(n int) string {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{}).Read(b) // never fails
	return string(b)
}
