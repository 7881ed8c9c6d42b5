package progress

import (
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"

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
	f("group_info", "watchers", 1)
}
