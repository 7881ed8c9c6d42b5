package integration

import (
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// TestKafkaMissingTopics wants one clear line that names what is missing, and no topics made unasked.
func TestKafkaMissingTopics(t *testing.T) {
	broker := sharedBroker(t)
	bothModes(t, func(t *testing.T, delivery string) {
		s := newEmptyScene(t, broker, 3)
		p := start(t, s.run("--delivery", delivery)...)
		if status := p.wait(t, 30*time.Second); status != 1 && status != 2 {
			t.Errorf("exit status %d, want 1 or 2", status)
		}
		line := p.log.lastLine()
		for _, topic := range []string{s.input, s.alerts, s.deadLetters} {
			if !strings.Contains(line, topic) {
				t.Errorf("the last line does not name %s: %s", topic, line)
			}
		}
		if !strings.Contains(line, "create-topics") {
			t.Errorf("the last line does not say how to get over it: %s", line)
		}
		topics, err := s.admin.ListTopics(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if topics.Has(s.input) || topics.Has(s.alerts) || topics.Has(s.deadLetters) {
			t.Error("topics were created without being asked for")
		}
	})
}

// TestKafkaCreateTopics wants the topics made as the settings say, and then used.
func TestKafkaCreateTopics(t *testing.T) {
	broker := sharedBroker(t)
	bothModes(t, func(t *testing.T, delivery string) {
		s := newEmptyScene(t, broker, 3)
		p := start(t, s.run("--delivery", delivery, "--create-topics", "--partitions", "3")...)
		p.ready(t)
		topics, err := s.admin.ListTopics(t.Context(), s.input, s.alerts, s.deadLetters)
		if err != nil {
			t.Fatal(err)
		}
		for _, topic := range []string{s.input, s.alerts, s.deadLetters} {
			if n := len(topics[topic].Partitions); n != 3 {
				t.Errorf("topic %s has %d partitions, want 3", topic, n)
			}
		}
		s.produce(t, &kgo.Record{Value: []byte(event(eventID(1), "eu-central-1", false)), Partition: 2})
		s.settle(t, time.Minute, p.ended)
		p.stop(t)
		if got := s.readAll(t, s.alerts); len(got) != 1 {
			t.Errorf("%d alerts, want 1", len(got))
		}
	})
}

// TestKafkaStart wants a group without offsets to begin where the setting says.
func TestKafkaStart(t *testing.T) {
	broker := sharedBroker(t)
	bothModes(t, func(t *testing.T, delivery string) {
		began := time.Now().Truncate(time.Second).Add(-time.Hour)
		for place, want := range map[string]int{
			"earliest": 4, "latest": 1, began.UTC().Format(time.RFC3339): 3,
		} {
			s := newScene(t, broker, 1)
			for n, at := range []time.Time{began.Add(-time.Millisecond), began, began.Add(time.Minute)} {
				s.produce(t, &kgo.Record{Value: []byte(event(eventID(n), "eu-central-1", false)), Timestamp: at})
			}
			p := start(t, s.run("--delivery", delivery, "--start", place)...)
			p.ready(t)
			s.produce(t, &kgo.Record{Value: []byte(event(eventID(4), "eu-central-1", false))})
			s.settle(t, time.Minute, p.ended)
			p.stop(t)
			if got := len(s.readAll(t, s.alerts)); got != want {
				t.Errorf("--start %s: %d alerts, want %d", place, got, want)
			}
		}
	})
}
