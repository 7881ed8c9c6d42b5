package processortest

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// Scrape returns each metric family's sum over its labels, as an operator would see it, its sum for each value of a label as
// name{value}, and how often a histogram has observed as name{count}.
func Scrape(t testing.TB, registry *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatalf("scraping: %v", err)
	}
	sums := make(map[string]float64)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			v := m.GetCounter().GetValue() + m.GetGauge().GetValue()
			sums[f.GetName()] += v
			sums[f.GetName()+"{count}"] += float64(m.GetHistogram().GetSampleCount())
			for _, l := range m.GetLabel() {
				sums[f.GetName()+"{"+l.GetValue()+"}"] += v
			}
		}
	}
	return sums
}
