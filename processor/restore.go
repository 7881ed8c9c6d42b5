package processor

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/regionwatch/regionwatch/processor/retry"
	"github.com/regionwatch/regionwatch/processor/topics"
)

// restores restore the state of a session's partitions beside its polls, each in a goroutine. The session begins them,
// takes what they restored, and stops them at its end.
type restores struct {
	slots   chan struct{} // one for each that reads
	group   sync.WaitGroup
	running map[kadm.Partition]int // their terms; of the session's goroutine

	mu   sync.Mutex
	done []restored // at most one of each that was begun
}

// restored is what a restore has come to.
type restored struct {
	tp        kadm.Partition
	heldState       // without StageState if the partition is not ours any more
	err       error // the state cannot be used at all
}

// maxRestoring is how many restores of a session read at a time. One that waits for a leader, or for the end of a
// transaction, does not count: it must not hold up the others.
const maxRestoring = 4

func newRestores() restores {
	return restores{slots: make(chan struct{}, maxRestoring), running: make(map[kadm.Partition]int)}
}

// begin begins to restore the state of a partition for one term, if that was not begun yet.
func (rs *restores) begin(ctx context.Context, s *session, tp kadm.Partition, term int) {
	if rs.running[tp] == term {
		return
	}
	rs.running[tp] = term
	rs.group.Go(func() {
		r := s.restore(ctx, tp, term)
		rs.mu.Lock()
		rs.done = append(rs.done, r)
		rs.mu.Unlock()
		s.wakeUp()
	})
}

// take returns what was restored since the last call.
func (rs *restores) take() (done []restored) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	done, rs.done = rs.done, nil
	for _, r := range done {
		if rs.running[r.tp] == r.term {
			delete(rs.running, r.tp)
		}
	}
	return done
}

// waiting reports whether take would return something.
func (rs *restores) waiting() bool {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	return len(rs.done) > 0
}

// stop waits for the restores, whose context has ended, and drops what they restored.
func (rs *restores) stop() {
	rs.group.Wait()
	for _, r := range rs.take() {
		if r.StageState != nil {
			r.Drop()
		}
	}
}

// restore restores the state of a partition as long as the term lasts. What cannot be restored now is tried again later,
// but for a state that cannot be used at all, or that we may not read.
func (s *session) restore(ctx context.Context, tp kadm.Partition, term int) restored {
	keep := func() bool { return ctx.Err() == nil && s.holdings.own.owns(tp, term) }
	for fails := 1; keep(); fails++ {
		h, err := s.restoreOnce(ctx, tp, keep)
		switch {
		case err == nil:
			h.term = term
			return restored{tp: tp, heldState: h}
		case isStateError(err), retry.IsRefusal(err):
			return restored{tp: tp, heldState: heldState{term: term}, err: err}
		case keep():
			s.p.log.Warn("restoring the state, trying again", "topic", s.p.o.StateTopic, "partition", tp.Partition, "error", err)
		}
		_ = retry.Sleep(ctx, retry.Backoff(fails)) // a canceled ctx ends the loop
	}
	return restored{tp: tp, heldState: heldState{term: term}}
}

// slowRestore is how long a restore takes that an operator should know of.
const slowRestore = 10 * time.Second

// restoreOnce restores the state of a partition. keep reports whether it is still needed.
func (s *session) restoreOnce(ctx context.Context, tp kadm.Partition, keep func() bool) (h heldState, err error) {
	slot := &slot{of: s.restores.slots, grow: s.p.o.Grow}
	if err := slot.take(ctx); err != nil {
		return h, err
	}
	defer slot.free()
	p := s.p
	reader, err := p.topics.OpenState(ctx, tp.Partition)
	if err != nil {
		return h, err
	}
	reader.OnWait = slot.wait
	if !keep() { // do not supersede the state of who has the partition now
		return h, context.Canceled
	}
	began := time.Now()
	var readErr error
	h.StageState, err = p.o.Stage.Restore(tp, func(record func(key, value []byte) error) error {
		readErr = reader.Read(ctx, keep, record)
		return readErr
	})
	if err != nil && readErr == nil {
		err = &topics.StateError{Topic: p.o.StateTopic, Partition: tp.Partition, Err: err}
	}
	if err == nil {
		h.marked = reader.Marked
		level, took := slog.LevelDebug, time.Since(began)
		if took > slowRestore {
			level = slog.LevelInfo
		}
		p.log.Log(ctx, level, "restored the state", "topic", tp.Topic, "partition", tp.Partition, "seconds", float64(took.Milliseconds())/1000)
	}
	return h, err
}

// slot is the place of a restore among those that read.
type slot struct {
	of   chan struct{}
	grow func() (done func()) // may be nil
	done func()               // nil unless it is taken
}

func (s *slot) take(ctx context.Context) error {
	if s.done != nil {
		return nil
	}
	select {
	case s.of <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.done = func() {}; s.grow != nil {
		s.done = s.grow()
	}
	return nil
}

func (s *slot) free() {
	if s.done != nil {
		s.done()
		s.done = nil
		<-s.of
	}
}

// wait gives the place back while a restore waits, and takes one again when it goes on.
func (s *slot) wait(ctx context.Context, waiting bool) error {
	if waiting {
		s.free()
		return nil
	}
	return s.take(ctx)
}
