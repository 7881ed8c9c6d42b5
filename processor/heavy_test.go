package processor

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/processor/deadletter"
	"github.com/regionwatch/regionwatch/processor/processortest"
)

// codecs are all compression codecs that a batch may use.
var codecs = map[string]kgo.CompressionCodec{
	"gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
}

// produceBatch writes the values as one batch.
func produceBatch(t *testing.T, c *processortest.Cluster, codec kgo.CompressionCodec, values ...string) {
	t.Helper()
	producer := c.Client(kgo.ProducerBatchCompression(codec), kgo.ProducerBatchMaxBytes(64<<20), kgo.BrokerMaxWriteBytes(256<<20),
		kgo.MaxBufferedRecords(1<<20), kgo.ManualFlushing(), kgo.DefaultProduceTopic(inputTopic), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	defer producer.Close()
	var failed error
	for _, value := range values {
		producer.Produce(t.Context(), kgo.StringRecord(value), func(_ *kgo.Record, err error) {
			if err != nil {
				failed = err
			}
		})
	}
	if err := producer.Flush(t.Context()); err != nil || failed != nil {
		t.Fatal(err, failed)
	}
}

// forBoth runs a test with both delivery guarantees.
func forBoth(t *testing.T, f func(t *testing.T, o func(*processortest.Cluster) Options)) {
	t.Parallel()
	for _, delivery := range []Delivery{AtLeastOnce, ExactlyOnce} {
		t.Run(delivery.String(), func(t *testing.T) {
			t.Parallel()
			f(t, func(c *processortest.Cluster) Options {
				o := exactlyOnce(c)
				o.Delivery = delivery
				return o
			})
		})
	}
}

// letters returns the dead letters, joined from their parts.
func letters(t *testing.T, c *processortest.Cluster) (all []*deadletter.Letter) {
	t.Helper()
	var parts deadletter.Assembler
	for _, r := range c.ReadAll(deadLetterTopic) {
		l, err := deadletter.Parse(r)
		if err != nil {
			t.Fatal(err)
		}
		if l = parts.Add(l); l != nil {
			all = append(all, l)
		}
	}
	return all
}

// A batch that decompresses to more than the limit is set aside with its compressed bytes, and the partition continues.
//
// Guard: Decompressor.Decompress adds to deferred.
func TestBatchTooLarge(t *testing.T) {
	forBoth(t, func(t *testing.T, options func(*processortest.Cluster) Options) {
		for name, codec := range codecs {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				c := newCluster(t, 1)
				produceBatch(t, c, codec, "alert before")
				value := "pass " + strings.Repeat(" ", 1<<20)
				produceBatch(t, c, codec, value, value, value)
				produceBatch(t, c, codec, "alert after")
				o := options(c)
				o.MaxBatchBytes = 2 << 20
				r := start(t, o)
				c.Eventually("committed to the end", func() bool { return committedToEnd(c, 1) })
				r.mustStop()
				if got := r.tally.Snapshot(); got.LargeBatches != 1 || got.DeadLettered != 1 || got.Done != 2 {
					t.Errorf("%d batches set aside, %d records dead-lettered, %d done", got.LargeBatches, got.DeadLettered, got.Done)
				}
				if ids := alertIDs(c.ReadAll(alertTopic)); ids["before"] != 1 || ids["after"] != 1 {
					t.Errorf("alerts %v", ids)
				}
				all := letters(t, c)
				if len(all) != 1 {
					t.Fatalf("%d letters, want 1", len(all))
				}
				l := all[0]
				if l.Reason != deadletter.ReasonBatchTooLarge || l.Holds != deadletter.HoldsBatch || l.Origin.Offset != 1 || l.LastOffset != 3 || l.Origin.Topic != inputTopic {
					t.Errorf("letter %+v", l)
				}
				if n := unpackLetter(t, l); n != 3 {
					t.Errorf("its value holds %d records, want 3", n)
				}
			})
		}
	})
}

// unpackLetter returns the number of records of the batch in a letter.
func unpackLetter(t *testing.T, l *deadletter.Letter) int {
	t.Helper()
	var batch kmsg.RecordBatch
	if err := batch.ReadFrom(l.Value); err != nil {
		t.Fatalf("%d bytes are not a batch: %v", len(l.Value), err)
	}
	if _, err := kgo.DefaultDecompressor().Decompress(batch.Records, kgo.CompressionCodecType(batch.Attributes&7)); err != nil {
		t.Fatal(err)
	}
	return int(batch.NumRecords)
}

// A batch that is large but within the limit is decided like any other: every record, in order, once.
//
// Guards: decision.batch; decompress.Batch.Each.
func TestHeavyBatchIsDecided(t *testing.T) {
	forBoth(t, func(t *testing.T, options func(*processortest.Cluster) Options) {
		for name, codec := range codecs {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				c := newCluster(t, 1)
				topicLimit(t, c, inputTopic, "8000000")
				blank := "pass " + strings.Repeat(" ", 300_000)
				var batch []string
				for i := range 60 {
					batch = append(batch, fmt.Sprintf("alert %d", i), blank)
				}
				produceBatch(t, c, codec, batch...)
				produceBatch(t, c, codec, "bad", "alert last")
				r := start(t, options(c))
				seen := 0
				c.Eventually("committed to the end", func() bool {
					seen = max(seen, r.decompressor.Deferred())
					return committedToEnd(c, 1)
				})
				r.mustStop()
				got := r.tally.Snapshot()
				if got.Done != 121 || got.DeadLettered != 1 || got.Read != 122 || got.LargeBatches != 0 {
					t.Errorf("%d done, %d dead-lettered, %d read, %d batches", got.Done, got.DeadLettered, got.Read, got.LargeBatches)
				}
				if seen == 0 {
					t.Error("no batch was set aside: the test tests nothing")
				}
				ids := alertIDs(c.ReadAll(alertTopic))
				if len(ids) != 61 {
					t.Errorf("%d alerts, want 61", len(ids))
				}
				runtime.GC()
				c.Eventually("release", func() bool {
					runtime.GC()
					return r.decompressor.Deferred() == 0
				})
			})
		}
	})
}

// If the first records of a batch are committed, only the rest is decided.
//
// Guard: from in decision.batch.
func TestHeavyBatchGoesOnInside(t *testing.T) {
	forBoth(t, func(t *testing.T, options func(*processortest.Cluster) Options) {
		c := newCluster(t, 1)
		blank := "pass " + strings.Repeat(" ", 1<<20)
		produceBatch(t, c, kgo.ZstdCompression(), "alert 0", blank, "alert 1", blank, "alert 2")
		c.Commit(testGroup, inputTopic, 0, 2)
		r := start(t, options(c))
		c.Eventually("committed to the end", func() bool { return committedToEnd(c, 1) })
		r.mustStop()
		if ids := alertIDs(c.ReadAll(alertTopic)); len(ids) != 2 || ids["0"] != 0 {
			t.Errorf("alerts %v, want 1 and 2", ids)
		}
	})
}

// A record whose decision panics is set aside, and the partition continues.
//
// Guard: recover in decision.guarded.
func TestPanicIsSetAside(t *testing.T) {
	forBoth(t, func(t *testing.T, options func(*processortest.Cluster) Options) {
		c := newCluster(t, 1)
		var log lines
		o := options(c)
		o.Logger = log.logger()
		c.ProduceValues(inputTopic, 1, "alert 1", "panic boom", "alert 2", "panic boom", "bad", "alert 3")
		r := start(t, o)
		c.Eventually("committed to the end", func() bool { return committedToEnd(c, 1) })
		r.mustStop()
		if got := r.tally.Snapshot(); got.Panics != 2 || got.DeadLettered != 3 || got.Done != 3 {
			t.Errorf("%d panics, %d dead-lettered, %d done", got.Panics, got.DeadLettered, got.Done)
		}
		all := letters(t, c)
		if len(all) != 3 || all[0].Reason != deadletter.ReasonPanic || string(all[0].Value) != "panic boom" || all[0].Origin.Offset != 1 ||
			!strings.Contains(all[0].Error, "boom") || all[2].Reason != "syntax" {
			t.Errorf("%d letters, the first %+v", len(all), all[0])
		}
		if ids := alertIDs(c.ReadAll(alertTopic)); len(ids) != 3 {
			t.Errorf("alerts %v", ids)
		}
		if log.count("goroutine ") == 0 {
			t.Error("the log has no stack")
		}
	})
}

// A batch of very many tiny records is not unpacked while others are read: each record takes more memory than its bytes.
//
// Guard: countRecords in Decompressor.Decompress.
func TestManyTinyRecordsAreHeavy(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	const n = 200_000
	produceBatch(t, c, kgo.ZstdCompression(), make([]string, n)...)
	r := start(t, testOptions(c))
	heavy := false
	c.Eventually("committed to the end", func() bool {
		heavy = heavy || r.decompressor.Deferred() > 0
		return committedToEnd(c, 1)
	})
	r.mustStop()
	if got := r.tally.Snapshot(); got.Done != n || got.Read != n {
		t.Errorf("%d read, %d done, want %d", got.Read, got.Done, n)
	}
	if !heavy {
		t.Error("the batch was taken apart by the client")
	}
}
