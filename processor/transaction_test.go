package processor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/flow"
	"github.com/regionwatch/regionwatch/processor/output"
	"github.com/regionwatch/regionwatch/processor/retry"
)

// quietSession returns a session that never connects.
func quietSession(t *testing.T, change ...func(*Processor)) *session {
	t.Helper()
	p, _ := quietProcessor(t, func(o *Options) { o.Delivery, o.Sessions = ExactlyOnce, 1 })
	for _, f := range change {
		f(p)
	}
	s, err := newSession(t.Context(), p, 0, new(flow.Portion))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	return s
}

// A transaction in which a record was not decided must not commit: its offsets would lose the record.
//
// Guards: each error in transaction.decide and transact.
func TestUndecidedTransaction(t *testing.T) {
	failure := errors.New("no record is decided")
	s := quietSession(t, func(p *Processor) {
		p.newDecider = func() decider { return &failing{err: failure} }
	})
	one, two := []*kgo.Record{{Topic: inputTopic}}, []*kgo.Record{{Topic: inputTopic, Partition: 1}}
	fetches := kgo.Fetches{{Topics: []kgo.FetchTopic{{Topic: inputTopic, Partitions: []kgo.FetchPartition{{Records: one}, {Partition: 1, Records: two}}}}}}
	x := newTransaction(s, false)
	err := x.decide(x.take(fetches))
	mustMention(t, err, strings.Join(slices.Repeat([]string{failure.Error()}, min(len(s.workers), 2)), "\n")) // of each worker
	if err := s.transact(t.Context(), fetches, false); !errors.Is(err, failure) || s.p.tally.Snapshot().Abandoned != 2 {
		t.Errorf("transacting: %v, want %v; %d records returned", err, failure, s.p.tally.Snapshot().Abandoned)
	}
	s.holdings = newHoldings()
	x.touched[kadm.Partition{Topic: inputTopic}] = true
	if err := x.decide(nil); !errors.Is(err, errNotHeld) {
		t.Errorf("without its state: %v", err)
	}
}

// What failed a transaction is not lost when it ends: it ends the session, unless the next transaction may well succeed.
//
// Guards: each error in transaction.end, and that of Begin in transact.
func TestFailedTransaction(t *testing.T) {
	for failed, want := range map[error]error{
		kerr.NotLeaderForPartition: nil,
		kerr.MessageTooLarge:       kerr.MessageTooLarge,
		kerr.UnknownTopicID:        retry.ErrRenew,
		output.ErrDoomed:           output.ErrDoomed,
	} {
		s := quietSession(t)
		if err := s.tx.Begin(); err != nil {
			t.Fatal(err)
		}
		if err := newTransaction(s, false).end(fmt.Errorf("producing: %w", failed)); !errors.Is(err, want) {
			t.Errorf("%v ends the session with %v, want %v", failed, err, want)
		}
		if s.committed || s.aborts != 1 || s.p.tally.Snapshot().Aborted != 1 {
			t.Errorf("%v: committed %t, %d in a row aborted", failed, s.committed, s.aborts)
		}
	}
	s := quietSession(t)
	mustMention(t, newTransaction(s, false).end(nil), "ending transaction: ")
	if err := s.tx.Begin(); err != nil {
		t.Fatal(err)
	}
	mustMention(t, s.transact(t.Context(), nil, false), "beginning transaction: ")
}

// What was not acknowledged fails its transaction: its offsets would lose it. That holds too for what the broker rejects in
// its smallest form.
//
// Guards: each error in flush and produced; flush in end.
func TestUnacknowledgedTransaction(t *testing.T) {
	closed, end := context.WithCancel(t.Context())
	end()
	send := func(out *output.Output) {
		out.Begin(&kgo.Record{})
		if err := new(scripted).alert(out, "one", 0); err != nil {
			t.Fatal(err)
		}
	}
	for rejected, want := range map[error]error{
		kerr.NotLeaderForPartition: kerr.NotLeaderForPartition,
		kerr.MessageTooLarge:       errTooLargeForGood,
		nil:                        context.Canceled, // without an answer
	} {
		s := quietSession(t)
		for s.p.outputs.Limits().Quarter(alertTopic) { // until nothing can be smaller
		}
		out := s.p.outputs.Open(closed, func(_ context.Context, r *kgo.Record, promise func(*kgo.Record, error)) {
			if rejected != nil {
				promise(r, rejected)
			}
		}, nil)
		send(out)
		s.workers[0].output = out
		if err := newTransaction(s, false).flush(); !errors.Is(err, want) {
			t.Errorf("an alert: %v, want %v", err, want)
		}
		x := &transaction{failed: rejected}
		if err := x.produced(); rejected != nil && !errors.Is(err, want) {
			t.Errorf("a record of the stage: %v, want %v", err, want)
		}
		if !x.mu.TryLock() {
			t.Error("the next record of the stage waits for ever")
		}
		if rejected == nil {
			continue
		}
		if err := s.tx.Begin(); err != nil {
			t.Fatal(err)
		}
		send(out)
		if err := newTransaction(s, false).end(nil); s.aborts != 1 || !errors.Is(err, unlessTransient(want)) {
			t.Errorf("the transaction ends with %v, %d aborted", err, s.aborts)
		}
	}
}
