package integration

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestKafkaDeadLetters expects each unreadable record back as it came, with the reason.
func TestKafkaDeadLetters(t *testing.T) {
	broker := sharedBroker(t)
	bothModes(t, func(t *testing.T, delivery string) {
		s := newScene(t, broker, 1)
		own := []kgo.RecordHeader{{Key: "trace", Value: []byte{0, 0xff, 'x'}}, {Key: "trace", Value: nil}, {Key: "", Value: []byte("empty key")}}
		at := time.UnixMilli(1_760_000_000_123).UTC()
		bad := &kgo.Record{Key: []byte{0xfe, 0}, Value: []byte(`{"eventVersion":"1.08","awsRegion":"eu-cent`), Headers: own, Timestamp: at}
		s.produce(t,
			&kgo.Record{Value: []byte(event(eventID(1), "eu-central-1", false))},
			bad,
			&kgo.Record{Value: []byte(event(eventID(2), "eu-central-1", false))},
		)
		s.process(t, "--delivery", delivery)

		letters := s.readAll(t, s.deadLetters)
		if len(letters) != 1 {
			t.Fatalf("%d dead letters, want 1", len(letters))
		}
		got := letters[0]
		if !bytes.Equal(got.Key, bad.Key) || !bytes.Equal(got.Value, bad.Value) {
			t.Errorf("key %q, value %q; want them as they came", got.Key, got.Value)
		}
		var about, theirs []kgo.RecordHeader
		for _, h := range got.Headers {
			if strings.HasPrefix(h.Key, "dead-letter-") {
				about = append(about, h)
			} else {
				theirs = append(theirs, h)
			}
		}
		if diff := cmp.Diff(own, theirs, cmp.Transformer("text", func(b []byte) string { return string(b) })); diff != "" {
			t.Errorf("the record's own headers (-want +got):\n%s", diff)
		}
		for key, want := range map[string]string{
			"dead-letter-topic": s.input, "dead-letter-partition": "0", "dead-letter-offset": "1",
			"dead-letter-timestamp": "2025-10-09T08:53:20.123Z", "dead-letter-reason": "truncated",
			"dead-letter-alerted": "0", "dead-letter-count": "1",
		} {
			if value := header(got, key); value != want {
				t.Errorf("header %s: %q, want %q", key, value, want)
			}
		}
		if header(got, "dead-letter-error") == "" {
			t.Errorf("no error text among %v", about)
		}
		if alerts := s.readAll(t, s.alerts); len(alerts) != 2 {
			t.Errorf("%d alerts of the neighbours, want 2", len(alerts))
		}
	})
}

// TestKafkaPartial expects an alert and a dead letter for an event whose damage comes after the decision.
func TestKafkaPartial(t *testing.T) {
	broker := sharedBroker(t)
	bothModes(t, func(t *testing.T, delivery string) {
		s := newScene(t, broker, 1)
		whole := event(eventID(1), "eu-central-1", false)
		cut := whole[:strings.Index(whole, `,"eventType"`)]
		s.produce(t, &kgo.Record{Value: []byte(cut)})
		s.process(t, "--delivery", delivery)

		alerts, letters := s.readAll(t, s.alerts), s.readAll(t, s.deadLetters)
		if len(alerts) != 1 || len(letters) != 1 {
			t.Fatalf("%d alerts and %d dead letters, want one of each", len(alerts), len(letters))
		}
		if !bytes.Contains(alerts[0].Value, []byte(`"partial":true`)) {
			t.Errorf("the alert is not marked partial: %s", alerts[0].Value)
		}
		if got, want := header(letters[0], "dead-letter-alert-id"), header(alerts[0], "alert-id"); got != want {
			t.Errorf("the dead letter names the alert %q, want %q", got, want)
		}
		if string(letters[0].Value) != cut {
			t.Errorf("the dead letter holds %q", letters[0].Value)
		}
	})
}

// TestKafkaTooLargeAlert expects an alert that its topic rejects to lose its copy of the event, never itself.
func TestKafkaTooLargeAlert(t *testing.T) {
	broker := sharedBroker(t)
	bothModes(t, func(t *testing.T, delivery string) {
		s := newEmptyScene(t, broker, 1)
		small := "65536"
		s.makeTopic(t, s.input, nil)
		s.makeTopic(t, s.deadLetters, nil)
		s.makeTopic(t, s.alerts, map[string]*string{"max.message.bytes": &small})
		long := event(eventID(2), "eu-central-1", false)
		long = strings.Replace(long, `"queryString":"***"`, `"queryString":"`+incompressible(400_000)+`"`, 1)
		s.produce(t,
			&kgo.Record{Value: []byte(event(eventID(1), "eu-central-1", false))},
			&kgo.Record{Value: []byte(long)},
			&kgo.Record{Value: []byte(event(eventID(3), "eu-central-1", false))},
		)
		s.process(t, "--delivery", delivery)

		got := s.readAll(t, s.alerts)
		if len(got) != 3 {
			t.Fatalf("%d alerts, want 3", len(got))
		}
		for n, r := range got {
			want := alertID("123456789012", eventID(n+1))
			if header(r, "alert-id") != want {
				t.Errorf("alert %d has the id %s, want %s", n, header(r, "alert-id"), want)
			}
			if omitted := bytes.Contains(r.Value, []byte(`"eventOmitted":"size"`)); omitted != (n == 1) {
				t.Errorf("alert %d: event left out: %v", n, omitted)
			}
		}
		if letters := s.readAll(t, s.deadLetters); len(letters) != 0 {
			t.Errorf("%d dead letters, want none", len(letters))
		}
	})
}
