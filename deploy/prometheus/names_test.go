package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// What does not come from the program: series of Prometheus and kube-state-metrics, and target labels.
var (
	seriesOfPrometheus = []string{"up", "kube_pod_container_resource_limits"}
	labelsOfPrometheus = []string{"cluster", "namespace", "job", "instance"}
)

// vocabulary is everything that a query may refer to.
type vocabulary struct {
	metrics  map[string]*metric
	recorded map[string]bool // defined by recording rules
}

func readVocabulary(t *testing.T) *vocabulary {
	v := &vocabulary{exposed(t), map[string]bool{}}
	for _, r := range parseRules(t) {
		if r.Record != "" {
			v.recorded[r.Record] = true
		}
	}
	return v
}

// faults returns what a query refers to that does not exist: a metric, a label, a label value, or the rate of a metric
// that is not a counter.
func (v *vocabulary) faults(query string) (faults []string) {
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(query)
	if err != nil {
		return []string{err.Error()}
	}
	parser.Inspect(expr, func(node parser.Node, path []parser.Node) error {
		switch n := node.(type) {
		case *parser.VectorSelector:
			faults = append(faults, v.selectorFaults(n)...)
			if f := riseOf(path); f != "" && v.metrics[n.Name] != nil && !v.rises(n.Name) {
				faults = append(faults, fmt.Sprintf("%s of %s, which is a %s", f, n.Name, v.metrics[n.Name].kind))
			}
		case *parser.AggregateExpr:
			faults = append(faults, v.labelFaults(expr, n.Grouping)...)
		case *parser.BinaryExpr:
			if n.VectorMatching != nil {
				faults = append(faults, v.labelFaults(expr, n.VectorMatching.MatchingLabels)...)
			}
		}
		return nil
	})
	return faults
}

// riseOf returns the enclosing function of a selector that requires a counter, or "".
func riseOf(path []parser.Node) string {
	for _, node := range path {
		if call, ok := node.(*parser.Call); ok && slices.Contains([]string{"rate", "irate", "increase"}, call.Func.Name) {
			return call.Func.Name
		}
	}
	return ""
}

// rises reports whether a metric is a counter, or part of a histogram.
func (v *vocabulary) rises(name string) bool {
	return v.metrics[name].kind == "counter" || v.metrics[name].kind == "" && strings.ContainsAny(name, "_")
}

func (v *vocabulary) selectorFaults(s *parser.VectorSelector) (faults []string) {
	if v.recorded[s.Name] || slices.Contains(seriesOfPrometheus, s.Name) {
		return nil
	}
	m := v.metrics[s.Name]
	if m == nil {
		return []string{fmt.Sprintf("no metric %q", s.Name)}
	}
	for _, matcher := range s.LabelMatchers {
		if matcher.Name == model.MetricNameLabel || slices.Contains(labelsOfPrometheus, matcher.Name) || strings.Contains(matcher.Value, "$") {
			continue
		}
		values := m.labels[matcher.Name]
		if values == nil {
			faults = append(faults, fmt.Sprintf("%s has no label %q", s.Name, matcher.Name))
		} else if !slices.ContainsFunc(slices.Collect(maps.Keys(values)), matcher.Matches) {
			faults = append(faults, fmt.Sprintf("%s has no label that matches %s", s.Name, matcher))
		}
	}
	return faults
}

// labelFaults returns the names that are not labels of any series in the expression.
func (v *vocabulary) labelFaults(expr parser.Expr, names []string) (faults []string) {
	known := map[string]bool{}
	for _, name := range labelsOfPrometheus {
		known[name] = true
	}
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		if s, ok := node.(*parser.VectorSelector); ok && v.metrics[s.Name] != nil {
			for name := range v.metrics[s.Name].labels {
				known[name] = true
			}
		}
		return nil
	})
	for _, name := range names {
		if !known[name] {
			faults = append(faults, fmt.Sprintf("no label %q in %s", name, expr))
		}
	}
	return faults
}

// Rules only refer to what the program exposes.
func TestRuleNames(t *testing.T) {
	v := readVocabulary(t)
	for _, r := range parseRules(t) {
		for _, fault := range v.faults(r.Expr) {
			t.Errorf("%s%s: %s", r.Record, r.Alert, fault)
		}
	}
}

// The series in the tests of the rules also exist in the program.
func TestRuleTestNames(t *testing.T) {
	v := readVocabulary(t)
	for _, c := range readCases(t).Tests {
		for _, s := range c.Series {
			series, err := parser.NewParser(parser.Options{}).ParseMetric(s.Series)
			if err != nil {
				t.Fatal(err)
			}
			name := series.Get(model.MetricNameLabel)
			m := v.metrics[name]
			if m == nil && !slices.Contains(seriesOfPrometheus, name) {
				t.Errorf("%s: no metric %q", c.Name, name)
			}
			series.Range(func(l labels.Label) {
				if m != nil && l.Name != model.MetricNameLabel && m.labels[l.Name] == nil && !slices.Contains(labelsOfPrometheus, l.Name) {
					t.Errorf("%s: %s has no label %q", c.Name, name, l.Name)
				}
			})
		}
	}
}

// The check itself finds each kind of fault.
func TestVocabularyFaults(t *testing.T) {
	v := readVocabulary(t)
	f := func(query, want string) {
		t.Helper()
		if got := strings.Join(v.faults(query), "; "); !strings.HasPrefix(got, want) || want == "" && got != "" {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	f(`sum by (job, outcome) (rate(regionwatch_events_total{outcome="alerted"}[5m]))`, "")
	f(`histogram_quantile(0.9, sum by (le) (rate(regionwatch_batch_duration_seconds_bucket[5m])))`, "")
	f(`regionwatch_event_total`, `no metric "regionwatch_event_total"`)
	f(`regionwatch_events_total{outcom="alerted"}`, `regionwatch_events_total has no label "outcom"`)
	f(`regionwatch_events_total{outcome="alert"}`, `regionwatch_events_total has no label that matches`)
	f(`regionwatch_events_total{outcome=~"alert.*"}`, ``)
	f(`rate(regionwatch_lag_records[5m])`, `rate of regionwatch_lag_records, which is a gauge`)
	f(`sum by (partitions) (regionwatch_lag_records)`, `no label "partitions"`)
	f(`regionwatch_lag_records and on (regions) regionwatch_ready`, `no label "regions"`)
	f(`regionwatch_ready +`, `1:`)
}
