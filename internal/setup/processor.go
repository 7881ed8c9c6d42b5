package setup

import (
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/memory"
	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/schema/alert"
)

// Processor returns the processor options that the settings determine.
func Processor(s *config.Settings) processor.Options {
	o := processor.Options{
		Brokers:             s.Brokers,
		InputTopics:         s.InputTopics,
		AlertTopic:          s.AlertTopic,
		DeadLetterTopic:     s.DeadLetterTopic,
		ShadowTopic:         s.ShadowTopic,
		ExemptedTopic:       s.ExemptedTopic,
		CreateTopics:        s.CreateTopics,
		Partitions:          int32(s.Partitions), // bounded by the settings table
		Replicas:            int16(s.Replicas),   // bounded by the settings table
		Group:               s.Group,
		Start:               processor.Start{Latest: s.Start.Latest, At: s.Start.At},
		Sessions:            s.Sessions,
		SessionTimeout:      s.SessionTimeout,
		Rack:                s.Rack,
		RebalanceTimeout:    s.RebalanceTimeout,
		CommitInterval:      s.CommitInterval,
		DeliveryTimeout:     s.DeliveryTimeout,
		TransactionTimeout:  s.TransactionTimeout,
		DrainTimeout:        s.DrainTimeout,
		MaxRecordBytes:      s.MaxRecordBytes,
		MaxBatchBytes:       s.MaxBatchBytes,
		FetchBytes:          s.FetchBytes,
		FetchPartitionBytes: s.FetchPartitionBytes,
		MaxRecordsPerSecond: s.MaxRecordsPerSecond,
		MaxEventBytes:       s.MaxEventBytes,
		NoEventCopy:         s.NoEventCopy,
	}
	if !slices.Contains(s.CopyHeaders, config.None) {
		o.CopyHeaders = s.CopyHeaders
	}
	if s.InputPattern != "" {
		o.InputTopics, o.InputPattern = []string{s.WholeInputPattern()}, true
	}
	if s.AlertFormat == config.AlertOCSF {
		o.AlertFormat = alert.OCSF
	}
	if s.Delivery == config.ExactlyOnce {
		o.Delivery = processor.ExactlyOnce
	}
	return o
}

// Codecs are the compression codecs by name.
var Codecs = map[string]kgo.CompressionCodec{
	"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(), "snappy": kgo.SnappyCompression(),
	"gzip": kgo.GzipCompression(), "none": kgo.NoCompression(),
}

// OutputCompression returns the client option for the compression of alerts and dead letters. Clients may share it: with
// kgo.ProducerBatchCompression, two clients made at once would write to the same list of codecs.
func OutputCompression(s *config.Settings) kgo.Opt {
	compressor, _ := kgo.DefaultCompressor(Codecs[s.OutputCompression], kgo.NoCompression()) // it fails for unknown codecs only
	if compressor == nil {
		return kgo.ProducerBatchCompression() // without codecs nothing is compressed
	}
	return kgo.WithCompressor(compressor)
}

// NewCompression returns a flag that selects one of [Codecs].
func NewCompression() *cli.Choice { return cli.NewChoice("lz4", "zstd", "snappy", "gzip", "none") }

// OrBroker returns n. It replaces 0 by the value that means the broker's default on the wire.
func OrBroker[T int16 | int32](n T) T {
	if n == 0 {
		return -1
	}
	return n
}

// Memory tunes the garbage collector for the memory limit from the settings or the container. The error says which
// settings may need more than that limit.
func Memory(s *config.Settings, needs []processor.Need, lookup func(string) (string, bool)) error {
	limit, origin := int64(s.MemoryLimit), "memory-limit"
	if limit == 0 {
		limit, origin = memory.ContainerLimit("/"), "the container's memory limit"
	}
	var need int64
	var parts []string
	for _, n := range needs {
		need += int64(n.Bytes)
		parts = append(parts, mebibytes(int64(n.Bytes))+" for "+n.Why)
	}
	if limit > 0 && need > limit {
		return fmt.Errorf("%s of %s is too small: these settings may need %s (%s); lower fetch-bytes, max-batch-bytes or max-event-bytes, or give it more",
			origin, mebibytes(limit), mebibytes(need), strings.Join(parts, "; "))
	}
	memory.Tune(limit, lookup)
	return nil
}

func mebibytes(n int64) string { return fmt.Sprintf("%d MiB", n>>20) }

// Registry returns a registry with the metrics of the process itself.
func Registry(b cli.Build) *prometheus.Registry {
	registry := prometheus.NewRegistry()
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "regionwatch_build_info",
		Help:        "Always 1; the labels describe the build.",
		ConstLabels: prometheus.Labels{"version": b.Version, "commit": b.Commit, "go": b.Go},
	})
	info.Set(1)
	registry.MustRegister(info, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return registry
}
