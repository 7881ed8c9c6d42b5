package processor

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/processor/detection"
)

// A processor that is stuck shows a growing lag and a moving input, in both deliveries.
//
// Guard: look. Fetches alone leave the lag as it was when the last one came.
func TestStandingStill(t *testing.T) {
	t.Parallel()
	for _, delivery := range []Delivery{AtLeastOnce, ExactlyOnce} {
		t.Run(delivery.String(), func(t *testing.T) {
			t.Parallel()
			c := newCluster(t, 2)
			held := make(chan struct{})
			o := testOptions(c)
			o.Delivery, o.InstanceID, o.Sessions = delivery, "one", 1
			c.ProduceValues(inputTopic, 1, "pass")
			r := start(t, o, holding(func(*detection.Record) { <-held }))
			c.Eventually("first look", func() bool { return scrape(t, r.o.Registry)["regionwatch_input_partitions"] == 2 })
			c.Eventually("a record that is held", func() bool { return scrape(t, r.o.Registry)["regionwatch_lag_records"] == 1 })

			c.ControlKey(int16(kmsg.Fetch), func(req kmsg.Request) (kmsg.Response, error, bool) { // from here on nothing is fetched
				c.KeepControl()
				return req.ResponseKind(), nil, true
			})
			values := make([]string, 100)
			for i := range values {
				values[i] = "pass"
			}
			c.ProduceValues(inputTopic, 1, values...)
			admin := kadm.NewClient(c.Client())
			(&watch{p: r.Processor, ids: map[string]kadm.TopicID{}, missing: map[string]bool{}}).look(t.Context(), admin)
			s := scrape(t, r.o.Registry)
			if s["regionwatch_lag_records"] != 101 || s["regionwatch_lag_seconds"] <= 0 || s["regionwatch_input_end_offsets_total"] != 101 {
				t.Errorf("lag %v records and %v s, end %v", s["regionwatch_lag_records"], s["regionwatch_lag_seconds"], s["regionwatch_input_end_offsets_total"])
			}
			if s["regionwatch_ready"] != 1 {
				t.Errorf("ready %v: it has its partitions, and the broker answers", s["regionwatch_ready"])
			}
			close(held)
			r.mustStop()
			if s := scrape(t, r.o.Registry); s["regionwatch_ready"] != 0 {
				t.Errorf("ready %v after the end", s["regionwatch_ready"])
			}
		})
	}
}

// With patterns, all matching topics are watched, including later ones.
func TestLookPattern(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1, kfake.SeedTopics(3, "trail-a", "other-b"))
	var log lines
	o := testOptions(c)
	o.InputTopics, o.InputPattern, o.Logger = []string{"^trail-[a-z]$"}, true, log.logger()
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	admin := kadm.NewClient(c.Client())
	w := &watch{p: p, ids: map[string]kadm.TopicID{}, missing: map[string]bool{}}
	w.look(t.Context(), admin)
	if _, err := admin.CreateTopic(t.Context(), 2, 1, nil, "trail-b"); err != nil {
		t.Fatal(err)
	}
	c.Eventually("a look at the new topic", func() bool { w.look(t.Context(), admin); return len(p.ends.all()) == 2 })
	if ends := p.ends.all(); len(ends) != 2 || ends[0] != (topicEnd{"trail-a", 3, 0}) || ends[1] != (topicEnd{"trail-b", 2, 0}) {
		t.Errorf("ends %+v", ends)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w.look(ctx, kadm.NewClient(c.Client())) // which knows nothing yet
	if ends := p.ends.all(); len(ends) != 2 {
		t.Errorf("a look that failed has left %+v", ends)
	}
	if log.count("no topic matches") > 0 {
		t.Error("a look that failed counts as one that has found no topic")
	}
}

// A pattern without matches is reported once, and again when that recurs; matches are reported in between.
//
// Guard: reportMatching remembers.
func TestReportMatching(t *testing.T) {
	t.Parallel()
	var log lines
	o := optionsFor("localhost:1")
	o.InputTopics, o.InputPattern, o.Logger = []string{"^trail-[a-z]$"}, true, log.logger()
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	for i, step := range []struct{ topics, nothing, something int }{
		{2, 0, 0}, {0, 1, 0}, {0, 1, 0}, {1, 1, 1}, {3, 1, 1}, {0, 2, 1},
	} {
		p.reportMatching(step.topics)
		if a, b := log.count("no topic matches the input pattern"), log.count("topics match the input pattern"); a != step.nothing || b != step.something {
			t.Errorf("step %d: told %d times that none matches and %d times that some do, want %d and %d", i, a, b, step.nothing, step.something)
		}
	}
}

// A partition that cannot be listed must not make the sum fall: that would look like a counter reset, and the following
// rise like new records.
func TestInputEndsKeepWhatIsKnown(t *testing.T) {
	var e inputEnds
	listed := func(offsets ...int64) kadm.ListedOffsets {
		all := kadm.ListedOffsets{"a": {}}
		for i, offset := range offsets {
			o := kadm.ListedOffset{Topic: "a", Partition: int32(i), Offset: offset}
			if offset < 0 {
				o.Err = errors.New("no leader")
			}
			all["a"][int32(i)] = o
		}
		return all
	}
	f := func(want string, offsets ...int64) {
		t.Helper()
		e.set(listed(offsets...))
		if got := fmt.Sprint(e.all()); got != want {
			t.Errorf("%v: %s, want %s", offsets, got, want)
		}
	}
	f("[]", -1, 5)
	f("[{a 2 15}]", 10, 5)
	f("[{a 2 15}]", -1, 8)
	f("[{a 2 18}]", 10, 8)
}

// A producer that creates topics and partitions must not be able to create unlimited series.
func TestSeriesAreBounded(t *testing.T) {
	o := optionsFor("localhost:1")
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	listed := make(kadm.ListedOffsets)
	for i := range 2 * maxInputSeries {
		topic := fmt.Sprintf("topic-%03d", i)
		listed[topic] = map[int32]kadm.ListedOffset{0: {Topic: topic, Offset: 1}}
	}
	p.ends.set(listed)
	for i := range int32(2 * maxLagSeries) {
		p.lag.partitions[topicPartition{inputTopic, i}] = &position{end: 2, next: 1, since: now().Add(-time.Hour)}
	}
	series := countSeries(t, o.Registry)
	for name, want := range map[string]int{
		"regionwatch_input_partitions": maxInputSeries + 1, "regionwatch_input_end_offsets_total": maxInputSeries + 1,
		"regionwatch_lag_records": maxLagSeries + 1, "regionwatch_lag_seconds": maxLagSeries + 1,
	} {
		if series[name] != want {
			t.Errorf("%d series of %s, want %d", series[name], name, want)
		}
	}
	s := scrape(t, o.Registry)
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
