package processor

import (
	"testing"

	"github.com/regionwatch/regionwatch/processor/progress"

	"github.com/prometheus/client_golang/prometheus"
)

// scrape returns each metric family's sum over its labels, as an operator would see it.
func scrape(t testing.TB, registry *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatalf("scraping: %v", err)
	}
	sums := make(map[string]float64)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			sums[f.GetName()] += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			sums[f.GetName()+"{count}"] += float64(m.GetHistogram().GetSampleCount())
			for _, l := range m.GetLabel() {
				sums[f.GetName()+"{"+l.GetValue()+"}"] += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return sums
}

// checkConservation asserts that the metrics of a processor that has ended add up.
func checkConservation(t testing.TB, registry *prometheus.Registry) progress.Totals {
	t.Helper()
	s := scrape(t, registry)
	read := s["regionwatch_records_read_total"]
	done, dead, returned := s["regionwatch_records_done_total"], s["regionwatch_records_dead_lettered_total"], s["regionwatch_records_returned_total"]
	if read != done+dead+returned {
		t.Errorf("records read %v != done %v + dead-lettered %v + returned %v", read, done, dead, returned)
	}
	return progress.Totals{Read: uint64(read), Abandoned: uint64(returned), AlertsAcked: uint64(s["regionwatch_alerts_acked_total"]),
		DeadLettersAcked: uint64(s["regionwatch_dead_letters_acked_total"])}
}
