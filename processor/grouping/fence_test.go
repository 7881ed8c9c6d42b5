package grouping

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/processor/deadletter"
	"github.com/regionwatch/regionwatch/processor/policy"
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

// A transaction without offsets commits only after the group has said that the instance is a member of it in its
// generation, and a coordinator that has loaded the group: one that loads it agrees to everything.
//
// Guards: isMember, in holdsTouched; Loaded.
func TestServiceIdleAsksGroup(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	start(t, c, "one", slowly(t), func(o *processor.Options) { // so that the client's own heartbeats are not among those
		o.ClientOpts = append(o.ClientOpts, kgo.SessionTimeout(2*time.Minute), kgo.HeartbeatInterval(time.Minute))
	})
	var armed, open, loaded, refused atomic.Int32 // after the alert's transaction: open ones; in them: answers of a loaded coordinator, heartbeats
	observe(c, kmsg.Produce, func() { open.Store(armed.Load()); loaded.Store(0) })
	observe(c, kmsg.OffsetFetch, func() { loaded.Store(1) })
	observe(c, kmsg.TxnOffsetCommit, func() { armed.Store(1) })
	observe(c, kmsg.EndTxn, func() { open.Store(0) })
	c.ControlKey(int16(kmsg.Heartbeat), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if open.Load() == 0 || refused.Load() == 2 { // the client's own ones, or enough
			return nil, nil, false
		}
		if refused.Add(1); loaded.Load() == 0 {
			t.Error("asked a coordinator that may still be loading")
		}
		resp := req.ResponseKind().(*kmsg.HeartbeatResponse)
		resp.ErrorCode = kerr.IllegalGeneration.Code
		return resp, nil, true
	})
	c.ProduceValues(alertTopic, 1, alertAt(0, time.Now().AddDate(0, 0, -1)))
	c.Eventually("closed", func() bool { return closedIn(t, c) })
	if refused.Load() != 2 {
		t.Errorf("closed although the group has refused %d of 2 heartbeats", refused.Load())
	}
}

// observe calls see for each request of a kind.
func observe(c *processortest.Cluster, key kmsg.Key, see func()) {
	c.ControlKey(int16(key), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		see()
		return nil, nil, false
	})
}

// slowly makes an incident close some seconds after its last alert, so that the test can act before.
func slowly(t *testing.T) func(*processor.Options) {
	t.Helper()
	slow, err := policy.Compile(policy.Options{Default: policy.Level{
		UnusedRegions: []string{"eu-west-3"}, Incidents: &policy.Incidents{Quiet: 5 * time.Second, Grace: time.Second},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return func(o *processor.Options) { o.Stage.(*Stage).o.Policy = func() *policy.Policy { return slow } }
}

// closedIn reports whether an incident was closed.
func closedIn(t *testing.T, c *processortest.Cluster) bool {
	t.Helper()
	for _, i := range read(t, c).last {
		if i.Activity == incident.Close {
			return true
		}
	}
	return false
}

// While a rebalance gathers the members, they still own what they have: transactions without offsets commit.
//
// Guard: REBALANCE_IN_PROGRESS, in isMember.
func TestServiceIdleInRebalance(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	s := start(t, c, "one", slowly(t))
	c.ProduceValues(alertTopic, 1, alertAt(0, time.Now().AddDate(0, 0, -1)))
	eventually(t, c, 1)
	c.Eventually("committed", func() bool { return c.Committed(testGroup, alertTopic, 0) == 1 })
	var open atomic.Bool
	gathered := make(chan struct{})
	observe(c, kmsg.Produce, func() { open.Store(true) })
	observe(c, kmsg.EndTxn, func() { open.Store(false) })
	observe(c, kmsg.Heartbeat, func() {
		if open.Load() {
			c.SleepControl(func() {
				select {
				case <-gathered:
				case <-t.Context().Done():
				}
			})
		}
	})
	gathering := gather(t, c, "one-0")
	c.Eventually("gathering members", gathering)
	close(gathered)
	c.Eventually("closed", func() bool { return closedIn(t, c) })
	c.Eventually("forgotten", func() bool { return s.stage.sizes().Remembered == 0 })
	if got := s.stage.restores.done; got != 1 || !gathering() {
		t.Errorf("restored %d times; gathering members: %v", got, gathering())
	}
}

// gather begins a rebalance that goes on until the test ends: a guest joins, and the member with an instance id cannot
// join again. The returned function reports whether the group gathers its members.
func gather(t *testing.T, c *processortest.Cluster, instanceID string) (gathering func() bool) {
	t.Helper()
	c.ControlKey(int16(kmsg.JoinGroup), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if id := req.(*kmsg.JoinGroupRequest).InstanceID; id != nil && *id == instanceID {
			c.SleepControl(func() { <-t.Context().Done() })
		}
		return nil, nil, false
	})
	guest := c.Client(kgo.ConsumerGroup(testGroup), kgo.ConsumeTopics(alertTopic), kgo.InstanceID("guest"))
	go guest.PollFetches(t.Context())
	return func() bool { return c.GroupInfo(testGroup).State == "PreparingRebalance" }
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

// A state topic that is deleted while the service runs ends it, and so does each later start. One that was created again
// is empty: that ends it too. A rebuild helps.
//
// Guards: stateGone; deleted, in replaceState; checkOffset.
func TestServiceDeletedState(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 2)
	s := start(t, c, "one")
	c.ProduceValues(alertTopic, 2, alerts(0, 10)...)
	eventually(t, c, 10)
	if err := c.DeleteTopic(stateTopic); err != nil {
		t.Fatal(err)
	}
	f := func(s *service, part string) {
		t.Helper()
		err := s.wait(t)
		if err == nil || !strings.Contains(err.Error(), part) || !strings.HasSuffix(err.Error(), "run regionwatch incidents rebuild") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v, want one line with %q", err, part)
		}
	}
	f(s, "it was deleted")
	f(start(t, c, "one"), "it does not exist, although")
	f(start(t, c, "one", func(o *processor.Options) { o.CreateTopics = false }), "it does not exist, although")
	if err := c.CreateTopic(stateTopic, 2, nil); err != nil {
		t.Fatal(err)
	}
	f(start(t, c, "one"), "its beginning is missing")
}

// A state topic that is deleted and created again while the service runs ends it before alerts count anew.
//
// Guards: compare; checkOffset.
func TestServiceRecreatedState(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 2)
	s := start(t, c, "one")
	c.ProduceValues(alertTopic, 2, alerts(0, 10)...)
	before := eventually(t, c, 10)
	if err := c.DeleteTopic(stateTopic); err != nil {
		t.Fatal(err)
	}
	if err := c.CreateTopic(stateTopic, 2, nil); err != nil {
		t.Fatal(err)
	}
	c.ProduceValues(alertTopic, 2, alerts(0, 20)...)
	if err := s.wait(t); err == nil || !strings.Contains(err.Error(), "its beginning is missing") || !strings.Contains(err.Error(), "incidents rebuild") {
		t.Errorf("%v", err)
	}
	after := read(t, c) // which checks that no revision comes again
	for id, i := range before.last {
		if after.last[id].Counts.Alerts < i.Counts.Alerts {
			t.Errorf("incident %s counts %d alerts, and counted %d before", id, after.last[id].Counts.Alerts, i.Counts.Alerts)
		}
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
