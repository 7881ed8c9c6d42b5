package integration

import (
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// recreate deletes a topic and creates it again. A broker that knows the new one may still have the log of the old one: what is
// written then is acknowledged, and lost.
func (s *scene) recreate(t *testing.T, topic string, partitions int32) {
	t.Helper()
	if _, err := s.admin.DeleteTopic(t.Context(), topic); err != nil {
		t.Fatal(err)
	}
	s.client.PurgeTopicsFromClient(topic)
	before := s.partitions
	s.partitions = partitions
	s.makeTopic(t, topic, nil)
	s.partitions = before
	eventually(t, time.Minute, func() error {
		ends, err := s.admin.ListEndOffsets(t.Context(), topic)
		if err == nil {
			err = ends.Error()
		}
		ends.Each(func(end kadm.ListedOffset) {
			if err == nil && end.Offset > 0 {
				err = fmt.Errorf("partition %d still ends at %d", end.Partition, end.Offset)
			}
		})
		return err
	})
}

// events returns n events that alert, numbered from first, spread over partitions.
func events(first, n int, partitions int32) []*kgo.Record {
	records := make([]*kgo.Record, n)
	for i := range records {
		records[i] = &kgo.Record{Partition: int32(i) % partitions, Value: []byte(event(eventID(first+i), "eu-central-1", false))}
	}
	return records
}

// haveAlerts waits for n alerts with different ids.
func (s *scene) haveAlerts(t *testing.T, n int) {
	t.Helper()
	eventually(t, time.Minute, func() error {
		ids := map[string]bool{}
		for _, r := range s.readAll(t, s.alerts) {
			for _, h := range r.Headers {
				if h.Key == "alert-id" {
					ids[string(h.Value)] = true
				}
			}
		}
		if len(ids) != n {
			return fmt.Errorf("%d different alerts, want %d", len(ids), n)
		}
		return nil
	})
}

// TestKafkaInputRecreated has the input topic deleted and created again, with more and with fewer partitions, under two
// running instances: each record of the new topic alerts, whatever the start position.
func TestKafkaInputRecreated(t *testing.T) {
	broker := sharedBroker(t)
	bothModes(t, func(t *testing.T, delivery string) {
		s := newScene(t, broker, 4)
		arguments := s.run("--delivery", delivery, "--start", "latest", "--sessions", "1")
		first := start(t, append(arguments, "--instance-id", "one")...)
		second := start(t, append(arguments, "--instance-id", "two")...)
		first.ready(t)
		second.ready(t)
		s.produce(t, events(0, 20, 4)...)
		s.haveAlerts(t, 20)
		n := 20
		for _, partitions := range []int32{6, 2} {
			s.recreate(t, s.input, partitions)
			s.produce(t, events(n, 20, partitions)...)
			n += 20
			s.haveAlerts(t, n)
		}
		if sum(first.metrics(t), "regionwatch_topics_recreated_total")+sum(second.metrics(t), "regionwatch_topics_recreated_total") == 0 {
			t.Error("it was not counted")
		}
		first.stop(t)
		second.stop(t)

		s.recreate(t, s.input, 3) // while none runs; brokers before 4.2 keep the commits
		s.produce(t, events(n, 20, 3)...)
		third := start(t, s.run("--delivery", delivery)...)
		s.haveAlerts(t, n+20)
		third.stop(t)
	})
}

// TestKafkaOutputRecreated has the alert topic deleted and created again: alerts go on within seconds, and a topic that
// stays away costs no more than a request now and then.
func TestKafkaOutputRecreated(t *testing.T) {
	broker := sharedBroker(t)
	bothModes(t, func(t *testing.T, delivery string) {
		s := newScene(t, broker, 2)
		p := start(t, s.run("--delivery", delivery, "--sessions", "1")...)
		p.ready(t)
		s.produce(t, events(0, 5, 2)...)
		s.haveAlerts(t, 5)
		s.recreate(t, s.alerts, 2)
		s.produce(t, events(5, 5, 2)...)
		s.haveAlerts(t, 5)

		if _, err := s.admin.DeleteTopic(t.Context(), s.alerts); err != nil {
			t.Fatal(err)
		}
		s.produce(t, events(10, 5, 2)...)
		before := sum(p.metrics(t), "process_cpu_seconds_total")
		time.Sleep(5 * time.Second)
		if used := sum(p.metrics(t), "process_cpu_seconds_total") - before; used > 2 {
			t.Errorf("%v s of CPU time in 5 s while the topic is away", used)
		}
		s.client.PurgeTopicsFromClient(s.alerts)
		s.makeTopic(t, s.alerts, nil)
		s.haveAlerts(t, 5)
		p.stop(t)
	})
}

// TestKafkaPartitionsAdded has instances start together at the latest record, and partitions added: those are read from
// their first record.
func TestKafkaPartitionsAdded(t *testing.T) {
	broker := sharedBroker(t)
	bothModes(t, func(t *testing.T, delivery string) {
		s := newScene(t, broker, 4)
		s.produce(t, events(0, 40, 4)...)
		var instances []*process
		for i := range 3 {
			instances = append(instances, start(t, s.run("--delivery", delivery, "--start", "latest", "--sessions", "1", "--instance-id", fmt.Sprint("i-", i))...))
		}
		for _, p := range instances {
			p.ready(t)
		}
		if _, err := s.admin.CreatePartitions(t.Context(), 2, s.input); err != nil {
			t.Fatal(err)
		}
		eventually(t, time.Minute, func() error {
			s.client.ForceMetadataRefresh()
			return s.client.ProduceSync(t.Context(), &kgo.Record{Topic: s.input, Partition: 4, Value: []byte(event(eventID(100), "eu-central-1", false))},
				&kgo.Record{Topic: s.input, Partition: 5, Value: []byte(event(eventID(101), "eu-central-1", false))}).FirstErr()
		})
		s.haveAlerts(t, 2)
		for _, p := range instances {
			p.stop(t)
		}
	})
}
