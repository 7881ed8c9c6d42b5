package processor

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/processortest"
)

// BenchmarkPipeline reads the same backlog with a bare consumer that discards it and with the processor, in both modes: 12
// partitions, lz4, 1% of the events matching. Compare cpu-s/million, the CPU seconds of the whole process per million
// records; the embedded broker runs in the same process and counts in all three.
//
//	go test ./processor -run '^$' -bench Pipeline -benchtime 5x
func BenchmarkPipeline(b *testing.B) {
	const n, partitions = 200_000, 12
	c := newCluster(b, partitions)
	loadBacklog(b, c, n, partitions)
	b.Run("bare", func(b *testing.B) {
		measure(b, n, func() {
			client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.ConsumeTopics(inputTopic))
			if err != nil {
				b.Fatal(err)
			}
			defer client.Close()
			for got := 0; got < n; {
				got += client.PollFetches(context.Background()).NumRecords()
			}
		})
	})
	for _, delivery := range []Delivery{AtLeastOnce, ExactlyOnce} {
		run := 0
		b.Run(delivery.String(), func(b *testing.B) {
			measure(b, n, func() {
				run++
				o := testOptions(c)
				o.Delivery, o.InstanceID = delivery, "one"
				o.Group = fmt.Sprintf("%s-%d", delivery, run)
				o.Registry = prometheus.NewRegistry()
				o.CommitInterval = DefaultCommitInterval
				decide := production(b, &o)
				r := start(b, o, decide)
				for r.Status().Counts.Records < n {
					time.Sleep(time.Millisecond)
				}
				r.mustStop()
			})
		})
	}
}

// loadBacklog fills the input topic with n generated records.
func loadBacklog(b *testing.B, c *processortest.Cluster, n, partitions int) {
	b.Helper()
	records, _ := sampleRecords(b, n, partitions, 0)
	client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(kgo.Lz4Compression()), kgo.MaxBufferedRecords(n))
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	if err := client.ProduceSync(context.Background(), records...).FirstErr(); err != nil {
		b.Fatal(err)
	}
}

// measure runs f b.N times and reports the cost per record, for n records per run.
func measure(b *testing.B, n int, f func()) {
	b.Helper()
	begin := cpuTime(b)
	for b.Loop() {
		f()
	}
	records := float64(b.N) * float64(n)
	b.ReportMetric((cpuTime(b)-begin).Seconds()*1e6/records, "cpu-s/million")
	b.ReportMetric(records/b.Elapsed().Seconds(), "records/s")
}

func cpuTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
