package rules

import (
	"cmp"
	"flag"
	"log/slog"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
)

const rulesFile = "rules.yaml"

// parseRules returns the rules as Prometheus parses them.
func parseRules(t *testing.T) (rules []rulefmt.Rule) {
	t.Helper()
	groups, errs := rulefmt.ParseFile(rulesFile, false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	for _, err := range errs {
		t.Error(err)
	}
	if groups == nil {
		t.FailNow()
	}
	for _, g := range groups.Groups {
		rules = append(rules, g.Rules...)
	}
	return rules
}

// Every series selector has the job, so that the chart can replace it by its release's.
func TestRulesSelectJob(t *testing.T) {
	for _, r := range parseRules(t) {
		expr, err := parser.NewParser(parser.Options{}).ParseExpr(r.Expr)
		if err != nil {
			t.Fatal(err)
		}
		parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
			if s, ok := node.(*parser.VectorSelector); ok && !strings.Contains(s.String(), `job=~".*regionwatch.*"`) {
				t.Errorf("%s%s: %s selects every job", r.Record, r.Alert, s)
			}
			return nil
		})
	}
}

// Aggregations keep the origin of a series.
func TestRulesKeepCluster(t *testing.T) {
	for _, r := range parseRules(t) {
		expr, err := parser.NewParser(parser.Options{}).ParseExpr(r.Expr)
		if err != nil {
			t.Fatal(err)
		}
		parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
			if a, ok := node.(*parser.AggregateExpr); ok && (a.Without || len(a.Grouping) < 3 || !slices.Equal(a.Grouping[:3], []string{"cluster", "namespace", "job"})) {
				t.Errorf("%s%s: aggregated by %q", r.Record, r.Alert, a.Grouping)
			}
			return nil
		})
	}
}

// Summaries are the same for every instance: details belong in descriptions, as in monitoring mixins.
func TestSummariesAreStatic(t *testing.T) {
	for _, r := range parseRules(t) {
		if strings.Contains(r.Annotations["summary"], "{{") {
			t.Errorf("%s: summary %q", r.Alert, r.Annotations["summary"])
		}
		if r.Alert != "" && !strings.Contains(r.Annotations["description"], "{{ $labels.job }}") {
			t.Errorf("%s: the description does not name the job", r.Alert)
		}
	}
}

// Every alert has a severity, a description of what happened, and a link to its runbook.
func TestAnnotations(t *testing.T) {
	for _, r := range parseRules(t) {
		if r.Alert == "" {
			continue
		}
		if !slices.Contains([]string{"critical", "warning", "info"}, r.Labels["severity"]) {
			t.Errorf("%s: severity %q", r.Alert, r.Labels["severity"])
		}
		for _, name := range []string{"summary", "description"} {
			if len(r.Annotations[name]) < 20 {
				t.Errorf("%s: %s %q", r.Alert, name, r.Annotations[name])
			}
		}
		want := "https://github.com/regionwatch/regionwatch/blob/main/docs/operating.md#" + strings.ToLower(r.Alert)
		if got := r.Annotations["runbook_url"]; got != want {
			t.Errorf("%s: runbook_url %q, want %q", r.Alert, got, want)
		}
	}
}

// Every alert has a case in which it fires and one in which it does not.
func TestEveryAlertIsTested(t *testing.T) {
	fires, silent := map[string]bool{}, map[string]bool{}
	for _, c := range readCases(t).Tests {
		for _, a := range c.Alerts {
			if len(a.Want) > 0 {
				fires[a.Name] = true
			} else {
				silent[a.Name] = true
			}
		}
	}
	for _, r := range parseRules(t) {
		if r.Alert != "" && (!fires[r.Alert] || !silent[r.Alert]) {
			t.Errorf("%s: a case in which it fires %t, one in which it does not %t", r.Alert, fires[r.Alert], silent[r.Alert])
		}
	}
}

var update = flag.Bool("update", false, "rewrite the annotations in rules_test.yaml")

// TestRules runs rules_test.yaml: it feeds each series to an empty Prometheus minute by minute, and compares the alerts
// that fire at a time with the expected ones, including labels and annotations.
func TestRules(t *testing.T) {
	file := readCases(t)
	rewritten := readDocument(t)
	for i := range file.Tests {
		c := &file.Tests[i]
		t.Run(c.Name, func(t *testing.T) {
			s := openSimulation(t, &file, c.Series)
			slices.SortStableFunc(c.Alerts, func(a, b alertCase) int { return cmp.Compare(a.At, b.At) })
			for _, a := range c.Alerts {
				got := s.firing(t, a.Name, a.At)
				if *update {
					rewritten.annotate(t, i, &a, got)
					continue
				}
				if diff := gocmp.Diff(a.want(), got, gocmp.Comparer(labels.Equal)); diff != "" {
					t.Errorf("%s at %v (-want +got):\n%s", a.Name, a.At, diff)
				}
			}
		})
	}
	if *update {
		rewritten.write(t)
	}
}
