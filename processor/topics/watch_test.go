package topics

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/regionwatch/regionwatch/processor/processortest"
	"github.com/regionwatch/regionwatch/processor/progress"
	"github.com/regionwatch/regionwatch/processor/retry"
)

func TestMain(m *testing.M) { processortest.Main(m) }

// A topic of which the brokers say nothing is not missing: creating it would not help.
func TestTopicsNotListed(t *testing.T) {
	t.Parallel()
	c := processortest.New(t, kfake.SeedTopics(1, "trail"))
	o := testOptions()
	o.Inputs, o.Create, o.Partitions, o.Replicas = []string{"trail"}, true, 1, 1
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := New(o).Check(ctx, kadm.NewClient(c.Client())); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// With patterns, all matching topics are watched, including later ones.
func TestLookPattern(t *testing.T) {
	t.Parallel()
	c := processortest.New(t, kfake.SeedTopics(3, "trail-a", "other-b"))
	var log bytes.Buffer
	o := testOptions()
	o.Outputs = []string{"other-b"}
	o.Inputs, o.Pattern, o.Log = []string{"^trail-[a-z]$"}, true, slog.New(slog.NewTextHandler(&log, nil))
	admin := kadm.NewClient(c.Client())
	w := New(o).newWatch()
	w.look(t.Context(), admin)
	if _, err := admin.CreateTopic(t.Context(), 2, 1, nil, "trail-b"); err != nil {
		t.Fatal(err)
	}
	c.Eventually("a look at the new topic", func() bool { w.look(t.Context(), admin); return len(o.Ends.All()) == 2 })
	if ends := o.Ends.All(); len(ends) != 2 || ends[0] != (progress.TopicEnd{Topic: "trail-a", Partitions: 3}) || ends[1] != (progress.TopicEnd{Topic: "trail-b", Partitions: 2}) {
		t.Errorf("ends %+v", ends)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w.look(ctx, kadm.NewClient(c.Client())) // which knows nothing yet
	if ends := o.Ends.All(); len(ends) != 2 {
		t.Errorf("a look that failed has left %+v", ends)
	}
	if strings.Contains(log.String(), "no topic matches") {
		t.Error("a look that failed counts as one that has found no topic")
	}
	var restarts []error
	w.ts.OnRestart(func(err error) { restarts = append(restarts, err) })
	if err := errors.Join(c.DeleteTopic("trail-a"), c.CreateTopic("trail-a", 3, nil)); err != nil {
		t.Fatal(err)
	}
	if w.look(t.Context(), kadm.NewClient(c.Client())); len(restarts) != 1 || !errors.Is(restarts[0], retry.ErrRenew) {
		t.Errorf("a topic was created again: restarts %v", restarts)
	}
	o.Inputs, o.Ends = []string{"^none$"}, new(progress.Ends)
	if New(o).newWatch().look(t.Context(), admin); !strings.Contains(log.String(), "no topic matches") {
		t.Error("not told that no topic matches")
	}
	if ends := o.Ends.All(); len(ends) > 0 {
		t.Errorf("ends of topics that do not match: %+v", ends)
	}
}

// A pattern without matches is reported once, and again when that recurs; matches are reported in between.
//
// Guard: reportMatching remembers.
func TestReportMatching(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	o := testOptions()
	o.Inputs, o.Pattern, o.Log = []string{"^trail-[a-z]$"}, true, slog.New(slog.NewTextHandler(&log, nil))
	ts, count := New(o), func(part string) int { return strings.Count(log.String(), part) }
	for i, step := range []struct{ topics, nothing, something int }{
		{2, 0, 0}, {0, 1, 0}, {0, 1, 0}, {1, 1, 1}, {3, 1, 1}, {0, 2, 1},
	} {
		ts.reportMatching(step.topics)
		if a, b := count("no topic matches the input pattern"), count("topics match the input pattern"); a != step.nothing || b != step.something {
			t.Errorf("step %d: told %d times that none matches and %d times that some do, want %d and %d", i, a, b, step.nothing, step.something)
		}
	}
}

// The log says when a topic is gone, when it exists again, and when another one has its name. A stage does not continue
// with another input.
func TestWatchTells(t *testing.T) {
	var log bytes.Buffer
	o := testOptions()
	o.Log = slog.New(slog.NewTextHandler(&log, nil))
	w := New(o).newWatch()
	f := func(want string, what func()) {
		t.Helper()
		log.Reset()
		if what(); !strings.Contains(log.String(), want) || want == "" && log.Len() > 0 {
			t.Errorf("log %q, want %q", log.String(), want)
		}
	}
	first := kadm.TopicDetail{Topic: "trail", ID: kadm.TopicID{1}}
	f("", func() { w.exists(first) })
	f("a topic is gone: waiting", func() { w.gone("trail") })
	f("", func() { w.gone("trail") })
	f("the topic exists again", func() { w.exists(first) })
	f(`created again: continuing with the new one" topic=trail old=AQAAAAAAAAAAAAAAAAAAAA new=-_8AAAAAAAAAAAAAAAAAAA`,
		func() { w.exists(kadm.TopicDetail{Topic: "trail", ID: kadm.TopicID{0xfb, 0xff}}) })
	if n := o.Tally.Snapshot().Recreated; n != 1 {
		t.Errorf("%d recreated, want 1", n)
	}
	w.ts.o.State, w.ts.o.Inputs = "state", []string{"trail"}
	f(`msg="a topic was deleted and created again" topic=trail`, func() { w.exists(first) })
}

// The error about another number of partitions than the input's says what to do.
func TestComparePartitions(t *testing.T) {
	o := testOptions()
	o.State = "state"
	ts := New(o)
	detail := func(topic string, n int) kadm.TopicDetail {
		partitions := make(kadm.PartitionDetails)
		for i := range int32(n) {
			partitions[i] = kadm.PartitionDetail{Partition: i}
		}
		return kadm.TopicDetail{Topic: topic, Partitions: partitions}
	}
	f := func(input, state int, want string) {
		t.Helper()
		got := ""
		if err := ts.comparePartitions(detail("alerts", input), detail("state", state)); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%d and %d partitions: %q, want %q", input, state, got, want)
		}
	}
	f(3, 3, "")
	f(3, 1, `state topic "state": it has 1 partition, and topic "alerts" has 3: they must be equal; wait a minute until every regionwatch run`+
		" has noticed the new partitions; stop every instance and run regionwatch incidents rebuild")
	f(1, 3, `state topic "state": it has 3 partitions, and topic "alerts" has 1: they must be equal; stop every instance and run regionwatch incidents rebuild`)
}
