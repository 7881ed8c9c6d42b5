package processortest

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// patience is how long helpers wait for something that has to happen. It is long because it only matters when a test
// fails, and test machines are busy.
const patience = 2 * time.Minute

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

// ReadAll returns every record that is currently committed in a topic.
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
	left := make(map[int32]int64) // end offsets not reached yet
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

// Eventually waits until condition holds, and fails the test if that takes too long.
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

// Header returns the value of a record's header, and whether the record has it.
func Header(r *kgo.Record, key string) (string, bool) {
	for _, h := range r.Headers {
		if h.Key == key {
			return string(h.Value), true
		}
	}
	return "", false
}
