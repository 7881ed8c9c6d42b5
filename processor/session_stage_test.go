package processor

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/processor/flow"
	"github.com/regionwatch/regionwatch/processor/processortest"
	"github.com/regionwatch/regionwatch/processor/progress"
)

// scriptedState is the state of a partition that has some records to write.
type scriptedState struct {
	StageState
	records    int
	superseded bool
	dropped    bool
}

func (s *scriptedState) Flush(time.Time) []*kgo.Record { return make([]*kgo.Record, s.records) }

func (s *scriptedState) Superseded() bool { return s.superseded }

func (s *scriptedState) Drop() { s.dropped = true }

// stageSession returns a session that owns n partitions.
func stageSession(n int32) *session {
	s := &session{p: &Processor{lag: progress.NewLags()}, holdings: newHoldings()}
	for i := range n {
		s.holdings.own.owned[kadm.Partition{Topic: inputTopic, Partition: i}] = &term{number: 1}
	}
	return s
}

// Partitions with new alerts are written whole, and what is due in others until there is enough: the rest stays due.
//
// Guard: maxEmitted.
func TestCollectIsBounded(t *testing.T) {
	s := stageSession(20)
	for tp := range s.holdings.own.owned {
		s.holdings.held[tp] = &heldState{StageState: &scriptedState{records: maxEmitted / 2}, term: 1}
	}
	x := &transaction{s: s, last: make(map[kadm.Partition]*kgo.Record), touched: make(map[kadm.Partition]bool)}
	if records := x.collect(time.Now()); len(records) != 2 || len(x.touched) != 2 {
		t.Errorf("idle: %d partitions are written, want 2", len(records))
	}
	clear(x.touched)
	for i := range int32(5) {
		x.last[kadm.Partition{Topic: inputTopic, Partition: i}] = &kgo.Record{}
	}
	if records := x.collect(time.Now()); len(records) != 5 {
		t.Errorf("with alerts: %d partitions are written, want the 5 with alerts", len(records))
	}
}

// A session that ends does not wait for a restore that waits for others.
//
// Guards: the context of restore in begin, and the wait in stop.
func TestRestoreEndsWithSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, tp := stageSession(1), kadm.Partition{Topic: inputTopic}
		s.restores, s.wake = newRestores(), func() {}
		for range maxRestoring {
			s.restores.slots <- struct{}{}
		}
		ctx, cancel := context.WithCancel(t.Context())
		for range 2 { // as at each poll
			s.restores.begin(ctx, s, tp, 1)
		}
		synctest.Wait()
		if s.restores.waiting() {
			t.Error("it does not wait for a slot")
		}
		once, end := context.WithCancel(t.Context())
		s.restores.begin(once, s, kadm.Partition{Topic: "other"}, 1)
		end()
		s.restores.begin(once, s, kadm.Partition{Topic: "other"}, 1)
		synctest.Wait()
		if n := len(s.restores.take()); n != 1 || s.restores.running[tp] != 1 || len(s.restores.running) != 1 {
			t.Errorf("%d have ended, want one; %v go on", n, s.restores.running)
		}
		state := new(scriptedState)
		s.restores.done = append(s.restores.done, restored{tp: tp, heldState: heldState{StageState: state}})
		cancel()
		if s.releaseAll(); !state.dropped || s.restores.waiting() {
			t.Errorf("what was restored for it is dropped: %t, more comes: %t", state.dropped, s.restores.waiting())
		}
		if len(s.restores.running) > 0 {
			t.Errorf("still restoring after the end: %v", s.restores.running)
		}
	})
}

// A state that is released is dropped, no longer counts as held, and its partition is not read until it is restored.
//
// Guards: each line of drop and release, and what hold undoes.
func TestRelease(t *testing.T) {
	p, _ := quietProcessor(t, withStage)
	s, err := newSession(t.Context(), p, 0, new(flow.Portion))
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	state, tp := new(scriptedState), kadm.Partition{Topic: inputTopic}
	s.holdings.own.owned[tp] = &term{number: 1}
	for range 2 {
		s.hold(restored{tp: tp, heldState: heldState{StageState: state, term: 1}})
		if n := len(s.tx.Client().PauseFetchPartitions(nil)); p.staged.held[tp] != 1 || n != 0 {
			t.Errorf("held %d times, %d topics are paused", p.staged.held[tp], n)
		}
		s.release(tp)
		if paused := s.tx.Client().PauseFetchPartitions(nil); !state.dropped || len(p.staged.held)+len(s.holdings.held) > 0 || len(paused[inputTopic]) != 1 {
			t.Errorf("dropped %t, held %v, paused %v", state.dropped, p.staged.held, paused)
		}
	}
}

// What is revoked is not ours any more, and of what is left all is as it was. Out of the group, nothing is.
//
// Guards: each line of onRevoked; lose in OnGroupManageError.
func TestRevokedFromSession(t *testing.T) {
	p, _ := quietProcessor(t, withStage)
	s, err := newSession(t.Context(), p, 0, new(flow.Portion))
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	client, both := s.tx.Client(), map[string][]int32{inputTopic: {0, 1}}
	one, other := kadm.Partition{Topic: inputTopic}, kadm.Partition{Topic: inputTopic, Partition: 1}
	s.holdings.own.owned[one], s.holdings.own.owned[other] = &term{number: 1}, &term{number: 2}
	s.outOfGroup = true
	if s.onAssigned(t.Context(), client, both); s.isOutOfGroup() || p.health.Partitions() != 2 || len(s.holdings.own.announced()) != 2 || len(client.PauseFetchPartitions(nil)[inputTopic]) != 2 {
		t.Errorf("out of group %t with %d partitions, %v announced, %v paused", s.isOutOfGroup(), p.health.Partitions(), s.holdings.own.announced(), client.PauseFetchPartitions(nil))
	}
	p.lag.Assigned(one, 0, 5)
	p.lag.Assigned(other, 0, 7)
	if s.onRevoked(t.Context(), client, map[string][]int32{inputTopic: {0}}); p.health.Partitions() != 1 || p.lag.Total() != 7 || s.isOutOfGroup() {
		t.Errorf("%d partitions, a lag of %d, out of group %t", p.health.Partitions(), p.lag.Total(), s.isOutOfGroup())
	}
	if s.OnGroupManageError(nil); !s.isOutOfGroup() || s.holdings.own.owns(other, 2) {
		t.Error("what a member outside of the group owned is still its own")
	}
}

// An instance with a stage is ready once it has its partitions, and their state.
//
// Guards: each line of Ready.
func TestReadyWithState(t *testing.T) {
	p, _ := quietProcessor(t, func(o *Options) {
		o.Delivery, o.Sessions, o.Stage, o.StateTopic = ExactlyOnce, 1, &ledger{}, stateTopic
	})
	tp := kadm.Partition{Topic: inputTopic}
	p.health.Begin(nil)
	mustMention(t, p.Ready(), "0 of 1 group members have their partitions")
	p.health.Assigned(nil, func(yield func(kadm.Partition) bool) { yield(tp) })
	mustMention(t, p.Ready(), "restoring the state of 1 partitions")
	if p.staged.hold(tp, 1); p.Ready() != nil {
		t.Errorf("with its state: %v", p.Ready())
	}
}

// A restore has one place among those that read, gives it back while it waits and at its end, and tells when memory grows.
//
// Guards: each line of slot.
func TestSlot(t *testing.T) {
	grown, done := 0, 0
	of := make(chan struct{}, 1)
	check := func(step string, err error, taken, wantGrown, wantDone int) {
		t.Helper()
		if err != nil || len(of) != taken || grown != wantGrown || done != wantDone {
			t.Errorf("%s: %v; %d taken, memory grew %d times and stopped %d times, want %d, %d and %d", step, err, len(of), grown, done, taken, wantGrown, wantDone)
		}
	}
	s := &slot{of: of, grow: func() func() { grown++; return func() { done++ } }}
	for range 2 {
		check("it begins", s.take(t.Context()), 1, 1, 0)
	}
	check("it waits", s.wait(t.Context(), true), 0, 1, 1)
	check("it still waits", s.wait(t.Context(), true), 0, 1, 1)
	check("it goes on", s.wait(t.Context(), false), 1, 2, 1)
	s.free()
	check("it has ended", nil, 0, 2, 2)
	plain := &slot{of: of}
	check("without a callback", plain.take(t.Context()), 1, 2, 2)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.take(ctx); !errors.Is(err, context.Canceled) || grown != 2 {
		t.Errorf("without a place: %v", err)
	}
	plain.free()
	check("all have ended", nil, 0, 2, 2)
}

// A restored state that a newer one has replaced is not taken over.
//
// Guard: Superseded in hold.
func TestHoldSuperseded(t *testing.T) {
	s, state := stageSession(1), &scriptedState{superseded: true}
	s.hold(restored{tp: kadm.Partition{Topic: inputTopic}, heldState: heldState{StageState: state, term: 1}})
	if len(s.holdings.held) != 0 || !state.dropped {
		t.Errorf("%d states are held, dropped %t", len(s.holdings.held), state.dropped)
	}
}

// With offsets the broker checks that the partitions are ours; without any, the session asks whether it is a member, and is none
// without an answer.
//
// Guard: the offsets in holdsTouched.
func TestHoldsTouched(t *testing.T) {
	p, _ := quietProcessor(t, withStage)
	s := openSession(t, p)
	tp := kadm.Partition{Topic: inputTopic}
	s.holdings.own.owned[tp] = &term{number: 1}
	s.hold(restored{tp: tp, heldState: heldState{StageState: new(scriptedState), term: 1}})
	s.end() // no broker will answer
	x := newTransaction(s, false)
	if !x.holdsTouched() {
		t.Error("a transaction that writes no state lacks one")
	}
	x.touched[tp] = true
	if x.holdsTouched() {
		t.Error("without offsets, a session holds its state that is in no group")
	}
	x.last[tp] = &kgo.Record{}
	if !x.holdsTouched() {
		t.Error("with offsets, it asks more than whether the state is held")
	}
	s.drop(tp)
	if x.holdsTouched() {
		t.Error("without the state it is held")
	}
}

// A session with no records and nothing due makes no transaction: those that are counted are work, and show that a session
// can commit.
//
// Guard: NumRecords in session.run.
func TestStageIdles(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	r := start(t, stagedOptions(c, "one", &ledger{}))
	c.Eventually("restored, which ends a poll", func() bool { return r.Ready() == nil })
	r.mustStop()
	s := processortest.Scrape(t, r.o.Registry)
	if totals := r.tally.Snapshot(); totals.Committed != 0 || totals.Aborted != 0 || s["regionwatch_batch_duration_seconds{count}"] != 0 {
		t.Errorf("%d transactions committed, %d aborted", totals.Committed, totals.Aborted)
	}
}

// A session that ends does not wait for a state that no broker gives it.
//
// Guard: restart(nil) at the end of session.run.
func TestStageEndsWhileRestoring(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 2)
	first := start(t, stagedOptions(c, "one", &ledger{}))
	c.ProduceValues(inputTopic, 2, "1", "1")
	c.Eventually("committed", func() bool { return committedToEnd(c, 2) })
	first.mustStop()
	unread := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Topic: stateTopic, Partitions: []int32{1}, Err: kerr.NotLeaderForPartition, Count: -1})
	again := start(t, stagedOptions(c, "one", &ledger{}))
	c.Eventually("restoring", func() bool { return unread.Hits() > 0 })
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: alertTopic, Err: kerr.TopicAuthorizationFailed, Count: -1})
	c.ProduceValues(inputTopic, 1, "2")
	mustMention(t, again.wait(), "TOPIC_AUTHORIZATION_FAILED")
}

// Where a transaction cannot begin, or the state cannot be marked, the error is not lost, and what is due stays due.
//
// Guards: the errors of begin and StateMark in emit, and both errors in idle.
func TestIdleFails(t *testing.T) {
	p, _ := quietProcessor(t, withStage)
	s := openSession(t, p)
	state, tp := &scriptedState{records: 1}, kadm.Partition{Topic: inputTopic}
	s.holdings.own.owned[tp] = &term{number: 1}
	due := func() {
		state.dropped = false
		s.hold(restored{tp: tp, heldState: heldState{StageState: state, term: 1}})
	}
	if err := s.tx.Begin(); err != nil {
		t.Fatal(err)
	}
	due()
	mustMention(t, s.idle(false), "beginning transaction: ")
	if !state.dropped {
		t.Error("a state that was not written is kept")
	}
	if _, err := s.tx.End(t.Context(), kgo.TryAbort); err != nil {
		t.Fatal(err)
	}
	due()
	s.end()
	if some, err := newTransaction(s, false).emit(func() error { return nil }); !some || !errors.Is(err, context.Canceled) {
		t.Errorf("without a mark: %t, %v", some, err)
	}
	due()
	if err := s.idle(false); !errors.Is(err, context.Canceled) {
		t.Errorf("idle, without a mark: %v", err)
	}
}

// A state that was not read is not one that is not ours any more: the error says so, and it is read again or ends Run.
//
// Guards: the errors of take and OpenState in restoreOnce.
func TestRestoreFails(t *testing.T) {
	p, _ := quietProcessor(t, withStage)
	stop, err := p.topics.Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stop()
	s, tp := &session{p: p, restores: newRestores()}, kadm.Partition{Topic: inputTopic}
	_, err = s.restoreOnce(t.Context(), tp, nil) // with a client that is closed
	if mustMention(t, err, "looking for topic"); len(s.restores.slots) != 0 {
		t.Error("a restore that has failed keeps its place")
	}
	for range maxRestoring {
		s.restores.slots <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.restoreOnce(ctx, tp, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("without a slot: %v", err)
	}
}

// A restore that fails is tried again, later each time, as long as the partition is ours.
//
// Guards: the wait and the log line in restore.
func TestRestoreIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, log := quietProcessor(t, withStage)
		stop, err := p.topics.Watch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		stop() // with a client that is closed, each attempt fails at once
		s, tp := &session{p: p, restores: newRestores(), holdings: newHoldings()}, kadm.Partition{Topic: inputTopic}
		s.holdings.own.owned[tp] = &term{number: 1}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if r := s.restore(ctx, tp, 1); r.StageState != nil || r.err != nil || r.term != 1 {
			t.Errorf("%+v", r)
		}
		if n := log.count("restoring the state, trying again"); n != 4 { // after 0, 0.1, 0.3 and 0.7 s
			t.Errorf("told %d times in a second, want 4", n)
		}
	})
}

// Restores that wait for a leader hold up no other, however many they are.
//
// Guard: the wait of a slot in restoreOnce.
func TestStuckRestoresHoldUpNoOther(t *testing.T) {
	t.Parallel()
	const last = maxRestoring
	c := newCluster(t, last+1)
	first := start(t, stagedOptions(c, "one", &ledger{}))
	var stuck []int32
	for n := range int32(last + 1) {
		c.Produce(toPartition(n, "1")...)
		stuck = append(stuck, n)
	}
	c.Eventually("committed", func() bool { return committedToEnd(c, last+1) })
	first.mustStop()
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Topic: stateTopic, Partitions: stuck[:last], Err: kerr.NotLeaderForPartition, Count: -1})
	start(t, stagedOptions(c, "one", &ledger{}))
	c.Produce(toPartition(last, "2")...)
	c.Eventually("summed", func() bool { return sums(c)[strconv.Itoa(last)] == "3" })
}
