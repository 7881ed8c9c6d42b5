package progress

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/processor/processortest"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// A producer that creates topics and partitions must not be able to create unlimited series.
func TestSeriesAreBounded(t *testing.T) {
	registry, ends, lags := prometheus.NewRegistry(), new(Ends), NewLags()
	_, err := Register(registry, Sources{
		Tally: new(Tally), Lags: lags, Ends: ends, Health: NewHealth(1, 0, 0), Unacked: func() time.Duration { return 0 },
	})
	if err != nil {
		t.Fatal(err)
	}
	listed := make(kadm.ListedOffsets)
	for i := range 2 * maxInputSeries {
		topic := fmt.Sprintf("topic-%03d", i)
		listed[topic] = map[int32]kadm.ListedOffset{0: {Topic: topic, Offset: 1}}
	}
	ends.Set(listed)
	for i := range int32(2 * maxLagSeries) {
		lags.Assigned(kadm.Partition{Topic: "cloudtrail", Partition: i}, 1, 2)
	}
	series := countSeries(t, registry)
	for name, want := range map[string]int{
		"regionwatch_input_partitions": maxInputSeries + 1, "regionwatch_input_end_offsets_total": maxInputSeries + 1,
		"regionwatch_lag_records": maxLagSeries + 1, "regionwatch_lag_seconds": maxLagSeries + 1,
	} {
		if series[name] != want {
			t.Errorf("%d series of %s, want %d", series[name], name, want)
		}
	}
	s := processortest.Scrape(t, registry)
	if s["regionwatch_lag_records"] != 2*maxLagSeries || s["regionwatch_input_end_offsets_total"] != 2*maxInputSeries ||
		s["regionwatch_input_end_offsets_total{(other)}"] != maxInputSeries {
		t.Errorf("sums %v and %v: what is beyond the bound is lost", s["regionwatch_lag_records"], s["regionwatch_input_end_offsets_total"])
	}
}

func countSeries(t *testing.T, registry *prometheus.Registry) map[string]int {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatalf("scraping: %v", err)
	}
	n := make(map[string]int)
	for _, f := range families {
		n[f.GetName()] = len(f.GetMetric())
	}
	return n
}

// Every reason, kind and shape has a series with its own count, and an instance is ready or not.
func TestEveryNameIsCounted(t *testing.T) {
	registry, tally := registered(t)
	tally.Update(func(t *Totals) {
		for i := range t.Faults {
			t.Faults[i] = uint64(100 + i)
		}
		for i := range t.Shapes {
			t.Shapes[i] = uint64(200 + i)
		}
		for i := range t.Outcomes {
			t.Outcomes[i] = uint64(300 + i)
		}
		for i := range t.Skips {
			t.Skips[i] = uint64(400 + i)
		}
		t.Exempted = map[string]uint64{"break glass \xff": 500}
		t.Alerted = map[detection.AlertedKind]uint64{{Region: "eu-central-1", Severity: "High"}: 600}
	})
	s := processortest.Scrape(t, registry)
	f := func(name, label string, want int) {
		t.Helper()
		if got := s["regionwatch_"+name+"{"+label+"}"]; got != float64(want) {
			t.Errorf("%s of %q: %v, want %d", name, label, got, want)
		}
	}
	for i := 1; i < cloudtrail.ReasonCount; i++ {
		f("faults_total", cloudtrail.Reason(i).String(), 100+i)
	}
	for i := 1; i < cloudtrail.ShapeCount; i++ {
		f("shapes_total", cloudtrail.Shape(i).String(), 200+i)
	}
	for i := 1; i < policy.OutcomeCount; i++ {
		f("events_total", policy.Outcome(i).String(), 300+i)
	}
	for i := range cloudtrail.KindCount {
		f("skipped_total", cloudtrail.Kind(i).String(), 400+i)
	}
	f("group_info", "watchers", 1)
	f("exempted_total", "break glass \ufffd", 500)
	f("alerted_total", "eu-central-1", 600)
	f("alerted_total", "High", 600)
}

// Each gauge and counter shows its own number, and how long batches took is observed.
//
// Guards: the sources in Collect and collectHealth; the bounds at exactly their value.
func TestSources(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		registry, tally, lags, ends, health := prometheus.NewRegistry(), new(Tally), NewLags(), new(Ends), NewHealth(1, time.Hour, 0)
		m, err := Register(registry, Sources{
			Tally: tally, Lags: lags, Ends: ends, Health: health, Unacked: func() time.Duration { return 3 * time.Second }, Group: "watchers", Delivery: "at-least-once",
		})
		if err != nil {
			t.Fatal(err)
		}
		tally.Update(func(t *Totals) { t.Foreign, t.Limited = 4, 5*time.Second })
		tally.Update(func(t *Totals) { t.Foreign++ })
		lag := kadm.Partition{Topic: "cloudtrail"}
		lags.Assigned(lag, 0, 7)
		time.Sleep(10 * time.Second)
		lags.Done(lag, 1, time.Now().Add(-8*time.Second))
		time.Sleep(time.Second)
		listed := make(kadm.ListedOffsets)
		for i := range maxInputSeries {
			topic := fmt.Sprint("topic-", i)
			listed[topic] = map[int32]kadm.ListedOffset{0: {Topic: topic, Offset: 1}, 1: {Topic: topic, Offset: 2}}
		}
		ends.Set(listed)
		m.ObserveBatch(time.Second)
		health.Begin(nil)
		health.Assigned(nil, slices.Values([]kadm.Partition{{}, {}}))
		s := processortest.Scrape(t, registry)
		for name, want := range map[string]float64{
			"ready": 1, "assigned_partitions": 2, "unacked_seconds": 3, "foreign_members": 5, "limited_seconds_total": 5, "lag_records": 6, "lag_seconds": 9,
			"stalled_seconds": 1, "lag_records{0}": 6, "input_partitions": 2 * maxInputSeries, "input_end_offsets_total": 3 * maxInputSeries,
			"input_partitions{(other)}": 0, "batch_duration_seconds{count}": 1, "group_info{watchers}": 1, "group_info{at-least-once}": 1,
		} {
			if got := s[Namespace+"_"+name]; got != want {
				t.Errorf("%s is %v, want %v", name, got, want)
			}
		}
		if got := countSeries(t, registry)[Namespace+"_input_partitions"]; got != maxInputSeries {
			t.Errorf("%d series of input partitions, want %d", got, maxInputSeries)
		}
		listed["topic-one-more"] = map[int32]kadm.ListedOffset{0: {Topic: "topic-one-more", Offset: 1}}
		ends.Set(listed)
		if got := processortest.Scrape(t, registry)[Namespace+"_input_partitions{(other)}"]; got != 1 {
			t.Errorf("%v other partitions, want 1", got)
		}
		for i := range int32(maxLagSeries) {
			lags.Assigned(kadm.Partition{Topic: "cloudtrail", Partition: i}, 1, 2)
		}
		if got := countSeries(t, registry)[Namespace+"_lag_records"]; got != maxLagSeries {
			t.Errorf("%d series of lags, want %d", got, maxLagSeries)
		}
		if _, err := Register(registry, Sources{}); err == nil {
			t.Error("registered twice")
		}
	})
}

// Beyond the bound, partitions are summed up per topic, with the oldest of each age.
func TestOtherLags(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		registry, lags := prometheus.NewRegistry(), NewLags()
		if _, err := Register(registry, Sources{
			Tally: new(Tally), Lags: lags, Ends: new(Ends), Health: NewHealth(1, 0, 0), Unacked: func() time.Duration { return 0 },
		}); err != nil {
			t.Fatal(err)
		}
		for i := range int32(maxLagSeries + 3) {
			lags.Assigned(kadm.Partition{Topic: "cloudtrail", Partition: i}, 0, int64(i))
			time.Sleep(time.Second)
		}
		s := processortest.Scrape(t, registry)
		if got := s[Namespace+"_lag_records{other}"]; got != 3*maxLagSeries+3 {
			t.Errorf("%v records in the other partitions", got)
		}
		if a, b := s[Namespace+"_lag_seconds{other}"], s[Namespace+"_stalled_seconds{other}"]; a != 3 || b != 3 {
			t.Errorf("the oldest waits for %v s and stalls for %v s, want 3", a, b)
		}
	})
}
