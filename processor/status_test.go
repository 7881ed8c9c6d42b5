package processor

import (
	"testing"

	"github.com/regionwatch/regionwatch/processor/output"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
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
