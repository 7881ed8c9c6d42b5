package integration

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// commits returns what the group has committed in the input, with metadata.
func (s *scene) commits(t *testing.T) kadm.Offsets {
	t.Helper()
	fetched, err := s.admin.FetchOffsets(t.Context(), s.group)
	if err == nil {
		err = fetched.Error()
	}
	if err != nil {
		t.Fatal(err)
	}
	kept := kadm.Offsets{}
	for _, o := range fetched[s.input] {
		kept.Add(o.Offset)
	}
	return kept
}

// forgotten waits until the broker has deleted the commits in the input, as it does with a topic.
func (s *scene) forgotten(t *testing.T) {
	t.Helper()
	eventually(t, time.Minute, func() error {
		if len(s.commits(t)) > 0 {
			return errors.New("the commits are still there")
		}
		return nil
	})
}

// TestKafkaOneTopicRecreated has one of two input topics deleted and created again, named and matched by a pattern, while an
// instance runs and while none does, with the commits of the old topic still there, as brokers before 4.2 keep them, and
// without.
func TestKafkaOneTopicRecreated(t *testing.T) {
	broker := sharedBroker(t)
	for _, how := range []string{"names", "pattern"} {
		t.Run(how, func(t *testing.T) {
			bothModes(t, func(t *testing.T, delivery string) {
				t.Parallel()
				s := newScene(t, broker, 2)
				other := *s
				other.input = s.input + "-b"
				s.makeTopic(t, other.input, nil)
				arguments := s.run("--delivery", delivery, "--start", "latest", "--instance-id", "one", "--sessions", "1")
				at := slices.Index(arguments, "--input-topic")
				if arguments[at+1] += "," + other.input; how == "pattern" {
					arguments[at], arguments[at+1] = "--input-topic-pattern", regexp.QuoteMeta(s.input)+"(-b)?"
				}
				counted := func(p *process, line string) {
					t.Helper()
					eventually(t, time.Minute, func() error { // a refused commit may say so before the next look at the topics
						if sum(p.metrics(t), "regionwatch_topics_recreated_total") == 0 || !strings.Contains(p.log.String(), line) {
							return fmt.Errorf("not counted, or the log lacks %q", line)
						}
						return nil
					})
				}
				p := start(t, arguments...)
				p.ready(t)
				s.produce(t, events(0, 10, 2)...)
				other.produce(t, events(10, 10, 2)...)
				s.haveAlerts(t, 20)
				s.recreate(t, other.input, 3)
				s.produce(t, events(20, 5, 2)...)
				other.produce(t, events(25, 10, 3)...)
				s.haveAlerts(t, 35)
				counted(p, "a topic was deleted and created again: continuing with the new one")
				other.settle(t, time.Minute, p.ended)
				p.stop(t)

				old := other.commits(t)
				s.recreate(t, other.input, 3)
				other.produce(t, events(35, 12, 3)...)
				if err := s.admin.CommitAllOffsets(t.Context(), s.group, old); err != nil {
					t.Fatal(err)
				}
				p = start(t, arguments...)
				s.haveAlerts(t, 47)
				counted(p, "the committed offsets belong to an older topic: reading from the first record")
				s.settle(t, time.Minute, p.ended)
				p.stop(t)

				s.recreate(t, other.input, 3)
				other.produce(t, events(47, 12, 3)...)
				other.forgotten(t)
				p = start(t, arguments...)
				s.haveAlerts(t, 59)
				p.stop(t)
			})
		})
	}
}

// TestKafkaRecreatedAfterKill has the only input topic deleted and created again after an instance was killed: its membership
// tells the next one that the topic is not new to the group.
func TestKafkaRecreatedAfterKill(t *testing.T) {
	broker := sharedBroker(t)
	bothModes(t, func(t *testing.T, delivery string) {
		t.Parallel()
		s := newScene(t, broker, 2)
		arguments := s.run("--delivery", delivery, "--start", "latest", "--instance-id", "one", "--sessions", "1", "--session-timeout", "1m")
		p := start(t, arguments...)
		p.ready(t)
		s.produce(t, events(0, 10, 2)...)
		s.haveAlerts(t, 10)
		p.kill()
		s.recreate(t, s.input, 2)
		s.produce(t, events(10, 10, 2)...)
		s.forgotten(t)
		p = start(t, arguments...)
		s.haveAlerts(t, 20)
		p.stop(t)
	})
}

// haveRecords waits for n records in a topic.
func (s *scene) haveRecords(t *testing.T, topic string, n int) {
	t.Helper()
	eventually(t, 30*time.Second, func() error {
		if have := len(s.readAll(t, topic)); have != n {
			return fmt.Errorf("%d records in %s, want %d", have, topic, n)
		}
		return nil
	})
}

// calm fails the test if the process has written more, logged more or aborted more than one that backs off.
func (p *process) calm(t *testing.T) {
	t.Helper()
	m := p.metrics(t)
	if written := sum(m, "kafka_write_bytes_total"); written > 4<<20 { // a request takes a hundred bytes or more
		t.Errorf("%v bytes written to the brokers", written)
	}
	if aborted := sum(m, "regionwatch_transactions_aborted_total"); aborted > 30 {
		t.Errorf("%v transactions aborted", aborted)
	}
	if lines := strings.Count(p.log.String(), "\n"); lines > 100 {
		t.Errorf("%d lines logged", lines)
	}
}

// TestKafkaLettersRecreated has the dead-letter topic and the topic of the policy deleted, left away for a while under load,
// and created again: dead letters and policies arrive within seconds, and nothing spins.
func TestKafkaLettersRecreated(t *testing.T) {
	broker := sharedBroker(t)
	bothModes(t, func(t *testing.T, delivery string) {
		t.Parallel()
		s := newScene(t, broker, 1)
		policies := s.group + "-policy"
		s.makeTopic(t, policies, nil)
		publish := func(region string) {
			t.Helper()
			s.publish(t, policies, "version: "+region+"\ndefault: { unused_regions: ["+region+"] }\n")
		}
		bad := func(n int) {
			t.Helper()
			for range n {
				s.produce(t, &kgo.Record{Value: []byte("damaged")})
			}
		}
		publish("eu-west-3")
		p := start(t, s.run("--delivery", delivery, "--policy-topic", policies, "--instance-id", "one", "--sessions", "1")...)
		p.ready(t)
		bad(2)
		s.settle(t, time.Minute, p.ended)

		s.recreate(t, s.deadLetters, 1)
		bad(3)
		s.haveRecords(t, s.deadLetters, 3)
		s.settle(t, time.Minute, p.ended)
		p.calm(t)

		s.recreate(t, policies, 1)
		publish("eu-central-1")
		eventually(t, 30*time.Second, func() error { return moreThan(int(sum(p.metrics(t), "regionwatch_policy_reloads_total")), 0) })
		s.produce(t, events(0, 1, 1)...)
		s.haveAlerts(t, 1)

		for _, topic := range []string{s.deadLetters, policies} {
			if _, err := s.admin.DeleteTopic(t.Context(), topic); err != nil {
				t.Fatal(err)
			}
			s.client.PurgeTopicsFromClient(topic)
		}
		bad(3)
		eventually(t, 30*time.Second, func() error {
			if _, err := p.get("/readyz"); err == nil {
				return errors.New("ready without a topic that it needs")
			}
			return nil
		})
		time.Sleep(3 * time.Second) // in which a program that spins would do so
		p.calm(t)
		s.makeTopic(t, s.deadLetters, nil)
		s.makeTopic(t, policies, nil)
		s.haveRecords(t, s.deadLetters, 3)
		publish("eu-west-3")
		eventually(t, 30*time.Second, func() error { return moreThan(int(sum(p.metrics(t), "regionwatch_policy_reloads_total")), 1) })
		s.settle(t, time.Minute, p.ended)
		p.calm(t)
		p.stop(t)
	})
}
