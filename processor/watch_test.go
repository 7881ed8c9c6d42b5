package processor

import (
	"context"
	"testing"

	"github.com/regionwatch/regionwatch/processor/progress"

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
	c.Eventually("a look at the new topic", func() bool { w.look(t.Context(), admin); return len(p.ends.All()) == 2 })
	if ends := p.ends.All(); len(ends) != 2 || ends[0] != (progress.TopicEnd{Topic: "trail-a", Partitions: 3}) || ends[1] != (progress.TopicEnd{Topic: "trail-b", Partitions: 2}) {
		t.Errorf("ends %+v", ends)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w.look(ctx, kadm.NewClient(c.Client())) // which knows nothing yet
	if ends := p.ends.All(); len(ends) != 2 {
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
