package processor

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/processor/deadletter"
	"github.com/regionwatch/regionwatch/processor/processortest"
)

// A dead letter holds the record as it arrived, where it came from, and the reason.
func TestDeadLetterRecord(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 2)
	start(t, testOptions(c))
	at := time.Date(2026, 3, 4, 5, 6, 7, 8e6, time.UTC)
	c.Produce(&kgo.Record{
		Topic: inputTopic, Partition: 1, Key: []byte("key"), Value: []byte("bad"), Timestamp: at,
		Headers: []kgo.RecordHeader{{Key: "theirs", Value: []byte{0xff}}, {Key: "theirs", Value: nil}},
	})
	r := c.Read(deadLetterTopic, 1)[0]
	if string(r.Key) != "key" || string(r.Value) != "bad" {
		t.Errorf("key %q and value %q are not as they came", r.Key, r.Value)
	}
	for key, want := range map[string]string{
		deadletter.HeaderTopic: inputTopic, deadletter.HeaderPartition: "1", deadletter.HeaderOffset: "0", deadletter.HeaderTimestamp: "2026-03-04T05:06:07.008Z",
		deadletter.HeaderReason: "syntax", deadletter.HeaderError: "byte 0: bad", deadletter.HeaderAlerted: "0", deadletter.HeaderCount: "1", "theirs": "\xff",
	} {
		if got, ok := processortest.Header(r, key); !ok || got != want {
			t.Errorf("header %s is %q, want %q", key, got, want)
		}
	}
	for _, absent := range []string{deadletter.HeaderIndex, deadletter.HeaderAlertID, deadletter.HeaderHolds, deadletter.HeaderPart, deadletter.HeaderParts} {
		if got, ok := processortest.Header(r, absent); ok {
			t.Errorf("header %s is %q, want none", absent, got)
		}
	}
}

// A dead letter that is too large for its topic is split into parts that join to the original, whether the limit is known
// or only shows when the broker rejects it.
//
// Guards: Draft.Records for the former, resize for the latter.
func TestDeadLetterTooLarge(t *testing.T) {
	t.Parallel()
	for _, delivery := range []Delivery{AtLeastOnce, ExactlyOnce} {
		for name, told := range map[string]bool{"limit is known": true, "limit is refused": false} {
			t.Run(delivery.String()+", "+name, func(t *testing.T) {
				t.Parallel()
				c := newCluster(t, 1)
				topicLimit(t, c, deadLetterTopic, "30000")
				if !told {
					c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.DescribeConfigs}, Err: kerr.TopicAuthorizationFailed, Count: -1})
				}
				o := testOptions(c)
				o.Delivery, o.InstanceID = delivery, "one"
				r := start(t, o)
				value := "bad " + processortest.Noise(100_000)
				c.Produce(&kgo.Record{Topic: inputTopic, Key: []byte("key"), Value: []byte(value)})
				c.Eventually("committed", func() bool { return c.Committed(testGroup, inputTopic, 0) == 1 })
				r.mustStop()
				if got := join(t, c.ReadAll(deadLetterTopic)); got != value {
					t.Errorf("joined, the parts are %d bytes, want %d; or not the same", len(got), len(value))
				}
			})
		}
	}
}

// join joins the parts of one dead letter, which may have been split before into fewer that were refused.
func join(t *testing.T, records []*kgo.Record) string {
	t.Helper()
	var parts deadletter.Assembler
	for _, r := range records {
		l, err := deadletter.Parse(r)
		if err != nil {
			t.Fatal(err)
		}
		if l = parts.Add(l); l != nil {
			return string(l.Value)
		}
	}
	t.Fatalf("no set of parts is complete: %d records", len(records))
	return ""
}
