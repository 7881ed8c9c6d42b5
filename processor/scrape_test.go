package processor

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/regionwatch/regionwatch/processor/processortest"
	"github.com/regionwatch/regionwatch/processor/progress"
)

// checkConservation asserts that the metrics of a processor that has ended add up.
func checkConservation(t testing.TB, registry *prometheus.Registry) progress.Totals {
	t.Helper()
	s := processortest.Scrape(t, registry)
	read := s["regionwatch_records_read_total"]
	done, dead, returned := s["regionwatch_records_done_total"], s["regionwatch_records_dead_lettered_total"], s["regionwatch_records_returned_total"]
	if read != done+dead+returned {
		t.Errorf("records read %v != done %v + dead-lettered %v + returned %v", read, done, dead, returned)
	}
	return progress.Totals{Read: uint64(read), Abandoned: uint64(returned), AlertsAcked: uint64(s["regionwatch_alerts_acked_total"]),
		DeadLettersAcked: uint64(s["regionwatch_dead_letters_acked_total"]), Dropped: uint64(s["regionwatch_records_dropped_total"])}
}
