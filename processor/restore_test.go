package processor

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/regionwatch/regionwatch/processor/processortest"
)

// A state that is not needed any more is not restored: it would supersede that of the session which has the partition now.
//
// Guard: keep in restoreOnce.
func TestRestoreNotNeeded(t *testing.T) {
	t.Parallel()
	c, l := newCluster(t, 1), new(ledger)
	if err := c.CreateTopic(stateTopic, 1, nil); err != nil {
		t.Fatal(err)
	}
	p, err := New(stagedOptions(c, "one", l))
	if err != nil {
		t.Fatal(err)
	}
	s, tp := openSession(t, p), kadm.Partition{Topic: inputTopic}
	for _, needed := range []bool{false, true} {
		h, err := s.restoreOnce(t.Context(), tp, func() bool { return needed })
		if (h.StageState != nil) != needed || len(l.parts) > 0 != needed || errors.Is(err, context.Canceled) == needed {
			t.Errorf("needed %t: %v, %v, %v", needed, h.StageState, l.parts, err)
		}
	}
}

// slowLedger takes its time to restore a state.
type slowLedger struct {
	*ledger
	takes time.Duration
}

func (l *slowLedger) Restore(tp kadm.Partition, read func(record func(key, value []byte) error) error) (StageState, error) {
	time.Sleep(l.takes)
	return l.ledger.Restore(tp, read)
}

// The log has what a restore took if that was long enough to hold up alerts.
//
// Guards: the level, the condition and the seconds in restoreOnce.
func TestRestoreIsLogged(t *testing.T) {
	inBubble(t, 1, func(t *testing.T, c *processortest.Cluster) {
		if err := c.CreateTopic(stateTopic, 1, nil); err != nil {
			t.Fatal(err)
		}
		stage, log := &slowLedger{new(ledger), 0}, new(lines)
		o := stagedOptions(c, "one", nil)
		o.Stage, o.Logger = stage, log.logger()
		p, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		s := openSession(t, p)
		for _, takes := range []time.Duration{slowRestore, slowRestore + 2500*time.Millisecond} {
			stage.takes = takes
			if _, err := s.restoreOnce(t.Context(), kadm.Partition{Topic: inputTopic}, func() bool { return true }); err != nil {
				t.Fatal(err)
			}
		}
		if log.count("restored the state") != 1 || log.count("seconds=12.5") != 1 {
			t.Errorf("told: %s", log.text.String())
		}
	})
}
