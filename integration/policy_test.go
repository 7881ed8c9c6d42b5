package integration

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// publish writes a policy to its topic.
func (s *scene) publish(t *testing.T, topic, policy string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	record := &kgo.Record{Topic: topic, Key: []byte("policy"), Value: []byte(policy)}
	if err := s.client.ProduceSync(ctx, record).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// TestKafkaPolicyTopic changes the policy of a running instance through a compacted topic: each alert carries the
// version of the policy that decided it, a broken policy changes nothing, and who starts later decides by the newest.
func TestKafkaPolicyTopic(t *testing.T) {
	broker := sharedBroker(t)
	bothModes(t, func(t *testing.T, delivery string) {
		s := newScene(t, broker, 1)
		topic := s.group + "-policy"
		compact := "compact"
		s.makeTopic(t, topic, map[string]*string{"cleanup.policy": &compact})
		publish := func(policy string) { t.Helper(); s.publish(t, topic, policy) }
		version := func(n int, region string) string {
			return fmt.Sprintf("version: v%d\ndefault: { unused_regions: [%s] }\n", n, region)
		}
		reloads := func(p *process, name string, least float64) {
			t.Helper()
			eventually(t, time.Minute, func() error {
				if got := sum(p.metrics(t), name); got < least {
					return fmt.Errorf("%s is %v, want %v", name, got, least)
				}
				return nil
			})
		}
		hit := func(n int) *kgo.Record { return &kgo.Record{Value: []byte(event(eventID(n), "eu-central-1", false))} }
		arguments := s.run("--delivery", delivery, "--policy-topic", topic)

		publish(version(1, "eu-west-3"))
		p := start(t, arguments...)
		p.ready(t)
		s.produce(t, hit(1))
		s.settle(t, time.Minute, p.ended)

		publish(version(2, "eu-central-1"))
		reloads(p, "regionwatch_policy_reloads_total", 1)
		s.produce(t, hit(2))
		s.settle(t, time.Minute, p.ended)

		publish("default: { unused_regions: [eu-centrl-1] }\n")
		reloads(p, "regionwatch_policy_reload_failures_total", 1)
		s.produce(t, hit(3))
		s.settle(t, time.Minute, p.ended)
		p.stop(t)

		p = start(t, arguments...) // the broken policy is the newest record, but not the newest policy
		p.ready(t)
		s.produce(t, hit(4))
		s.settle(t, time.Minute, p.ended)
		p.stop(t)

		var got []string
		for _, r := range s.readAll(t, s.alerts) {
			got = append(got, header(r, "policy-version")+" "+header(r, "alert-id"))
		}
		var want []string
		for n := 2; n <= 4; n++ {
			want = append(want, "v2 "+alertID("123456789012", eventID(n)))
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("alerts\n%q, want\n%q", got, want)
		}
	})
}

// TestKafkaPolicyTopicUnreachable starts instances while the broker hangs: each waits for the policy for as long as it takes,
// ends well if it is stopped meanwhile, and begins once the broker answers.
func TestKafkaPolicyTopicUnreachable(t *testing.T) {
	broker := sharedBroker(t)
	s := newScene(t, broker, 1)
	topic := s.group + "-policy"
	s.makeTopic(t, topic, nil)
	s.publish(t, topic, "default: { unused_regions: [eu-central-1] }\n")
	s.produce(t, events(0, 1, 1)...)
	shared.cluster.Pause(t, 1)
	resume := sync.OnceFunc(func() { shared.cluster.Resume(t, 1) })
	defer resume()
	var waiting []*process
	for _, delivery := range []string{atLeastOnce, exactlyOnce} {
		for range 2 {
			id := fmt.Sprint(delivery, len(waiting))
			waiting = append(waiting, start(t, s.run("--delivery", delivery, "--policy-topic", topic, "--group", s.group+id, "--instance-id", id)...))
		}
	}
	for _, p := range waiting { // it says so after ten seconds, at which it once ended
		eventually(t, time.Minute, func() error {
			if err := p.ended(); err != nil {
				return fmt.Errorf("%w: %w", errStop, err)
			}
			if !strings.Contains(p.log.String(), "the policy's topic cannot be read, trying again until it can") {
				return errors.New("it does not say what it waits for")
			}
			return nil
		})
	}
	waiting[0].stop(t)
	waiting[2].stop(t)
	resume()
	for _, p := range []*process{waiting[1], waiting[3]} {
		p.ready(t)
		p.stop(t)
	}
	s.haveAlerts(t, 1)
}
