package processor

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/deadletter"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/processor/processortest"
	"github.com/regionwatch/regionwatch/schema/alert"
)

// Findings in shadow mode and exempted events are written if there is a topic for them, and only counted if not.
//
// Guards: the options in newDetector.
func TestUnpublishedFindings(t *testing.T) {
	const everyone = "everyone"
	for topic, o := range map[string]policy.Options{
		"shadow": {Shadow: true}, "exempted": {Exceptions: []policy.Exception{{Name: everyone, Reason: everyone, Regions: []string{"eu-central-1"}}}},
	} {
		compiled, err := policy.Compile(o)
		if err != nil {
			t.Fatal(err)
		}
		event := []byte(`{"eventVersion":"1.08","eventSource":"athena.amazonaws.com","awsRegion":"eu-central-1","readOnly":false}`)
		for _, shadow := range []string{"", "shadow"} {
			for _, exempted := range []string{"", "exempted"} {
				o := optionsFor("127.0.0.1:1")
				o.Policy, o.ShadowTopic, o.ExemptedTopic = func() *policy.Policy { return compiled }, shadow, exempted
				d, err := NewRedecider(o)
				if err != nil {
					t.Fatal(err)
				}
				made, err := d.Decide(&kgo.Record{Topic: inputTopic, Value: event}, time.Now())
				if want := shadow == topic || exempted == topic; err != nil || len(made) != 0 != want || want && made[0].Topic != topic {
					t.Errorf("with topics %q and %q: %d records, %v, want one in %q: %t", shadow, exempted, len(made), err, topic, want)
				}
			}
		}
	}
}

// A record that is decided again yields what a processor would write, and nothing of the records before it.
//
// Guards: each line of Decide, Alert and DeadLetter.
func TestRedecide(t *testing.T) {
	if _, err := NewRedecider(Options{}); err == nil {
		t.Error("no fault in options without anything")
	}
	o := optionsFor("127.0.0.1:1")
	o.MaxRecordBytes = 100_000
	d, err := NewRedecider(o)
	if err != nil {
		t.Fatal(err)
	}
	f := func(value, reason string, want ...string) []*kgo.Record {
		t.Helper()
		d.decider = &scripted{}
		made, err := d.Decide(&kgo.Record{Topic: inputTopic, Value: []byte(value)}, time.Now())
		if err != nil {
			t.Errorf("%.20s: %v", value, err)
		}
		var got []string
		for _, r := range made {
			got = append(got, r.Topic)
			if r.Topic != deadLetterTopic {
				continue
			}
			if l, err := deadletter.Parse(r); err != nil || l.Reason != reason {
				t.Errorf("%.20s: dead letter %+v, %v; want %s", value, l, err, reason)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%.20s: records of topics %q, want %q", value, got, want)
		}
		return made
	}
	f("many 2", "", alertTopic, alertTopic)
	f("bad", "syntax", deadLetterTopic)
	f("panic", deadletter.ReasonPanic, deadLetterTopic)
	if _, ok := d.decider.(detector); !ok {
		t.Errorf("after a panic the decider is the same %T, of unknown state", d.decider)
	}
	f("pass", "")
	large := "bad " + processortest.Noise(150_000)
	f(large, "syntax", deadLetterTopic, deadLetterTopic)
	if !d.Smaller(deadLetterTopic) {
		t.Error("records of 100 kB cannot be smaller")
	}
	if got := join(t, f(large, "syntax", slices.Repeat([]string{deadLetterTopic}, 7)...)); got != large {
		t.Errorf("joined, the parts are %d bytes, want %d; or not the same", len(got), len(large))
	}
	failure := errors.New("no record is decided")
	d.decider = &failing{err: failure}
	if made, err := d.Decide(&kgo.Record{Topic: inputTopic}, time.Now()); len(made) != 0 || !errors.Is(err, failure) {
		t.Errorf("%d records, %v, want %v", len(made), err, failure)
	}
	torn := []byte(`"` + randomText(60_000))
	if err := d.Alert(&alert.Alert{UserAgent: torn, SourceIPAddress: torn}); err == nil {
		t.Error("no error for an alert that is too large and cannot be made smaller")
	}
}
