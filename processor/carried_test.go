package processor

import (
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/deadletter"
)

// Alerts take the chosen headers of their record, and no other; a dead letter has all of them.
//
// Guards: CopyHeaders in New, NewRedecider and Output.carry.
func TestCopyHeaders(t *testing.T) {
	t.Parallel()
	headers := []kgo.RecordHeader{
		{Key: "alert-id", Value: []byte("forged")}, {Key: "baggage", Value: []byte("user=1")}, {Key: "secret", Value: []byte("x")},
		{Key: "traceparent", Value: []byte("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")}, {Key: "baggage", Value: []byte("user=2")},
	}
	f := func(r *kgo.Record) {
		t.Helper()
		var names []string
		for _, h := range r.Headers {
			names = append(names, h.Key)
		}
		want := []string{"alert-id", "rule-id", "severity", "content-type", "policy-version", "policy-hash", "traceparent", "baggage"}
		if !slices.Equal(names, want) || string(r.Headers[0].Value) == "forged" || string(r.Headers[7].Value) != "user=1" {
			t.Errorf("headers %q: %s", names, r.Headers)
		}
	}
	o := optionsFor("127.0.0.1:1")
	o.CopyHeaders = []string{"traceparent", "baggage"}
	for _, delivery := range []Delivery{AtLeastOnce, ExactlyOnce} {
		c := newCluster(t, 1)
		o := testOptions(c)
		o.Delivery, o.InstanceID, o.CopyHeaders = delivery, "one", []string{"traceparent", "baggage"}
		r := start(t, o)
		for _, value := range []string{"many 3", "bad"} {
			c.Produce(&kgo.Record{Topic: inputTopic, Value: []byte(value), Headers: headers})
		}
		for _, made := range c.Read(alertTopic, 3) {
			f(made)
		}
		letter, err := deadletter.Parse(c.Read(deadLetterTopic, 1)[0])
		if err != nil || len(letter.Headers) != len(headers) || letter.Headers[3].Key != "traceparent" {
			t.Errorf("a dead letter with headers %v, %v", letter, err)
		}
		r.mustStop()
	}
	d, err := NewRedecider(o)
	if err != nil {
		t.Fatal(err)
	}
	d.decider = &scripted{}
	made, err := d.Decide(&kgo.Record{Topic: inputTopic, Value: []byte("alert 1"), Headers: headers}, time.Now())
	if err != nil || len(made) != 1 {
		t.Fatal(made, err)
	}
	f(made[0])
}
