package output

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/regionwatch/regionwatch/processor/progress"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/schema/alert"
)

// findingLabels are the labels by which findings are counted.
type findingLabels struct{ level, outcome string }

// finding is what metrics count of an alert, a shadowed finding or an exempted event, once its record is acknowledged.
type finding struct {
	findingLabels
	shape string    // the outermost envelope of its event
	event time.Time // zero without a readable eventTime
}

func newFinding(a *alert.Alert) *finding {
	f := &finding{findingLabels: findingLabels{levelLabel(a.Policy.Level), "alerted"}}
	f.shape, _, _ = strings.Cut(a.Origin.Shape, "+")
	switch {
	case a.Policy.Exception != nil:
		f.outcome = "exempted"
	case a.Policy.Mode == alert.ModeShadow:
		f.outcome = "shadowed"
	}
	if t, err := time.Parse(time.RFC3339, strings.Trim(string(a.EventTime), `"`)); err == nil {
		f.event = t
	}
	return f
}

// levelLabel returns the label of a policy's level. Accounts share one, because a policy may have thousands of them.
func levelLabel(level string) string {
	if strings.HasPrefix(level, "account ") {
		return "account"
	}
	return strings.ToValidUTF8(level, "\uFFFD")
}

// findingKey is the context key of the finding that a record carries.
type findingKey struct{}

// attach makes r carry f until it is acknowledged. ctx is the context for producing r.
func (f *finding) attach(ctx context.Context, r *kgo.Record) {
	r.Context = context.WithValue(ctx, findingKey{}, f)
}

// findingOf returns the finding that r carries, or nil.
func findingOf(r *kgo.Record) *finding {
	if r.Context == nil {
		return nil
	}
	f, _ := r.Context.Value(findingKey{}).(*finding)
	return f
}

// maxDelays limits the alerts of one batch whose delay is observed. One record may hold hundreds of thousands.
const maxDelays = 10_000

// findings are the acknowledged ones of a batch or a transaction. The zero value is empty.
type findings struct {
	counts map[findingLabels]uint64
	alerts []*finding // the first maxDelays with a time
}

func (s *findings) add(f *finding) {
	if s.counts == nil {
		s.counts = make(map[findingLabels]uint64)
	}
	s.counts[f.findingLabels]++
	if f.outcome == "alerted" && !f.event.IsZero() && len(s.alerts) < maxDelays {
		s.alerts = append(s.alerts, f)
	}
}

// merge adds those of o.
func (s *findings) merge(o *findings) {
	if s.counts == nil {
		*s = *o
		return
	}
	for labels, n := range o.counts {
		s.counts[labels] += n
	}
	s.alerts = append(s.alerts, o.alerts...)
}

// findingMetrics are the metrics of acknowledged findings.
type findingMetrics struct {
	delay *prometheus.HistogramVec
	acked *prometheus.CounterVec
}

// delays are the bounds of the buckets by which delays are counted, in seconds.
var delays = []float64{0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 120, 300, 600, 900, 1800}

// registerFindings registers the metrics of findings.
func registerFindings(r *prometheus.Registry) (findingMetrics, error) {
	m := findingMetrics{
		delay: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: progress.Namespace,
			Name:      "alert_delay_seconds",
			Help:      "From an event's eventTime to the acknowledgement of its alert, by the outermost envelope.",
			Buckets:   delays,
		}, []string{"shape"}),
		acked: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: progress.Namespace,
			Name:      "findings_acked_total",
			Help:      "Alerts, findings in shadow mode and exempted events acknowledged, by the policy's level; accounts share one.",
		}, []string{"level", "outcome"}),
	}
	return m, errors.Join(r.Register(m.delay), r.Register(m.acked))
}

// count counts findings that were acknowledged for good. A producer's clock may be ahead of ours.
func (m *findingMetrics) count(s *findings, now time.Time) {
	for l, n := range s.counts {
		m.acked.WithLabelValues(l.level, l.outcome).Add(float64(n))
	}
	for _, f := range s.alerts {
		m.delay.WithLabelValues(f.shape).Observe(max(0, now.Sub(f.event).Seconds()))
	}
}
