package integration

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// TestKafkaSameInstance starts a second process with the instance id of one that is alive. They must not
// fence each other in turn for ever: one ends with the reason, the other does the work.
func TestKafkaSameInstance(t *testing.T) {
	broker := sharedBroker(t)
	bothModes(t, func(t *testing.T, delivery string) {
		s := newScene(t, broker, 4)
		arguments := s.run("--delivery", delivery, "--instance-id", s.group)
		first := start(t, arguments...)
		first.ready(t)
		second := start(t, arguments...)
		ended, alive := first, second
		eventually(t, time.Minute, func() error {
			if first.ended() == nil && second.ended() == nil {
				return errors.New("both go on")
			}
			return nil
		})
		if first.ended() == nil {
			ended, alive = second, first
		}
		if status := ended.wait(t, time.Second); status != 1 {
			t.Errorf("exit status %d, want 1", status)
		}
		if line := ended.log.lastLine(); !strings.Contains(line, s.group) || !strings.Contains(line, "instance") {
			t.Errorf("the last line does not name the instance id: %s", line)
		}
		for n := range s.partitions {
			s.produce(t, &kgo.Record{Partition: n, Value: []byte(event(eventID(int(n)), "eu-central-1", false))})
		}
		// Exactly once has a member for each worker, and each process may have taken over one of the other's: then both end,
		// and a supervisor starts one again.
		s.settle(t, time.Minute, func() error {
			if alive.ended() != nil {
				alive = start(t, arguments...)
			}
			return nil
		})
		alive.stop(t)
		if got := len(s.readAll(t, s.alerts)); got != int(s.partitions) {
			t.Errorf("%d alerts, want %d", got, s.partitions)
		}
	})
}
