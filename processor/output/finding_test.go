package output

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/schema/alert"
)

func TestFinding(t *testing.T) {
	f := func(a alert.Alert, want finding) {
		t.Helper()
		r := &kgo.Record{}
		newFinding(&a).attach(t.Context(), r)
		if got := findingOf(r); got == nil || got.findingLabels != want.findingLabels || got.shape != want.shape || !got.event.Equal(want.event) {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	at := time.Date(2026, 11, 28, 3, 0, 0, 0, time.UTC)
	f(alert.Alert{EventTime: []byte(`"2026-11-28T03:00:00Z"`), Policy: alert.Policy{Level: "default"}, Origin: alert.Origin{Shape: "sqs+sns+event"}},
		finding{findingLabels{"default", "alerted"}, "sqs", at})
	f(alert.Alert{EventTime: []byte(`"yesterday"`), Policy: alert.Policy{Level: "group sandbox", Mode: alert.ModeShadow}, Origin: alert.Origin{Shape: "event"}},
		finding{findingLabels{"group sandbox", "shadowed"}, "event", time.Time{}})
	// Thousands of accounts share one series. An exemption takes precedence over the mode.
	f(alert.Alert{Policy: alert.Policy{Level: "account 111122223333", Mode: alert.ModeShadow, Exception: &alert.Exception{}}},
		finding{findingLabels{"account", "exempted"}, "", time.Time{}})
	if got := findingOf(&kgo.Record{}); got != nil {
		t.Errorf("a dead letter carries %+v", got)
	}
}

// A batch with very many alerts counts them all and keeps the times of some of them.
func TestFindingsBound(t *testing.T) {
	var one, sum findings
	for range maxDelays + 5 {
		one.add(&finding{findingLabels{"default", "alerted"}, "event", time.Unix(100, 0)})
	}
	one.add(&finding{findingLabels{"default", "shadowed"}, "event", time.Unix(100, 0)})
	sum.merge(&findings{})
	sum.merge(&one)
	if len(sum.alerts) != maxDelays {
		t.Errorf("%d times kept, want %d", len(sum.alerts), maxDelays)
	}
	registry := prometheus.NewRegistry()
	m, err := registerFindings(registry)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(Options{Registry: registry}); err == nil {
		t.Error("metrics that are registered twice are no error")
	}
	m.count(&sum, time.Unix(99, 0)) // a clock behind the events' clock
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	counts := make(map[string]float64)
	for _, m := range families[1].GetMetric() {
		counts[m.GetLabel()[1].GetValue()] = m.GetCounter().GetValue()
	}
	if counts["alerted"] != maxDelays+5 || counts["shadowed"] != 1 {
		t.Errorf("%v", counts)
	}
	h := families[0].GetMetric()[0].GetHistogram()
	if h.GetSampleCount() != maxDelays || h.GetSampleSum() != 0 {
		t.Errorf("%d observed, %v s together", h.GetSampleCount(), h.GetSampleSum())
	}
}
