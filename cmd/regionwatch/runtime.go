package main

import (
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// memoryLimit is what the collector of garbage aims to stay below: the buffers that the processor bounds
// fit into it several times. It is no bound, a record that needs more gets more.
const memoryLimit = 112 << 20

// limitMemory sets memoryLimit unless the user has set GOMEMLIMIT.
func limitMemory(lookup func(string) (string, bool)) {
	if _, set := lookup("GOMEMLIMIT"); !set {
		debug.SetMemoryLimit(memoryLimit)
	}
}

// newRegistry returns a registry with what every instance tells of itself.
func newRegistry() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	b := thisBuild()
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "regionwatch_build_info",
		Help:        "1, with what the binary was made of as labels.",
		ConstLabels: prometheus.Labels{"version": b.Version, "commit": b.Commit, "go": b.Go},
	})
	info.Set(1)
	registry.MustRegister(info, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return registry
}
