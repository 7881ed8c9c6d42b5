package processor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/flow"
	"github.com/regionwatch/regionwatch/processor/retry"
)

// holdings are the partitions of a session whose state is in memory. They belong to the session's goroutine; while it
// decides, its helpers read them.
type holdings struct {
	own  *ownership
	held map[kadm.Partition]*heldState
}

// heldState is the state of one partition.
type heldState struct {
	StageState
	term   int  // for which it was restored
	marked bool // the state topic says whose state it is
}

func newHoldings() holdings { return holdings{newOwnership(), make(map[kadm.Partition]*heldState)} }

// drop forgets the state of a partition.
func (s *session) drop(tp kadm.Partition) {
	if h := s.holdings.held[tp]; h != nil {
		h.Drop()
		s.p.staged.hold(tp, -1)
		delete(s.holdings.held, tp)
	}
}

// release forgets the state of a partition, and pauses it until its state is restored.
func (s *session) release(tp kadm.Partition) {
	s.drop(tp)
	s.tx.Client().PauseFetchPartitions(flow.AsMap(tp))
}

// releaseAll ends restores and forgets all state; the session has ended.
func (s *session) releaseAll() {
	s.restores.stop()
	for tp := range s.holdings.held {
		s.drop(tp)
	}
}

// holds reports whether the state of a partition is in memory, and the partition has been ours since.
func (s *session) holds(tp kadm.Partition) bool {
	h := s.holdings.held[tp]
	return h != nil && s.holdings.own.owns(tp, h.term) && !h.Superseded()
}

// prepare begins to restore the state of the assigned partitions that lack it, and takes over what was restored
// meanwhile. It does not wait: a restore may hang, and the other partitions go on. Only a state that cannot be used at
// all is an error.
func (s *session) prepare(ctx context.Context) error {
	if s.p.o.Stage == nil {
		return nil
	}
	for tp := range s.holdings.held {
		if !s.holds(tp) {
			s.release(tp)
		}
	}
	var err error
	for _, r := range s.restores.take() {
		err = cmp.Or(err, r.err)
		s.hold(r)
	}
	if err != nil {
		return err
	}
	for tp, term := range s.holdings.own.announced() {
		if s.holdings.held[tp] == nil {
			s.restores.begin(ctx, s, tp, term)
		}
	}
	return nil
}

// hold takes over a restored state, if its partition is still ours.
func (s *session) hold(r restored) {
	switch {
	case r.StageState == nil:
	case !s.holdings.own.owns(r.tp, r.term), r.Superseded():
		r.Drop()
	default:
		s.holdings.held[r.tp] = &r.heldState
		s.p.staged.hold(r.tp, 1)
		s.tx.Client().ResumeFetchPartitions(flow.AsMap(r.tp))
	}
}

// poll polls records. With a stage it returns from time to time without any.
func (s *session) poll(ctx context.Context) kgo.Fetches {
	if s.p.o.Stage == nil {
		return s.tx.PollRecords(ctx, flow.Least(s.p.pace.Most(), s.portion.Most))
	}
	ctx, cancel := context.WithTimeout(ctx, stagePoll)
	defer cancel()
	s.mu.Lock()
	s.wake = cancel
	s.mu.Unlock()
	if s.restores.waiting() {
		cancel()
	}
	return s.tx.PollRecords(ctx, flow.Least(s.p.pace.Most(), s.portion.Most))
}

// maxEmitted is how many records of the stage a transaction has at least before it leaves what is due in partitions without
// new alerts to the next one.
const maxEmitted = 4000

// collect returns what the stage has to write: of partitions with new alerts all of it, of others until there is enough.
func (t *transaction) collect(now time.Time) map[kadm.Partition][]*kgo.Record {
	s := t.s
	records, n := make(map[kadm.Partition][]*kgo.Record), 0
	flush := func(tp kadm.Partition, clock time.Time) {
		if list := s.holdings.held[tp].Flush(clock); len(list) > 0 {
			records[tp], n = list, n+len(list)
			t.touched[tp] = true
		}
	}
	for tp := range t.last {
		if s.holds(tp) {
			flush(tp, time.Time{})
		}
	}
	for tp := range s.holdings.held {
		_, taken := t.last[tp]
		switch {
		case taken, !s.holds(tp), n >= maxEmitted: // what is due stays due
		case s.p.lag.CaughtUp(tp):
			flush(tp, now)
		default:
			flush(tp, time.Time{})
		}
	}
	return records
}

// emit produces what the stage has to write if begin succeeds. It reports whether there was anything.
func (t *transaction) emit(begin func() error) (bool, error) {
	s, records := t.s, t.collect(time.Now())
	if len(t.touched) == 0 {
		return false, nil
	}
	if err := begin(); err != nil {
		t.settle(false)
		return false, fmt.Errorf("beginning transaction: %w", err)
	}
	for tp := range t.touched {
		if h := s.holdings.held[tp]; h == nil || !h.marked {
			mark, err := s.p.topics.StateMark(s.ctx, tp.Partition)
			if err != nil {
				return true, err
			}
			t.produce(mark)
		}
		t.produce(records[tp]...)
	}
	return true, nil
}

// produce starts producing records of the stage.
func (t *transaction) produce(records ...*kgo.Record) {
	for _, r := range records {
		t.s.tx.Produce(t.s.ctx, r, func(r *kgo.Record, err error) {
			if err == nil {
				return
			}
			t.mu.Lock()
			defer t.mu.Unlock()
			if t.failed == nil {
				t.failed = fmt.Errorf("producing to topic %q: %w", r.Topic, err)
			}
		})
	}
}

// produced returns the first failure of a record of the stage, after all were acknowledged.
func (t *transaction) produced() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if errors.Is(t.failed, kerr.MessageTooLarge) {
		return fmt.Errorf("%w (%w)", t.failed, errTooLargeForGood)
	}
	return t.failed
}

// idle writes what is due by the clock, in a transaction without offsets.
func (s *session) idle(outOfGroup bool) error {
	t := newTransaction(s, outOfGroup)
	some, err := t.emit(s.tx.Begin)
	if !some {
		return err
	}
	return t.end(err)
}

// settle tells the stage how the transaction ended.
func (t *transaction) settle(committed bool) {
	for tp := range t.touched {
		if !committed {
			t.s.release(tp)
			continue
		}
		h := t.s.holdings.held[tp]
		h.Commit()
		h.marked = true
	}
}

// holdsTouched reports whether every partition whose state the transaction writes has been ours since it was restored.
// The broker checks our membership when it takes offsets. Without offsets we ask it ourselves, after the records are in
// the log: another member that takes a partition after that waits for this transaction before it reads the state.
func (t *transaction) holdsTouched() bool {
	if len(t.touched) == 0 { // as without a stage
		return true
	}
	generation := t.s.holdings.own.inGeneration() // what we own is as of this one, or later
	for tp := range t.touched {
		if !t.s.holds(tp) {
			return false
		}
	}
	return len(t.last) > 0 || t.s.isMember(generation)
}

// isMember asks the group whether the session is a member in a generation. While a rebalance gathers the members, they
// still are in the old generation, and the broker has checked that before it answers that a rebalance is in progress.
// Nobody has another's partitions before the next generation. A coordinator that still loads the group answers any
// heartbeat without an error, but gives no offsets: so we ask for those first.
func (s *session) isMember(generation int32) bool {
	ctx, cancel := context.WithTimeout(s.ctx, retry.AttemptTimeout)
	defer cancel()
	if s.p.topics.Loaded(ctx) != nil {
		return false
	}
	err := s.beat(ctx, generation)
	return err == nil || errors.Is(err, kerr.RebalanceInProgress)
}
