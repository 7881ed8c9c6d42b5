package rules

import (
	"cmp"
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

// parseRules returns the rules as Prometheus reads them.
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

// Every alert says how bad it is, what has happened, and where its runbook stands.
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

// Every alert has a case in which it fires, and one in which it does not.
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

// TestRules runs rules_test.yaml: each series is fed to an empty Prometheus minute by minute, and the alerts that fire
// at a time are those that are expected, with their labels and annotations.
func TestRules(t *testing.T) {
	file := readCases(t)
	for _, c := range file.Tests {
		t.Run(c.Name, func(t *testing.T) {
			s := openSimulation(t, &file, c.Series)
			slices.SortStableFunc(c.Alerts, func(a, b alertCase) int { return cmp.Compare(a.At, b.At) })
			for _, a := range c.Alerts {
				got := s.firing(t, a.Name, a.At)
				if diff := gocmp.Diff(a.want(), got, gocmp.Comparer(labels.Equal)); diff != "" {
					t.Errorf("%s at %v (-want +got):\n%s", a.Name, a.At, diff)
				}
			}
		})
	}
}
