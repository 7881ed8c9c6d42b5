package processor

import (
	"strconv"
	"testing"

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
			shown := make(chan DeadLetter, 1)
			o := testOptions(c)
			o.Delivery, o.InstanceID = delivery, "one"
			o.OnDeadLetter = func(d DeadLetter) { shown <- d }
			r := start(t, o)
			c.ProduceValues(inputTopic, 1, "pass", "bad")
			want := DeadLetter{
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

// The output of a batch may be many times its size: what is kept for display is bounded, and is the latest.
func TestSeenIsBounded(t *testing.T) {
	t.Parallel()
	var s seen
	for i := range 5000 {
		s.addAlert(append(make([]byte, 1000), strconv.Itoa(i)...))
		s.addDeadLetter(DeadLetter{Offset: int64(i)})
	}
	bytes := 0
	for _, encoded := range s.alerts {
		bytes += len(encoded)
	}
	if last := s.alerts[len(s.alerts)-1]; bytes > maxSeenBytes || bytes < maxSeenBytes/2 || string(last[1000:]) != "4999" {
		t.Errorf("%d bytes of alerts are kept, the last is %s", bytes, last)
	}
	if len(s.letters) != maxSeenLetters || s.letters[maxSeenLetters-1].Offset != 4999 {
		t.Errorf("%d dead letters are kept, the last of offset %d", len(s.letters), s.letters[maxSeenLetters-1].Offset)
	}
	s = seen{}
	s.addAlert(make([]byte, 2*maxSeenBytes))
	if len(s.alerts) != 1 {
		t.Error("an alert that is too large is not shown")
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
