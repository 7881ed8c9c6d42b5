package processor

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/regionwatch/regionwatch/processor/flow"
	"github.com/regionwatch/regionwatch/processor/progress"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/processor/detection"
)

// slowLoss holds the client between reporting that it fell out of the group and dropping what it has fetched. On a real
// broker, a hang longer than the session has opened that window. It ends when a transaction has begun in it, other than the
// one whose abort makes the client forget the loss.
type slowLoss struct {
	tally  atomic.Pointer[progress.Tally]
	ctx    context.Context // of the test
	joins  *kfake.FaultHandle
	mu     sync.Mutex
	armed  bool          // the next loss opens a window; others, such as those of a busy machine, do not
	window chan struct{} // closed at its end; nil outside
	before uint64        // transactions aborted before the loss
	times  int
}

// OnGroupManageError implements kgo.HookGroupManageError.
func (s *slowLoss) OnGroupManageError(error) {
	s.mu.Lock()
	if !s.armed {
		s.mu.Unlock()
		return
	}
	window := make(chan struct{})
	s.armed, s.window, s.before = false, window, s.tally.Load().Snapshot().Aborted
	s.times++
	s.mu.Unlock()
	select {
	case <-window:
	case <-s.ctx.Done(): // the test has failed
	}
}

// arm makes the next loss open a window.
func (s *slowLoss) arm() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.armed = true
}

// lost returns how many windows there were, and whether one is open.
func (s *slowLoss) lost() (times int, open bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.times, s.window != nil
}

// hold makes a transaction that began in the window end after the client has joined the group again.
func (s *slowLoss) hold(*detection.Record) {
	s.mu.Lock()
	window := s.window
	if window == nil || s.tally.Load().Snapshot().Aborted == s.before {
		s.mu.Unlock()
		return
	}
	s.window = nil
	joins := s.joins.Hits()
	s.mu.Unlock()
	close(window)
	_ = s.joins.Wait(s.ctx, joins+1)
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
	hook := &slowLoss{ctx: t.Context(), joins: c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.JoinGroup}, Observe: true, Count: -1})}
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
	for i := range losses {
		hook.arm()
		c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, TopLevel: true, Err: kerr.UnknownMemberID, Count: 1})
		c.Eventually("a transaction begins in the window", func() bool {
			produce(5)
			times, open := hook.lost()
			return times > i && !open
		})
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

// What a session had, before it ended or fell out of the group, is not ready, and has no lag: the next one may get other
// partitions.
//
// Guards: Lost, Forget and the outputs in close; each line of onLost, Forget in onRevoked.
func TestEndedSessionHasNothing(t *testing.T) {
	had := map[string][]int32{inputTopic: {0, 1}}
	for name, end := range map[string]func(*session){
		"closed": (*session).close,
		"lost":   func(s *session) { s.onLost(t.Context(), s.tx.Client(), had) },
	} {
		p, _ := quietProcessor(t, func(o *Options) { o.Delivery, o.Sessions = ExactlyOnce, 1 })
		s, err := newSession(t.Context(), p, 0, new(flow.Portion))
		if err != nil {
			t.Fatal(err)
		}
		defer s.close()
		p.health.Begin(nil)
		s.onAssigned(t.Context(), s.tx.Client(), had)
		p.lag.Assigned(kadm.Partition{Topic: inputTopic}, 0, 5)
		out := s.workers[len(s.workers)-1].output
		out.Begin(&kgo.Record{})
		if err := new(scripted).alert(out, "one", 0); err != nil || p.outputs.Unacked() == 0 {
			t.Errorf("%v; unacknowledged for %v", err, p.outputs.Unacked())
		}
		before := p.health.Ready()
		if end(s); s.isOutOfGroup() != (name == "lost") {
			t.Errorf("%s: out of the group: %t", name, s.isOutOfGroup())
		}
		if name == "closed" && p.outputs.Unacked() != 0 {
			t.Errorf("what no session waits for counts as unacknowledged for %v", p.outputs.Unacked())
		}
		if before != nil || p.health.Ready() == nil || p.health.Partitions() != 0 || p.lag.Total() != 0 {
			t.Errorf("%s: %v before, %v after, with %d partitions and a lag of %d", name, before, p.health.Ready(), p.health.Partitions(), p.lag.Total())
		}
	}
}
