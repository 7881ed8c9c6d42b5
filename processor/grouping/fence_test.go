package grouping

import (
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/processor/deadletter"
	"github.com/regionwatch/regionwatch/processor/processortest"
	"github.com/regionwatch/regionwatch/schema/incident"
)

// fragile is a stage that panics for the records with some text.
type fragile struct{ *Stage }

type fragileState struct{ processor.StageState }

func (f fragile) Restore(tp kadm.Partition, read func(record func(key, value []byte) error) error) (processor.StageState, error) {
	s, err := f.Stage.Restore(tp, read)
	return fragileState{s}, err
}

func (f fragileState) Take(r *kgo.Record, now time.Time) *deadletter.Fault {
	if strings.Contains(string(r.Value), "boom") {
		panic("boom")
	}
	return f.StageState.Take(r, now)
}

// An alert that makes the grouper panic becomes a dead letter, once. Those beside it count, once.
//
// Guard: isPoison.
func TestServicePanic(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	s := start(t, c, "one", func(o *processor.Options) { o.Stage = fragile{o.Stage.(*Stage)} })
	c.ProduceValues(alertTopic, 1, alertOf(0), `{"id":"boom"}`, alertOf(1), `{"id":"boom too"}`, alertOf(2))
	eventually(t, c, 3)
	c.Eventually("committed", func() bool { return c.Committed(testGroup, alertTopic, 0) >= 5 })
	letters := c.ReadAll(deadTopic)
	for _, l := range letters {
		if !strings.Contains(string(l.Value), "boom") {
			t.Errorf("dead letter %q", l.Value)
		}
	}
	if got := s.stop(t); len(letters) != 2 || got.counted != 3 {
		t.Errorf("%d dead letters, %+v", len(letters), got)
	}
}

// A transaction without offsets commits only after the group has said that the instance is a member of it.
//
// Guard: isMember, in holdsTouched.
func TestServiceIdleAsksGroup(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	s := start(t, c, "one")
	c.Eventually("ready", func() bool { return s.Ready() == nil })
	heartbeats := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, Err: kerr.RebalanceInProgress, Count: -1})
	c.ProduceValues(alertTopic, 1, alertAt(0, time.Now().AddDate(0, 0, -1)))
	eventually(t, c, 1)
	closed := func() bool {
		for _, i := range read(t, c).last {
			if i.Activity == incident.Close {
				return true
			}
		}
		return false
	}
	c.Eventually("asked", func() bool { return heartbeats.Hits() > 3 || closed() })
	if closed() {
		t.Error("the incident was closed without asking the group")
	}
	heartbeats.Remove()
	c.Eventually("closed", closed)
}

// An alerts topic that is deleted and created again while the service runs ends it: the state belongs to the older one.
func TestServiceRecreatedTopic(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 2)
	s := start(t, c, "one")
	c.ProduceValues(alertTopic, 2, alerts(0, 10)...)
	eventually(t, c, 10)
	recreate(t, c)
	if err := s.wait(t); err == nil || !strings.Contains(err.Error(), "older topic") || !strings.Contains(err.Error(), "incidents rebuild") {
		t.Errorf("%v", err)
	}
}

func recreate(t *testing.T, c *processortest.Cluster) {
	t.Helper()
	if err := c.DeleteTopic(alertTopic); err != nil {
		t.Fatal(err)
	}
	if err := c.CreateTopic(alertTopic, 2, nil); err != nil {
		t.Fatal(err)
	}
}

// A state that another session of the process has restored since is dropped and restored, and nothing of it is committed.
//
// Guard: Superseded in holds.
func TestServiceSuperseded(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	s := start(t, c, "one")
	c.ProduceValues(alertTopic, 1, alerts(0, 20)...)
	eventually(t, c, 20)
	older := s.stage.all()
	other, err := s.stage.Restore(kadm.Partition{Topic: alertTopic}, func(func(key, value []byte) error) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	other.Drop()
	c.ProduceValues(alertTopic, 1, alerts(10, 40)...)
	eventually(t, c, 40)
	c.Eventually("committed", func() bool { return c.Committed(testGroup, alertTopic, 0) >= 50 })
	if got := s.stop(t); got.counted != 40 || got.repeated != 10 {
		t.Errorf("%+v", got)
	}
	if !older[0].Superseded() {
		t.Error("the older state is not superseded")
	}
}
