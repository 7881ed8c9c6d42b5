package rules

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/rules"
	"go.yaml.in/yaml/v3"
)

// testFile is the part of promtool's unit test format that we use:
// https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/
type testFile struct {
	RuleFiles []string       `yaml:"rule_files"`
	Interval  model.Duration `yaml:"evaluation_interval"`
	Order     []string       `yaml:"group_eval_order"`
	Tests     []testCase     `yaml:"tests"`
}

type testCase struct {
	Name   string        `yaml:"name"`
	Series []inputSeries `yaml:"input_series"`
	Alerts []alertCase   `yaml:"alert_rule_test"`
}

type inputSeries struct {
	Series string `yaml:"series"`
	Values string `yaml:"values"`
}

type alertCase struct {
	At   model.Duration `yaml:"eval_time"`
	Name string         `yaml:"alertname"`
	Want []struct {
		Labels      map[string]string `yaml:"exp_labels"`
		Annotations map[string]string `yaml:"exp_annotations"`
	} `yaml:"exp_alerts"`
}

// firing is an alert that fires.
type firing struct {
	Labels, Annotations labels.Labels
}

// want returns the expected alerts. The name is one of their labels.
func (a *alertCase) want() (want []firing) {
	for _, w := range a.Want {
		b := labels.NewBuilder(labels.FromMap(w.Labels))
		b.Set(labels.AlertName, a.Name)
		want = append(want, firing{b.Labels(), labels.FromMap(w.Annotations)})
	}
	return want
}

func readCases(t *testing.T) (file testFile) {
	t.Helper()
	text, err := os.ReadFile("rules_test.yaml")
	if err != nil {
		t.Fatal(err)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil {
		t.Fatal(err)
	}
	return file
}

// simulation is a Prometheus with only the rules and the series of one case, and a clock that the test advances.
type simulation struct {
	loader   *promqltest.LazyLoader
	groups   []*rules.Group // in evaluation order
	interval time.Duration
	next     time.Time // the next evaluation
}

func openSimulation(t *testing.T, file *testFile, series []inputSeries) *simulation {
	t.Helper()
	interval := time.Duration(file.Interval)
	load := "load " + file.Interval.String() + "\n"
	for _, s := range series {
		load += fmt.Sprintf("  %s %s\n", s.Series, s.Values)
	}
	p := parser.NewParser(parser.Options{})
	loader, err := promqltest.NewLazyLoader(load, promqltest.LazyLoaderOpts{EnableAtModifier: true, EnableNegativeOffset: true, Parser: p})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := loader.Close(); err != nil {
			t.Error(err)
		}
	})
	manager := rules.NewManager(&rules.ManagerOptions{
		QueryFunc: rules.EngineQueryFunc(loader.QueryEngine(), loader.Storage()), AppendableV2: loader.Storage(), Context: t.Context(),
		NotifyFunc: func(context.Context, string, ...*rules.Alert) {}, Logger: slog.New(slog.DiscardHandler), Parser: p,
	})
	byKey, errs := manager.LoadGroups(interval, labels.EmptyLabels(), "", nil, false, file.RuleFiles...)
	for _, err := range errs {
		t.Fatal(err)
	}
	s := &simulation{loader: loader, interval: interval, next: time.Unix(0, 0).UTC()}
	for _, group := range byKey {
		s.groups = append(s.groups, group)
	}
	slices.SortFunc(s.groups, func(a, b *rules.Group) int {
		return slices.Index(file.Order, a.Name()) - slices.Index(file.Order, b.Name())
	})
	return s
}

// firing returns the alerts of that name that fire at a time. Times must not decrease between calls.
func (s *simulation) firing(t *testing.T, name string, at model.Duration) (got []firing) {
	t.Helper()
	for end := time.Unix(0, 0).Add(time.Duration(at)); !s.next.After(end); s.next = s.next.Add(s.interval) {
		s.evaluate(t)
	}
	for _, g := range s.groups {
		for _, r := range g.AlertingRules() {
			for _, a := range r.ActiveAlerts() {
				if r.Name() == name && a.State == rules.StateFiring {
					got = append(got, firing{a.Labels, a.Annotations})
				}
			}
		}
	}
	slices.SortFunc(got, func(a, b firing) int { return strings.Compare(a.Labels.String(), b.Labels.String()) })
	return got
}

// evaluate evaluates every rule once. A rule that cannot be evaluated is an error.
func (s *simulation) evaluate(t *testing.T) {
	t.Helper()
	s.loader.WithSamplesTill(s.next, func(err error) {
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range s.groups {
			g.Eval(s.loader.Context(), s.next)
			for _, r := range g.Rules() {
				if err := r.LastError(); err != nil {
					t.Fatalf("%s at %v: %v", r.Name(), s.next.Sub(time.Unix(0, 0)), err)
				}
			}
		}
	})
}
