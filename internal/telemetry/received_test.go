package telemetry

import (
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// wantCounter fails unless a counter of this value arrived.
func (r *receiver) wantCounter(t *testing.T, name string, want float64) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, request := range r.metrics {
		for _, scope := range request.ResourceMetrics[0].ScopeMetrics {
			for _, m := range scope.Metrics {
				if m.Name == name && m.GetSum().DataPoints[0].GetAsDouble() == want {
					return
				}
			}
		}
	}
	t.Errorf("no %s of %v in %v", name, want, r.metrics)
}

// wantResource fails unless what arrived names its origin so.
func (r *receiver) wantResource(t *testing.T, want ...string) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.metrics) == 0 {
		t.Fatal("no metrics arrived")
	}
	var got []string
	for _, a := range r.metrics[0].ResourceMetrics[0].Resource.Attributes {
		got = append(got, a.Key+"="+a.Value.GetStringValue())
	}
	for _, w := range want {
		if !slices.Contains(got, w) {
			t.Errorf("resource %q, want %s", got, w)
		}
	}
}

// spans returns the names of the spans in a trace, sorted.
func (r *receiver) spans(trace string) (names []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, request := range r.traces {
		for _, scope := range request.ResourceSpans[0].ScopeSpans {
			for _, span := range scope.Spans {
				if hex.EncodeToString(span.TraceId) == trace {
					names = append(names, span.Name)
				}
			}
		}
	}
	slices.Sort(names)
	return names
}

// mentions reports whether a text stands anywhere in the traces.
func (r *receiver) mentions(text string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, request := range r.traces {
		if strings.Contains(request.String(), text) {
			return true
		}
	}
	return false
}

// header returns the value of a record's header.
func header(r *kgo.Record, name string) string {
	for _, h := range r.Headers {
		if h.Key == name {
			return string(h.Value)
		}
	}
	return ""
}
