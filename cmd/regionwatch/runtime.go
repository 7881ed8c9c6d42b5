package main

import (
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// How the garbage collector is set: it may let garbage grow to four times what lives, which saves a tenth
// of the processor time over its own default of one, and it works harder as the process nears memoryLimit.
// The buffers that the processor bounds fit in several times. The limit is no bound: a record that needs
// more gets more.
const (
	memoryLimit    = 112 << 20
	garbagePercent = 400
)

// tuneCollector sets the garbage collector where the user has not, with GOGC and GOMEMLIMIT.
func tuneCollector(lookup func(string) (string, bool)) {
	if _, set := lookup("GOGC"); !set {
		debug.SetGCPercent(garbagePercent)
	}
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
