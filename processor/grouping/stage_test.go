package grouping

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/processor/incident"
	"github.com/regionwatch/regionwatch/processor/policy"
	incidents "github.com/regionwatch/regionwatch/schema/incident"
)

// A restore that ends early gives back what it has read of the budget.
//
// Guard: Release in Restore.
func TestRestoreEndsEarly(t *testing.T) {
	budget := &incident.Budget{}
	s, _ := measuredStage(t, incident.Options{Budget: budget})
	id := uuid.New()
	_, err := s.Restore(kadm.Partition{Topic: alertTopic}, func(record func(key, value []byte) error) error {
		if err := record(append(append([]byte("c"), id[:]...), 0, 0, 0, 0), id[:]); err != nil {
			return err
		}
		if incidents, ids := budget.Size(); incidents != 1 || ids != 1 {
			t.Errorf("while it is read: %d incidents, %d ids", incidents, ids)
		}
		return context.Canceled
	})
	if incidents, ids := budget.Size(); !errors.Is(err, context.Canceled) || incidents != 0 || ids != 0 {
		t.Errorf("%v; %d incidents, %d ids", err, incidents, ids)
	}
}

// measuredStage returns a stage that writes at once, with its metrics.
func measuredStage(t *testing.T, limits incident.Options) (*Stage, *prometheus.Registry) {
	t.Helper()
	compiled, err := policy.Compile(policy.Options{Default: policy.Level{
		UnusedRegions: []string{"eu-west-3"}, Incidents: &policy.Incidents{Update: time.Second, Quiet: time.Second, Grace: time.Second},
	}})
	if err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	s, err := New(Options{IncidentTopic: incidentTopic, StateTopic: stateTopic, Policy: func() *policy.Policy { return compiled }, Registry: registry, Limits: limits})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(Options{Registry: registry}); err == nil {
		t.Error("registered twice")
	}
	return s, registry
}

// numbers returns every metric, by name and label.
func numbers(t *testing.T, registry *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]float64)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				name += " " + l.GetValue()
			}
			all[name] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return all
}

func noState(func(_, _ []byte) error) error { return nil }

// Each metric shows its own number: what is committed, what is in memory, and what was restored.
//
// Guards: Collect and restores; Commit; Drop.
func TestMetrics(t *testing.T) {
	s, registry := measuredStage(t, incident.Options{})
	check := func(step string, want map[string]float64) {
		t.Helper()
		got := numbers(t, registry)
		for name, n := range want {
			if got["regionwatch_"+name] != n {
				t.Errorf("%s: %s is %v, want %v", step, name, got["regionwatch_"+name], n)
			}
		}
	}
	failed := errors.New("failed")
	if _, err := s.Restore(kadm.Partition{Topic: alertTopic}, func(func(_, _ []byte) error) error {
		check("restoring", map[string]float64{"incident_restoring": 1, "incident_restores_total": 0})
		return failed
	}); !errors.Is(err, failed) {
		t.Errorf("%v", err)
	}
	check("failed", map[string]float64{"incident_restoring": 0, "incident_restores_total": 0, "incident_restore_seconds": 0})
	state, err := s.Restore(kadm.Partition{Topic: alertTopic, Partition: 3}, noState)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for i, value := range []string{alertOf(0), alertOf(0), alertOf(1), alertOf(2), "{"} {
		fault := state.Take(&kgo.Record{Topic: alertTopic, Partition: 3, Timestamp: now, Value: []byte(value)}, now)
		if (fault != nil) != (i == 4) {
			t.Errorf("alert %d: %+v", i, fault)
		}
	}
	topics := make(map[string]uint64)
	for _, r := range state.Flush(time.Time{}) {
		topics[r.Topic]++
		if r.Topic == stateTopic && r.Partition != 3 {
			t.Errorf("state in partition %d", r.Partition)
		}
	}
	if topics[incidentTopic] != 3 || topics[stateTopic] < 3 {
		t.Errorf("%v written", topics)
	}
	check("not committed", map[string]float64{"incident_alerts_total counted": 0, "incidents_open": 3, "incident_ids_remembered": 3})
	state.Commit()
	state.Commit() // nothing since
	check("committed", map[string]float64{
		"incident_alerts_total counted": 3, "incident_alerts_total repeated": 1, "incident_alerts_total below": 0, "incident_alerts_total late": 0,
		"incident_alerts_total unreadable": 1, "incidents_written_total create": 3, "incidents_written_total update": 0, "incidents_written_total close": 0,
		"incident_state_records_total": float64(topics[stateTopic]), "incidents_open": 3, "incident_storms_open": 0, "incidents_remembered": 3,
		"incident_ids_remembered": 3, "incident_estimates": 0, "incident_restores_total": 1, "incident_restoring": 0,
	})
	if numbers(t, registry)["regionwatch_incident_restore_seconds"] <= 0 {
		t.Error("the restore took no time")
	}
	want := []processor.StageCount{{Name: "counted", N: 3}, {Name: "repeated", N: 1}, {Name: "below_threshold"}, {Name: "late"}, {Name: "unreadable", N: 1},
		{Name: "created", N: 3}, {Name: "updated"}, {Name: "closed"}}
	if got := s.Counts(); !slices.Equal(got, want) {
		t.Errorf("counts %v, want %v", got, want)
	}
	for n, want := range map[int]int{0: 0, 2: 2, 3: 3, 9: 3} {
		if got := s.Open(n); len(got) != want || !slices.IsSortedFunc(got, incident.Compare) {
			t.Errorf("%d of at most %d open incidents: %v", len(got), n, got)
		}
	}
	state.Flush(now.AddDate(0, 0, 7))
	state.Commit()
	check("a week later", map[string]float64{"incidents_written_total close": 3, "incidents_open": 0})
	state.Drop()
	check("dropped", map[string]float64{"incidents_remembered": 0, "incident_alerts_total counted": 3})
	if s.Open(9) != nil {
		t.Error("what is dropped is shown")
	}
}

// Each count has a metric and a name in the log of its own, and what several partitions counted is added.
//
// Guards: each line of add, Collect and Counts.
func TestCounts(t *testing.T) {
	s, registry := measuredStage(t, incident.Options{})
	one := totals{
		read: 1, counted: 2, repeated: 3, below: 4, late: 5, unreadable: 6, state: 7,
		written: map[string]uint64{incidents.Create: 8, incidents.Update: 9, incidents.Close: 10},
	}
	s.totals.add(&one)
	s.totals.add(&one)
	if s.totals.read != 2 {
		t.Errorf("%d read, want 2", s.totals.read)
	}
	got := numbers(t, registry)
	for name, want := range map[string]float64{
		"incident_alerts_total counted": 4, "incident_alerts_total repeated": 6, "incident_alerts_total below": 8, "incident_alerts_total late": 10,
		"incident_alerts_total unreadable": 12, "incident_state_records_total": 14, "incidents_written_total create": 16,
		"incidents_written_total update": 18, "incidents_written_total close": 20,
	} {
		if got["regionwatch_"+name] != want {
			t.Errorf("%s is %v, want %v", name, got["regionwatch_"+name], want)
		}
	}
	want := []processor.StageCount{{Name: "counted", N: 4}, {Name: "repeated", N: 6}, {Name: "below_threshold", N: 8}, {Name: "late", N: 10},
		{Name: "unreadable", N: 12}, {Name: "created", N: 16}, {Name: "updated", N: 18}, {Name: "closed", N: 20}}
	if got := s.Counts(); !slices.Equal(got, want) {
		t.Errorf("counts %v, want %v", got, want)
	}
}

// An alert counts as what it changed.
func TestCount(t *testing.T) {
	before := incident.Counts{Read: 9, Counted: 3, Repeated: 3, Below: 3, Late: 3}
	for name, change := range map[string]struct {
		of   func(*incident.Counts) *uint64
		want totals
	}{
		"counted":  {func(c *incident.Counts) *uint64 { return &c.Counted }, totals{counted: 1}},
		"repeated": {func(c *incident.Counts) *uint64 { return &c.Repeated }, totals{repeated: 1}},
		"below":    {func(c *incident.Counts) *uint64 { return &c.Below }, totals{below: 1}},
		"late":     {func(c *incident.Counts) *uint64 { return &c.Late }, totals{late: 1}},
	} {
		after, got := before, totals{}
		*change.of(&after)++
		if got.count(&before, &after); got.counted != change.want.counted || got.repeated != change.want.repeated || got.below != change.want.below || got.late != change.want.late {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// A storm is counted as one, and estimates as such.
func TestStormMetrics(t *testing.T) {
	s, registry := measuredStage(t, incident.Options{MaxPerWindow: 2, ExactIDs: 2})
	state, err := s.Restore(kadm.Partition{Topic: alertTopic}, noState)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for n := range 24 { // six of each of four accounts, of three principals: two incidents of two alerts, a storm of two
		state.Take(&kgo.Record{Timestamp: now, Value: []byte(alertOf(n))}, now)
	}
	check := func(what string, want map[string]float64) {
		t.Helper()
		got := numbers(t, registry)
		for name, n := range want {
			if got["regionwatch_"+name] != n {
				t.Errorf("%s: %s is %v, want %v", what, name, got["regionwatch_"+name], n)
			}
		}
	}
	check("storms", map[string]float64{
		"incidents_open": 12, "incident_storms_open": 4, "incidents_remembered": 12, "incident_ids_remembered": 24, "incident_estimates": 0,
	})
	for n := range 3 {
		state.Take(&kgo.Record{Timestamp: now, Value: []byte(alertOf(24 + 4*n))}, now) // one more in each of an account
	}
	check("estimates", map[string]float64{"incidents_open": 12, "incident_ids_remembered": 18, "incident_estimates": 3})
}

// A timestamp that is missing, or from the future, is now.
func TestStamp(t *testing.T) {
	now := time.UnixMilli(10_000)
	for at, want := range map[int64]int64{-1: 10_000, 0: 10_000, 1: 1, 9_999: 9_999, 10_000: 10_000, 10_001: 10_000} {
		if got := stamp(time.UnixMilli(at), now); got.UnixMilli() != want {
			t.Errorf("%d: %d, want %d", at, got.UnixMilli(), want)
		}
	}
}

// Only OCSF findings show that the topic is a wrong one.
func TestCheck(t *testing.T) {
	s, _ := measuredStage(t, incident.Options{})
	for value, wrong := range map[string]bool{"{": false, alertOf(1): false, `{"class_uid":2004}`: true} {
		if err := s.Check(&kgo.Record{Topic: alertTopic, Value: []byte(value)}); (err != nil) != wrong {
			t.Errorf("%s: %v", value, err)
		}
	}
}

// An incident's record has its account as key, or its partition if it has none, the format that is set, and headers that say
// what it is.
//
// Guards: each header of record.
func TestRecord(t *testing.T) {
	s, _ := measuredStage(t, incident.Options{})
	i := &incidents.Incident{ID: "x", AccountID: "111122223333", Activity: incidents.Create, Severity: "High"}
	native := s.record(i)
	partition := int32(7)
	i.AccountID, i.Partition = "", &partition
	if r := s.record(i); string(r.Key) != "partition 7" {
		t.Errorf("the key without an account is %q", r.Key)
	}
	i.AccountID, i.Partition = "111122223333", nil
	s.o.OCSF = true
	ocsf := s.record(i)
	if native.Topic != incidentTopic || string(native.Key) != i.AccountID || slices.Equal(native.Value, ocsf.Value) || len(ocsf.Value) == 0 {
		t.Errorf("%+v and %+v", native, ocsf)
	}
	want := []kgo.RecordHeader{
		{Key: "incident-id", Value: []byte("x")}, {Key: "activity", Value: []byte(incidents.Create)}, {Key: "severity", Value: []byte("High")},
		{Key: "content-type", Value: []byte("application/json")},
	}
	for _, r := range []*kgo.Record{native, ocsf} {
		if fmt.Sprint(r.Headers) != fmt.Sprint(want) {
			t.Errorf("headers %s, want %s", r.Headers, want)
		}
	}
}
