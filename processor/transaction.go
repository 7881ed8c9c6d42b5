package processor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/regionwatch/regionwatch/processor/flow"
	"github.com/regionwatch/regionwatch/processor/output"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/regionwatch/regionwatch/processor/progress"
	"github.com/regionwatch/regionwatch/processor/retry"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// transaction is one open transaction.
type transaction struct {
	s          *session
	outOfGroup bool // the session was out of the group before the first poll
	records    int
	last       map[kadm.Partition]*kgo.Record
	touched    map[kadm.Partition]bool // their state changes

	mu     sync.Mutex
	failed error // the first failure of a record of the stage
}

func newTransaction(s *session, outOfGroup bool) *transaction {
	s.member, _ = s.tx.Client().GroupMetadata()
	return &transaction{s: s, outOfGroup: outOfGroup, last: make(map[kadm.Partition]*kgo.Record), touched: make(map[kadm.Partition]bool)}
}

// transact puts fetches and what is buffered beyond them into one transaction: until CommitInterval has passed or
// nothing more is waiting, so that it is short when there is little and large under backlog.
func (s *session) transact(ctx context.Context, fetches kgo.Fetches, outOfGroup bool) error {
	start := time.Now()
	t := newTransaction(s, outOfGroup)
	if err := s.tx.Begin(); err != nil {
		t.take(fetches)
		t.giveUp()
		return fmt.Errorf("beginning transaction: %w", err)
	}
	err := t.decide(t.take(fetches))
	for err == nil && ctx.Err() == nil && time.Since(start) < s.p.o.CommitInterval && t.records < s.portion.Limit() && s.p.pace.Left() <= 0 {
		fetches = s.tx.PollRecords(nil, flow.Least(s.p.pace.Most(), s.portion.Most)) //nolint:staticcheck // nil returns what is buffered, without waiting
		s.p.pace.Spend(fetches.NumRecords())
		if err = s.p.fetchErrors(fetches); err != nil || fetches.NumRecords() == 0 {
			break
		}
		err = t.decide(t.take(fetches))
	}
	if s.p.o.Stage != nil && err == nil {
		_, err = t.emit(func() error { return nil })
	}
	err = t.end(err)
	took := time.Since(start)
	s.portion.Learn(t.records, took, s.p.o.TransactionTimeout)
	if times := s.portion.Overran(t.records, took, s.p.o.TransactionTimeout, s.aborts > 0); times > 0 {
		t.reportOverrun(times, took)
	}
	s.p.metrics.ObserveBatch(took)
	return err
}

// reportOverrun says what to do about a record that is aborted again and again. Its output cannot be spread over several
// transactions: readers would see the first part twice if the second one failed.
func (t *transaction) reportOverrun(times int, took time.Duration) {
	for tp, r := range t.last {
		t.s.p.log.Error("a record takes longer than a transaction may: raise transaction-timeout, or let the brokers take output faster",
			"topic", tp.Topic, "partition", tp.Partition, "offset", r.Offset, "bytes", len(r.Value),
			"took", took.Round(time.Millisecond).String(), "transaction_timeout", t.s.p.o.TransactionTimeout.String(), "aborted", times)
	}
}

// take counts what was polled and returns it by partition.
func (t *transaction) take(fetches kgo.Fetches) (batches [][]*kgo.Record) {
	n := 0
	fetches.EachPartition(func(f kgo.FetchTopicPartition) {
		if len(f.Records) == 0 {
			return
		}
		tp := kadm.Partition{Topic: f.Topic, Partition: f.Partition}
		t.s.p.fetched(tp, &f.FetchPartition)
		t.last[tp] = lastOf(f.Records)
		if t.s.p.o.Stage != nil {
			t.touched[tp] = true
		}
		batches = append(batches, f.Records)
		n += flow.CountData(f.Records)
	})
	t.records += n
	t.s.p.tally.Update(func(t *progress.Totals) { t.Read += uint64(n) })
	return batches
}

// giveUp counts all of the transaction as abandoned: it is read again.
func (t *transaction) giveUp() {
	t.s.p.tally.Update(func(all *progress.Totals) { all.Abandoned += uint64(t.records) })
}

// decide has every record decided, with partitions in parallel, and returns when all are.
func (t *transaction) decide(batches [][]*kgo.Record) error {
	for tp := range t.touched {
		if !t.s.holds(tp) {
			return errNotHeld
		}
	}
	policy, at := t.s.p.o.Policy(), time.Now()
	var taken atomic.Int64
	work := func(d *decision) error {
		for {
			i := int(taken.Add(1)) - 1
			if i >= len(batches) {
				return nil
			}
			if _, err := d.decide(policy, at, batches[i]); err != nil {
				return err
			}
			batches[i] = nil // free it
		}
	}
	workers := t.s.workers[:min(len(t.s.workers), len(batches))]
	errs := make([]error, len(workers))
	var wg sync.WaitGroup
	for i, d := range workers {
		wg.Go(func() { errs[i] = work(d) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// end ends the transaction, with a commit if everything in it was decided and acknowledged. An abort because of a
// rebalance is not an error: the records are read again.
func (t *transaction) end(failed error) error {
	s := t.s
	if failed == nil || errors.Is(failed, output.ErrDoomed) {
		failed = cmp.Or(t.flush(), failed)
	}
	committed, err := s.tx.End(s.ctx, kgo.TransactionEndTry(failed == nil && t.owned()))
	done, acked := t.counted()
	t.settle(committed)
	if !committed {
		t.giveUp()
		s.aborts++
		s.p.tally.Update(func(all *progress.Totals) { all.Aborted++ })
		if s.fencedByRejoining(err) {
			err = nil
		}
		if err != nil {
			err = fmt.Errorf("ending transaction: %w", err)
		}
		if retry.IsRecreated(failed) || retry.IsRecreated(err) {
			s.p.topics.LookSoon()
			return fmt.Errorf("%w: %w", retry.ErrRenew, errors.Join(failed, err))
		}
		if retry.IsMissingTopic(failed) {
			s.p.topics.LookSoon()
		}
		return errors.Join(unlessTransient(failed), err)
	}
	s.committed, s.aborts = true, 0
	s.p.tally.Update(func(all *progress.Totals) {
		for i := range done {
			done[i].addTo(all)
		}
		all.Committed++
	})
	s.p.outputs.Delivered(acked)
	for tp, last := range t.last {
		s.p.lag.Done(tp, last.Offset+1, last.Timestamp)
	}
	return nil
}

// owned reports whether the transaction may be committed: the session has been in the group since before its first
// poll, and the offsets that the client would commit are exactly those after the decided records. Offsets without their
// alerts would lose them; alerts without their offsets would be written again. Both have happened with a broker that
// hung for longer than the session.
func (t *transaction) owned() bool {
	if t.outOfGroup || t.s.isOutOfGroup() || !t.holdsTouched() {
		return false
	}
	n := 0
	for topic, partitions := range t.s.tx.Client().UncommittedOffsets() {
		for p, offset := range partitions {
			if last := t.last[kadm.Partition{Topic: topic, Partition: p}]; last == nil || last.Offset+1 != offset.Offset {
				return false
			}
			n++
		}
	}
	return n == len(t.last)
}

// flush waits for every acknowledgement and returns the first failure. A record that was too large dooms the
// transaction; in the next one, in a new session, all are smaller.
func (t *transaction) flush() error {
	if err := t.s.tx.Client().Flush(t.s.ctx); err != nil {
		return err
	}
	first := t.produced()
	tooLarge := make(map[string]error) // by topic
	for _, d := range t.s.workers {
		failed, err := d.output.Wait()
		if err != nil {
			return err
		}
		for _, f := range failed {
			err := fmt.Errorf("producing to topic %q: %w", f.Record.Topic, f.Err)
			first = cmp.Or(first, err)
			if errors.Is(err, kerr.MessageTooLarge) {
				tooLarge[f.Record.Topic] = err
			}
		}
	}
	for topic, err := range tooLarge {
		if !t.s.p.outputs.Limits().Quarter(topic) {
			return fmt.Errorf("%w (%w)", err, errTooLargeForGood)
		}
	}
	return first
}

// errTooLargeForGood is a record that the broker rejects in its smallest form.
var errTooLargeForGood = errors.New("it cannot be made smaller")

// errNotHeld ends a transaction with records of a partition whose state is not in memory: it was assigned meanwhile.
var errNotHeld = errors.New("the state is not restored")

// unlessTransient returns err, or nil if the next transaction may well succeed.
func unlessTransient(err error) error {
	if err == nil || errors.Is(err, errNotHeld) || errors.Is(err, errPoison) || retry.IsDeliveryTimeout(err) || retry.IsTransient(err) {
		return nil
	}
	return err
}

// counted takes the workers' counts since the last transaction.
func (t *transaction) counted() (done []decided, sum output.Acked) {
	for _, d := range t.s.workers {
		done = append(done, d.take())
		a := d.output.Take(true)
		sum.Add(&a)
	}
	return done, sum
}
