package integration

import (
	"errors"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// TestKafkaStop expects a process that is stopped under load to finish what it has begun, to commit it
// and to leave: another one goes on without a record twice or lost, and without waiting for a session to end.
func TestKafkaStop(t *testing.T) {
	broker := sharedBroker(t)
	bothModes(t, func(t *testing.T, delivery string) {
		s, l := newScene(t, broker, 4), newLedger()
		r := follow(t, broker, l.see, s.alerts, s.deadLetters)
		o := startLoad(t, s, l, 500, nil)
		for n, how := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGTERM} {
			p := start(t, s.run("--delivery", delivery, "--instance-id", fmt.Sprintf("%s-%d", s.group, n))...)
			seen := l.alertsSeen()
			eventually(t, time.Minute, func() error { return errors.Join(p.ended(), moreThan(l.alertsSeen(), seen+100)) })
			p.signal(t, how)
			if status := p.wait(t, 30*time.Second); status != 0 {
				t.Errorf("exit status after %v: %d, want 0; log:\n%s", how, status, p.log.String())
			}
			group, err := s.admin.DescribeGroups(t.Context(), s.group)
			if err != nil {
				t.Fatal(err)
			}
			if members := group[s.group].Members; len(members) != 0 {
				t.Errorf("the group still has %d members after %v", len(members), how)
			}
		}
		o.stop(t)
		s.process(t, "--delivery", delivery)
		r.catchUp(t, time.Minute)
		a := l.account()
		a.check(t, delivery)
		if a.duplicates != 0 {
			t.Errorf("%d duplicates, want none: every process had time to commit", a.duplicates)
		}
	})
}

// TestKafkaSecondSignal expects a process that cannot finish, because the broker hangs, to end at once when
// it is signaled again.
func TestKafkaSecondSignal(t *testing.T) {
	broker := sharedBroker(t)
	bothModes(t, func(t *testing.T, delivery string) {
		s := newScene(t, broker, 1)
		p := start(t, s.run("--delivery", delivery, "--drain-timeout", "50s")...)
		p.ready(t)
		l := newLedger()
		startLoad(t, s, l, 500, nil)
		eventually(t, time.Minute, func() error { return moreThan(int(sum(p.metrics(t), recordsMetric)), 100) })
		shared.cluster.Pause(t, 1)
		defer shared.cluster.Resume(t, 1)
		p.signal(t, syscall.SIGTERM)
		time.Sleep(time.Second) // the two signals must count as separate
		if err := p.ended(); err != nil {
			t.Errorf("it did not wait for what is in flight: %v", err)
			return
		}
		p.signal(t, syscall.SIGTERM)
		if status := p.wait(t, 5*time.Second); status == 0 {
			t.Error("exit status 0 after a second signal: it has not finished")
		}
	})
}

// TestKafkaDrainTimeout expects a process that cannot finish in time to end with a status that says so.
func TestKafkaDrainTimeout(t *testing.T) {
	broker := sharedBroker(t)
	bothModes(t, func(t *testing.T, delivery string) {
		s := newScene(t, broker, 1)
		p := start(t, s.run("--delivery", delivery, "--drain-timeout", "2s")...)
		p.ready(t)
		s.produce(t, &kgo.Record{Value: []byte(event(eventID(1), "eu-central-1", false))})
		s.settle(t, time.Minute, p.ended)
		shared.cluster.Pause(t, 1)
		defer shared.cluster.Resume(t, 1)
		p.signal(t, syscall.SIGTERM)
		p.wait(t, 15*time.Second)
	})
}
