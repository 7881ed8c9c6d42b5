package integration

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"
)

// bothModes runs a test once for each delivery mode.
func bothModes(t *testing.T, test func(t *testing.T, delivery string)) {
	t.Helper()
	for _, delivery := range []string{atLeastOnce, exactlyOnce} {
		t.Run(delivery, func(t *testing.T) { test(t, delivery) })
	}
}

// process starts the program in the scene, has it process everything in the input topic and stops it.
func (s *scene) process(t *testing.T, arguments ...string) {
	t.Helper()
	p := start(t, s.run(arguments...)...)
	s.settle(t, time.Minute, p.ended)
	p.stop(t)
}

func zip(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// alertID is the id that the alert for an event has for ever: computed here a second time, from its definition.
func alertID(account, event string) string {
	netstring := func(s string) string { return strconv.Itoa(len(s)) + ":" + s + "," }
	name := netstring("event") + netstring("AWS.UnusedRegion") + netstring(account) + netstring(event)
	namespace := uuid.NewSHA1(uuid.NameSpaceURL, []byte("https://github.com/regionwatch/regionwatch/alert"))
	return uuid.NewSHA1(namespace, []byte(name)).String()
}

// TestKafkaAlerts puts one topic full of the shapes that CloudTrail comes in and wants exactly one alert
// for each event that the rule is about, with its headers to the byte.
func TestKafkaAlerts(t *testing.T) {
	broker := sharedBroker(t)
	bothModes(t, func(t *testing.T, delivery string) {
		s := newScene(t, broker, 4)
		hit := func(n int) string { return event(eventID(n), "eu-central-1", false) }
		miss := func(n int) string { return event(eventID(n), "us-west-2", false) }
		s.produce(t,
			&kgo.Record{Partition: 0, Value: []byte(hit(1))},
			&kgo.Record{Partition: 0, Value: []byte(miss(2))},
			&kgo.Record{Partition: 1, Value: []byte(`{"Records":[` + miss(3) + `,` + hit(4) + `,` + hit(5) + `]}`)},
			&kgo.Record{Partition: 1, Value: []byte(`[` + hit(6) + `,` + event(eventID(7), "ap-east-1", true) + `]`)},
			&kgo.Record{Partition: 2, Value: []byte(hit(8) + "\n" + miss(9) + "\n" + hit(10) + "\n")},
			&kgo.Record{Partition: 2, Value: zip(t, `{"Records":[`+hit(11)+`,`+miss(12)+`]}`)},
			&kgo.Record{Partition: 2}, // a tombstone
		)
		s.process(t, "--delivery", delivery, "--policy-version", "test-1")

		var got []int
		for _, r := range s.readAll(t, s.alerts) {
			n := checkAlert(t, r)
			got = append(got, n)
		}
		slices.Sort(got)
		if diff := cmp.Diff([]int{1, 4, 5, 6, 8, 10, 11}, got); diff != "" {
			t.Errorf("events alerted (-want +got):\n%s", diff)
		}
		if letters := s.readAll(t, s.deadLetters); len(letters) != 0 {
			t.Errorf("%d dead letters, want none; the first: %q", len(letters), letters[0].Value)
		}
	})
}

// checkAlert compares one alert with the event it is for, and returns that event's number.
func checkAlert(t *testing.T, r *kgo.Record) int {
	t.Helper()
	var a struct {
		ID, RuleID, Severity, EventID, UserName, AWSRegion, RecipientAccountID string
		UserIdentity, Event                                                    json.RawMessage
		Origin                                                                 struct{ Topic string }
	}
	if err := json.Unmarshal(r.Value, &a); err != nil {
		t.Fatalf("alert %q: %v", r.Value, err)
	}
	id := alertID("123456789012", a.EventID)
	want := []kgo.RecordHeader{
		{Key: "alert-id", Value: []byte(id)},
		{Key: "rule-id", Value: []byte("AWS.UnusedRegion")},
		{Key: "severity", Value: []byte("High")},
		{Key: "content-type", Value: []byte("application/json")},
		{Key: "policy-version", Value: []byte("test-1")},
		{Key: "policy-hash", Value: []byte("sha256:3dd7f48a2200")}, // the default list
	}
	if diff := cmp.Diff(want, r.Headers); diff != "" {
		t.Errorf("headers of the alert for %s (-want +got):\n%s", a.EventID, diff)
	}
	if string(r.Key) != "123456789012" {
		t.Errorf("key %q, want the recipient account", r.Key)
	}
	if a.ID != id || a.RuleID != "AWS.UnusedRegion" || a.Severity != "High" || a.UserName != "example-role" || a.AWSRegion != "eu-central-1" {
		t.Errorf("alert %s", r.Value)
	}
	if n := eventNumber(a.EventID); string(a.Event) != event(eventID(n), "eu-central-1", false) {
		t.Errorf("the event's copy is not as it came:\n%s", a.Event)
	}
	return eventNumber(a.EventID)
}
