package processortest

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// patience is how long helpers wait for what has to come. It is long because it only counts where a test
// fails, and machines that test are busy.
const patience = time.Minute

// Produce writes records and waits for their acknowledgement. A record's partition is taken as it is. Those of one
// partition come in one batch where its size allows, so that whoever reads one of them has them all.
func (c *Cluster) Produce(records ...*kgo.Record) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	largest := 900 << 10
	for _, r := range records {
		largest = max(largest, len(r.Value)+len(r.Key)+1024)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchMaxBytes(int32(largest)), kgo.MaxBufferedRecords(1<<20), kgo.ManualFlushing())
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

// ProduceValues writes values to a topic, one after another to partitions in turn.
func (c *Cluster) ProduceValues(topic string, partitions int32, values ...string) {
	c.t.Helper()
	records := make([]*kgo.Record, len(values))
	for i, v := range values {
		records[i] = &kgo.Record{Topic: topic, Partition: int32(i) % partitions, Value: []byte(v)}
	}
	c.Produce(records...)
}

// Read returns n records of a topic, read committed. It fails the test where they do not come.
func (c *Cluster) Read(topic string, n int) []*kgo.Record {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.ConsumeTopics(topic),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxWait(50*time.Millisecond), kgo.MetadataMinAge(50*time.Millisecond))
	if err != nil {
		c.t.Fatalf("making client: %v", err)
	}
	defer client.Close()
	var records []*kgo.Record
	for len(records) < n {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			c.t.Fatalf("topic %q: %d records after %v, want %d", topic, len(records), patience, n)
		}
		records = append(records, fetches.Records()...)
	}
	return records
}

// ReadAll returns every record that stands committed in a topic now.
func (c *Cluster) ReadAll(topic string) []*kgo.Record {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.ConsumeTopics(topic), kgo.KeepControlRecords(),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxWait(50*time.Millisecond), kgo.MetadataMinAge(50*time.Millisecond))
	if err != nil {
		c.t.Fatalf("making client: %v", err)
	}
	defer client.Close()
	left := make(map[int32]int64) // end offsets that are not reached yet
	for _, info := range c.PartitionInfos(topic) {
		if info.LastStableOffset > info.LogStartOffset {
			left[info.Partition] = info.LastStableOffset
		}
	}
	var records []*kgo.Record
	for len(left) > 0 {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			c.t.Fatalf("topic %q: ends %v not reached after %v", topic, left, patience)
		}
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

// Eventually waits until condition holds, and fails the test where it does not within a long time.
func (c *Cluster) Eventually(what string, condition func() bool) {
	c.t.Helper()
	deadline := time.Now().Add(patience)
	for !condition() {
		if time.Now().After(deadline) {
			c.t.Fatalf("after %v still not: %s", patience, what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// Header returns the value of a record's header, and whether it has it.
func Header(r *kgo.Record, key string) (string, bool) {
	for _, h := range r.Headers {
		if h.Key == key {
			return string(h.Value), true
		}
	}
	return "", false
}
