package processor

import (
	"slices"
	"testing"

	"github.com/regionwatch/regionwatch/processor/output"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/processor/processortest"
)

// A dead letter is shown when it is acknowledged, and only its reason and origin, nothing of the record.
func TestOnDeadLetter(t *testing.T) {
	t.Parallel()
	for _, delivery := range []Delivery{AtLeastOnce, ExactlyOnce} {
		t.Run(delivery.String(), func(t *testing.T) {
			t.Parallel()
			c := newCluster(t, 1)
			shown := make(chan output.DeadLetter, 1)
			o := testOptions(c)
			o.Delivery, o.InstanceID = delivery, "one"
			o.OnDeadLetter = func(d output.DeadLetter) { shown <- d }
			r := start(t, o)
			c.ProduceValues(inputTopic, 1, "pass", "bad")
			want := output.DeadLetter{
				Topic: inputTopic, Offset: 1, Index: -1, Reason: "syntax", Error: "byte 0: bad", Count: 1,
			}
			if diff := cmp.Diff(want, <-shown); diff != "" {
				t.Error(diff)
			}
			r.mustStop()
			if s := r.Status(); s.DeadLetter != 1 {
				t.Errorf("%d dead letters acknowledged", s.DeadLetter)
			}
		})
	}
}

// Every assigned partition has a status, with or without records.
func TestStatusPartitions(t *testing.T) {
	t.Parallel()
	for _, delivery := range []Delivery{AtLeastOnce, ExactlyOnce} {
		t.Run(delivery.String(), func(t *testing.T) {
			t.Parallel()
			c := newCluster(t, 3)
			o := testOptions(c)
			o.Delivery, o.InstanceID = delivery, "one"
			r := start(t, o)
			for range 2 {
				c.Produce(&kgo.Record{Topic: inputTopic, Partition: 1, Value: []byte("pass")})
			}
			want := []PartitionStatus{
				{Topic: inputTopic, Partition: 0}, {Topic: inputTopic, Partition: 1, Next: 2}, {Topic: inputTopic, Partition: 2},
			}
			c.Eventually("every partition has a status", func() bool { return cmp.Equal(want, r.Status().Partitions) })
		})
	}
}

// A partition of which nothing is known yet has a status, in its place.
//
// Guards: the unknown offsets and the order in Status.
func TestStatusUnknown(t *testing.T) {
	s := quietSession(t)
	tp := func(topic string, n int32) kadm.Partition { return kadm.Partition{Topic: topic, Partition: n} }
	s.p.health.Assigned(s.tx.Client(), slices.Values([]kadm.Partition{tp("b", 0), tp("a", 1), tp("a", 0)}))
	want := []PartitionStatus{
		{Topic: "a", Partition: 0, Start: -1, Next: -1}, {Topic: "a", Partition: 1, Start: -1, Next: -1}, {Topic: "b", Partition: 0, Start: -1, Next: -1},
	}
	if diff := cmp.Diff(want, s.p.Status().Partitions); diff != "" {
		t.Error(diff)
	}
}

// A processor that is stuck shows a growing lag and a moving input, in both deliveries.
//
// Guard: topics.Topics.Watch. Fetches alone leave the lag as it was when the last one came.
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
			c.Eventually("first look", func() bool { return processortest.Scrape(t, r.o.Registry)["regionwatch_input_partitions"] == 2 })
			c.Eventually("a record that is held", func() bool { return processortest.Scrape(t, r.o.Registry)["regionwatch_lag_records"] == 1 })

			c.ControlKey(int16(kmsg.Fetch), func(req kmsg.Request) (kmsg.Response, error, bool) { // from here on nothing is fetched
				c.KeepControl()
				return req.ResponseKind(), nil, true
			})
			values := make([]string, 100)
			for i := range values {
				values[i] = "pass"
			}
			c.ProduceValues(inputTopic, 1, values...)
			r.topics.LookSoon()
			c.Eventually("a look", func() bool { return processortest.Scrape(t, r.o.Registry)["regionwatch_lag_records"] == 101 })
			s := processortest.Scrape(t, r.o.Registry)
			if s["regionwatch_lag_records"] != 101 || s["regionwatch_lag_seconds"] <= 0 || s["regionwatch_input_end_offsets_total"] != 101 {
				t.Errorf("lag %v records and %v s, end %v", s["regionwatch_lag_records"], s["regionwatch_lag_seconds"], s["regionwatch_input_end_offsets_total"])
			}
			if s["regionwatch_ready"] != 1 {
				t.Errorf("ready %v: it has its partitions, and the broker answers", s["regionwatch_ready"])
			}
			close(held)
			r.mustStop()
			if s := processortest.Scrape(t, r.o.Registry); s["regionwatch_ready"] != 0 {
				t.Errorf("ready %v after the end", s["regionwatch_ready"])
			}
		})
	}
}
