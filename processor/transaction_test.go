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
	"github.com/regionwatch/regionwatch/processor/processortest"
	"github.com/regionwatch/regionwatch/processor/retry"
)

// openSession returns a session that watches its topics, until the test ends.
func openSession(t *testing.T, p *Processor) *session {
	t.Helper()
	stop, err := p.topics.Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	s, err := newSession(t.Context(), p, 0, new(flow.Portion))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	return s
}

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

// A transaction commits exactly the offsets after its records. What was in it is counted then, and not before.
//
// Guards: each line of owned, and what end does after a commit.
func TestCommittedTransaction(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	var shown []string
	o := exactlyOnce(c)
	o.OnAlert = func(encoded []byte) { shown = append(shown, string(encoded)) }
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	p.newDecider = func() decider { return &scripted{} }
	s := openSession(t, p)
	c.ProduceValues(inputTopic, 1, "alert 1", "pass", "bad")
	tp := kadm.Partition{Topic: inputTopic}
	poll := func() kgo.Fetches {
		for {
			if fetches := s.poll(t.Context()); fetches.NumRecords() > 0 || t.Context().Err() != nil {
				return fetches
			}
		}
	}
	fetches := poll()
	x := newTransaction(s, false)
	if err := s.tx.Begin(); err != nil {
		t.Fatal(err)
	}
	x.take(fetches)
	last := x.last[tp]
	for name, spoil := range map[string]func(){
		"a record less":            func() { x.last[tp] = &kgo.Record{Offset: last.Offset - 1} },
		"a record more":            func() { x.last[tp] = &kgo.Record{Offset: last.Offset + 1} },
		"no record":                func() { delete(x.last, tp) },
		"another partition":        func() { x.last[kadm.Partition{Topic: "other"}] = last },
		"polled out of group":      func() { x.outOfGroup = true },
		"out of the group now":     func() { s.outOfGroup = true },
		"a state that is not held": func() { s.holdings, x.touched[tp] = newHoldings(), true },
	} {
		if !x.owned() {
			t.Fatalf("not owned before: %s", name)
		}
		if spoil(); x.owned() {
			t.Errorf("owned: %s", name)
		}
		x.last = map[kadm.Partition]*kgo.Record{tp: last}
		x.outOfGroup, s.outOfGroup = false, false
		clear(x.touched)
	}
	s.aborts = 3
	if _, err := s.tx.End(t.Context(), kgo.TryAbort); err != nil {
		t.Fatal(err)
	}
	x.giveUp()
	if got := p.tally.Snapshot(); got.Read != 3 || got.Abandoned != 3 || got.Records != 0 || len(shown) > 0 {
		t.Errorf("before the commit: %d read, %d abandoned, %d done, shown %q", got.Read, got.Abandoned, got.Records, shown)
	}
	if err := s.transact(t.Context(), poll(), false); err != nil {
		t.Fatal(err)
	}
	if got := p.tally.Snapshot(); got.Committed != 1 || got.Aborted != 0 || got.Read != 6 || got.Records != 3 || got.Done != 2 || got.AlertsAcked != 1 || got.DeadLettersAcked != 1 {
		t.Errorf("%+.200v", got)
	}
	lags := p.lag.All()
	if !s.committed || s.aborts != 0 || len(shown) != 1 || len(lags) != 1 || lags[0].Next != 3 || lags[0].Records != 0 {
		t.Errorf("committed %t, %d in a row aborted, shown %q, lags %+v", s.committed, s.aborts, shown, lags)
	}
	if n := processortest.Scrape(t, o.Registry)["regionwatch_batch_duration_seconds{count}"]; n != 1 || s.portion.Most != 0 {
		t.Errorf("%v batches are observed; the next transaction takes %d records", n, s.portion.Most)
	}
	if got := c.Committed(testGroup, inputTopic, 0); got != 3 {
		t.Errorf("committed %d, want 3", got)
	}
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
