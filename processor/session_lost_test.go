package processor

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/regionwatch/regionwatch/processor/progress"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/processor/detection"
)

// slowLoss delays the client between reporting that it fell out of the group and dropping what it has fetched. On a real
// broker, a hang longer than the session has opened that window.
type slowLoss struct {
	times  atomic.Int32
	tally  atomic.Pointer[progress.Tally]
	before atomic.Uint64 // transactions aborted before the loss
	open   atomic.Bool
}

// aborted returns the number of transactions aborted so far.
func (s *slowLoss) aborted() uint64 {
	if t := s.tally.Load(); t != nil {
		return t.Snapshot().Aborted
	}
	return 0
}

// OnGroupManageError implements kgo.HookGroupManageError.
func (s *slowLoss) OnGroupManageError(error) {
	s.before.Store(s.aborted())
	s.open.Store(true)
	s.times.Add(1)
	time.Sleep(300 * time.Millisecond)
	s.open.Store(false)
}

// hold makes a transaction that began in the window end after it, except the one whose abort makes the client forget the
// loss.
func (s *slowLoss) hold(*detection.Record) {
	if s.open.Load() && s.aborted() > s.before.Load() {
		for s.open.Load() {
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// A session that falls out of the group commits nothing that it polls before the client has dropped its records: neither
// alerts without their offsets, which would be written again, nor offsets without their alerts.
//
// Guard: owned in transaction.end.
func TestLostMembershipCommitsNothing(t *testing.T) {
	t.Parallel()
	const partitions, losses = 4, 6
	c := newCluster(t, partitions)
	o := exactlyOnce(c)
	hook := new(slowLoss)
	o.ClientOpts = []kgo.Opt{kgo.WithHooks(hook), kgo.FetchMaxWait(20 * time.Millisecond)}
	o.SessionTimeout = 400 * time.Millisecond // heartbeats every 100 ms
	r := start(t, o, holding(hook.hold))
	hook.tally.Store(r.tally)

	n := 0
	produce := func(count int) {
		alerts := make([]string, count)
		for i := range alerts {
			alerts[i] = fmt.Sprintf("alert %d", n)
			n++
		}
		c.ProduceValues(inputTopic, partitions, alerts...)
	}
	produce(partitions)
	c.Eventually("the first are committed", func() bool { return committedToEnd(c, partitions) })
	for i := range int32(losses) {
		c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, TopLevel: true, Err: kerr.UnknownMemberID, Count: 1})
		for hook.times.Load() <= i {
			produce(20)
		}
		for range 20 { // and within the window
			produce(5)
		}
		c.Eventually("all committed", func() bool { return committedToEnd(c, partitions) })
	}
	r.mustStop()

	got := alertIDs(c.ReadAll(alertTopic))
	if len(got) != n {
		t.Errorf("%d different alerts, want %d", len(got), n)
	}
	for id, times := range got {
		if times != 1 {
			t.Errorf("alert %s stands %d times", id, times)
		}
	}
}
