package setup

import (
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/schema/alert"
)

// Processor returns the processor's options that settings decide.
func Processor(s *config.Settings) processor.Options {
	o := processor.Options{
		Brokers:            s.Brokers,
		InputTopics:        s.InputTopics,
		AlertTopic:         s.AlertTopic,
		DeadLetterTopic:    s.DeadLetterTopic,
		ShadowTopic:        s.ShadowTopic,
		ExemptedTopic:      s.ExemptedTopic,
		CreateTopics:       s.CreateTopics,
		Partitions:         int32(s.Partitions), // bounded by the table
		Replicas:           int16(s.Replicas),   // bounded by the table
		Group:              s.Group,
		Start:              processor.Start{Latest: s.Start.Latest, At: s.Start.At},
		Sessions:           s.Sessions,
		SessionTimeout:     s.SessionTimeout,
		RebalanceTimeout:   s.RebalanceTimeout,
		CommitInterval:     s.CommitInterval,
		DeliveryTimeout:    s.DeliveryTimeout,
		TransactionTimeout: s.TransactionTimeout,
		DrainTimeout:       s.DrainTimeout,
		MaxRecordBytes:     s.MaxRecordBytes,
		MaxBatchBytes:      s.MaxBatchBytes,
		MaxEventBytes:      s.MaxEventBytes,
		NoEventCopy:        s.NoEventCopy,
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

// Codecs are the compressions of records by name.
var Codecs = map[string]kgo.CompressionCodec{
	"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(), "snappy": kgo.SnappyCompression(),
	"gzip": kgo.GzipCompression(), "none": kgo.NoCompression(),
}

// NewCompression returns a flag that chooses one of [Codecs].
func NewCompression() *cli.Choice { return cli.NewChoice("lz4", "zstd", "snappy", "gzip", "none") }

// OrBroker returns n, or for 0 what means the broker's default on the wire.
func OrBroker[T int16 | int32](n T) T {
	if n == 0 {
		return -1
	}
	return n
}

// How the garbage collector is set: garbage may grow to four times what is live, which saves a tenth of the processor
// time over its own default of one, and it works harder as the process nears memoryLimit. The buffers that the processor
// bounds fit in several times. The limit is soft: a record that needs more gets more.
const (
	memoryLimit    = 112 << 20
	garbagePercent = 400
)

// TuneCollector sets the garbage collector unless GOGC and GOMEMLIMIT do. lookup is [os.LookupEnv].
func TuneCollector(lookup func(string) (string, bool)) {
	if _, set := lookup("GOGC"); !set {
		debug.SetGCPercent(garbagePercent)
	}
	if _, set := lookup("GOMEMLIMIT"); !set {
		debug.SetMemoryLimit(memoryLimit)
	}
}

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
