package processor

import (
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/deadletter"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/alert"
)

// Nothing that a producer writes into an event, its headers or its timestamp makes deciding panic or keeps it from an alert.
func TestHostileRecords(t *testing.T) {
	t.Parallel()
	compiled, err := policy.Compile(policy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	o := optionsFor("127.0.0.1:1")
	o.Policy = func() *policy.Policy { return compiled }
	o.CopyHeaders = []string{"baggage"}
	deep := func(n int) string { return strings.Repeat(`[`, n) + strings.Repeat(`]`, n) }
	objects := func(n int) string { return strings.Repeat(`{"a":`, n) + "1" + strings.Repeat(`}`, n) }
	digits := strings.Repeat("9", 1<<18)
	f := func(name, field, value string, change ...func(*kgo.Record)) {
		t.Helper()
		r := &kgo.Record{Topic: inputTopic, Timestamp: time.Now(), Value: []byte(`{"eventVersion":"1.08","eventID":"1","eventSource":"athena.amazonaws.com",` +
			`"` + field + `":` + value + `,"awsRegion":"eu-central-1","readOnly":false}`)}
		for _, c := range change {
			c(r)
		}
		for _, format := range []alert.Format{alert.Native, alert.OCSF} {
			for _, limit := range []int{16 << 10, 64 << 20} {
				o.AlertFormat, o.MaxRecordBytes = format, limit
				d, err := NewRedecider(o)
				if err != nil {
					t.Fatal(err)
				}
				made, err := d.Decide(r, time.Now())
				if err != nil || len(made) == 0 || made[0].Topic != alertTopic {
					t.Errorf("%s in format %v, limit %d: %d records, %v", name, format, limit, len(made), err)
				}
				for _, m := range made {
					if m.Topic != deadLetterTopic {
						continue
					}
					if l, err := deadletter.Parse(m); err != nil || l.Reason == deadletter.ReasonPanic {
						t.Errorf("%s in format %v, limit %d: dead letter %+.300v, %v", name, format, limit, l, err)
					}
				}
			}
		}
	}
	for _, field := range []string{"userIdentity", "recipientAccountId", "requestParameters", "eventTime", "userAgent", "errorCode", "eventName"} {
		f("nested lists in "+field, field, deep(20_000))
		f("nested objects in "+field, field, objects(20_000))
		f("digits in "+field, field, digits)
		f("a wide list in "+field, field, `[`+strings.Repeat(`{"a":[]},`, 20_000)+`1]`)
		f("a long text in "+field, field, `"`+digits+`"`)
		f("escapes in "+field, field, `"`+strings.Repeat(`\ud800\u0000`, 20_000)+`"`)
	}
	f("very deep lists", "userIdentity", deep(1_000_000))
	f("very deep objects", "userIdentity", objects(1_000_000))
	f("an identity of an odd type", "userIdentity", `{"type":{},"arn":[],"sessionContext":{"sessionIssuer":7},"userName":null}`)
	for _, at := range []time.Time{time.UnixMilli(-1 << 63), time.UnixMilli(1<<63 - 1), time.UnixMilli(-1), {}} {
		f("a timestamp of "+at.String(), "eventName", `"x"`, func(r *kgo.Record) { r.Timestamp = at })
	}
	f("many headers", "eventName", `"x"`, func(r *kgo.Record) {
		for range 10_000 {
			r.Headers = append(r.Headers, kgo.RecordHeader{Key: "replay-topic"}, kgo.RecordHeader{Key: "baggage", Value: []byte("\xff\x00")})
		}
	})
	f("forged replay headers", "eventName", `"x"`, func(r *kgo.Record) {
		r.Headers = []kgo.RecordHeader{
			{Key: deadletter.ReplayTopic, Value: []byte("t")}, {Key: deadletter.ReplayPartition, Value: []byte("99999999999999999999")},
			{Key: deadletter.ReplayOffset, Value: []byte("-1")}, {Key: deadletter.ReplayCount, Value: []byte("9223372036854775807")},
		}
	})
}
