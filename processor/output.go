package processor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/regionwatch/regionwatch/processor/progress"
	"github.com/regionwatch/regionwatch/processor/retry"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/deadletter"
	"github.com/regionwatch/regionwatch/processor/decompress"
	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// produceFunc starts to produce a record and calls the promise when that is decided.
type produceFunc func(ctx context.Context, r *kgo.Record, promise func(*kgo.Record, error))

// output is a worker's way out: it encodes the alerts and dead letters of the records that are decided,
// produces them at once and collects their acknowledgements. It is a detection.Sink, and belongs to one
// goroutine.
type output struct {
	p       *Processor
	ctx     context.Context // ends when the client is to be given up
	produce produceFunc
	acks    acks
	letters deadletter.Encoder
	seen    seen         // dead letters that are not acknowledged yet
	record  *kgo.Record  // that is being decided
	copied  *kgo.Record  // the same for its letters, once it has one
	pinned  bool         // a letter in flight holds a large record
	made    int          // alerts of that record
	stop    func() error // asked while one record makes very many alerts
	promise func(*kgo.Record, error)
}

func (p *Processor) newOutput(ctx context.Context, produce produceFunc, stop func() error) *output {
	out := &output{p: p, ctx: ctx, produce: produce, stop: stop}
	out.letters.Topic = p.o.DeadLetterTopic
	p.mu.Lock()
	defer p.mu.Unlock()
	p.outputs[out] = struct{}{}
	out.promise = func(r *kgo.Record, err error) { out.acknowledged(r, nil, err) }
	return out
}

// begin tells that what follows comes from r.
func (out *output) begin(r *kgo.Record) {
	out.made = 0
	out.record, out.copied = r, nil
	if r == nil { // let go of the last one
		out.letters.Begin(nil)
	}
}

// stopEvery is how many alerts one record makes between two looks at whether to stop. A record may hold
// a whole log file; giving it up in the middle means that all of its batch is decided again.
const stopEvery = 1024

// Alert implements detection.Sink.
func (out *output) Alert(a *alert.Alert) error {
	r, shrunk, err := out.p.limits.alertRecord(&out.p.o, a)
	if err != nil {
		return err
	}
	if shrunk {
		out.p.tally.Update(func(t *progress.Totals) { t.AlertsShrunk++ })
	}
	newFinding(a).attach(out.ctx, r)
	out.send(r, nil)
	if out.made++; out.made%stopEvery == 0 {
		return out.stop()
	}
	return nil
}

// shrink makes the alert in r, which was rejected as too large, smaller.
func (out *output) shrink(r *kgo.Record) error {
	limit := out.p.limits.value(r)
	if len(r.Value) <= limit {
		return nil
	}
	value, err := out.p.o.AlertFormat.Shrink(r.Value, limit)
	if err != nil {
		return err
	}
	r.Value = value
	out.p.tally.Update(func(t *progress.Totals) { t.AlertsShrunk++ })
	return nil
}

// letter is a dead letter in flight. All of its records refer to it, however often they are produced.
type letter struct {
	*deadletter.Draft
	resent bool // in smaller parts than at first
}

// fault returns d as the dead-letter format has it.
func fault(d *detection.DeadLetter) *deadletter.Fault {
	return &deadletter.Fault{
		Reason: d.Reason.String(), Err: d.Err, Index: d.Index, Shape: d.Shape.String(),
		Alerted: d.Alerted, AlertID: d.AlertID, Count: d.Count, Piece: d.Piece, Offset: d.Offset,
	}
}

// DeadLetter implements detection.Sink.
func (out *output) DeadLetter(d *detection.DeadLetter) error {
	return out.setAside(fault(d))
}

// settle waits until the letters that hold a large record in memory have their outcome.
func (out *output) settle() error {
	if !out.pinned {
		return nil
	}
	out.pinned = false
	return out.acks.settle(out.ctx)
}

// setAside makes a dead letter of the record at hand. The letter has a copy of it: it may wait for its acknowledgement
// much longer than the batch that the record came in should be kept. Only a large record is not copied, but waited for.
func (out *output) setAside(f *deadletter.Fault) error {
	if out.copied == nil {
		out.copied = out.record
		if len(out.record.Value) > cloudtrail.HeavyBytes {
			out.pinned = true // see settle
		} else {
			out.copied = copyRecord(out.record)
		}
		out.letters.Begin(out.copied)
	}
	out.sendLetter(out.record, f, out.letters.Encode(f))
	return nil
}

// setBatchAside makes a dead letter of a whole batch, which r stands for.
func (out *output) setBatchAside(r *kgo.Record, b *decompress.Batch, f *deadletter.Fault) error {
	value, holds := b.Raw(), deadletter.HoldsBatch
	if len(value) > maxBatchLetter {
		value, holds = nil, deadletter.HoldsSource
	}
	first := deadletter.Place{Topic: r.Topic, Partition: r.Partition, Offset: b.First()}
	out.sendLetter(r, f, deadletter.EncodeBatch(out.letters.Topic, first, b.Last(), f, value, holds))
	return nil
}

// maxBatchLetter is how large a compressed batch may be to be copied into the dead-letter topic.
const maxBatchLetter = 8 << 20

// sendLetter sends a letter about r.
func (out *output) sendLetter(r *kgo.Record, f *deadletter.Fault, d *deadletter.Draft) {
	if out.p.o.OnDeadLetter != nil {
		out.seen.addDeadLetter(newDeadLetter(r, f))
	}
	l := &letter{Draft: d}
	for _, r := range l.Records(out.p.limits.batch(out.letters.Topic)) {
		out.send(r, l)
	}
}

// copyRecord returns r in memory of its own.
func copyRecord(r *kgo.Record) *kgo.Record {
	c := *r
	c.Key, c.Value, c.Headers = bytes.Clone(r.Key), bytes.Clone(r.Value), slices.Clone(r.Headers)
	for i := range c.Headers {
		c.Headers[i].Key, c.Headers[i].Value = strings.Clone(c.Headers[i].Key), bytes.Clone(c.Headers[i].Value)
	}
	return &c
}

// close ends the output: what it waits for does not count any more.
func (out *output) close() {
	out.p.mu.Lock()
	defer out.p.mu.Unlock()
	delete(out.p.outputs, out)
}

// unacked returns for how long the oldest alert or dead letter has waited for its acknowledgement.
func (p *Processor) unacked() (oldest time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for out := range p.outputs {
		oldest = max(oldest, out.acks.age())
	}
	return oldest
}

// send produces r, which is a record of the letter l, or an alert if l is nil. It waits while the client has too much
// in flight.
func (out *output) send(r *kgo.Record, l *letter) {
	out.acks.add()
	promise := out.promise
	if l != nil {
		promise = func(r *kgo.Record, err error) { out.acknowledged(r, l, err) }
	}
	out.produce(out.ctx, r, promise)
}

// acknowledged is the promise of every record. The client calls promises one after another: it must not block.
func (out *output) acknowledged(r *kgo.Record, l *letter, err error) {
	out.acks.report(failure{r, l, err}, out.p.o.kindOf(r.Topic), out.p.o.OnAlert != nil)
}

// take returns what was acknowledged since it was last called; all tells that everything was.
func (out *output) take(all bool) acked {
	taken := out.acks.take()
	if all {
		taken.letters = out.seen.letters
	}
	out.seen = seen{}
	return taken
}

// delivered counts what was acknowledged for good, and shows the latest of it.
func (p *Processor) delivered(a acked) {
	p.tally.Update(func(t *progress.Totals) {
		t.AlertsAcked += a.alerts
		t.DeadLettersAcked += a.deadLetters
		t.UnpublishedAcked += a.aside
	})
	p.findings.count(&a.findings, time.Now())
	a.show(&p.o)
}

// flush waits until every record is acknowledged. Failures that time or a smaller size heals are tried
// again; any other is returned, and then nothing of the batch may be marked.
func (out *output) flush() error {
	for rounds := 1; ; rounds++ {
		failed, err := out.acks.wait(out.ctx)
		if err != nil || len(failed) == 0 {
			return err
		}
		if i := slices.IndexFunc(failed, failure.passes); i >= 0 {
			out.p.log.Warn("not acknowledged, trying again", "topic", failed[i].record.Topic, "records", len(failed), "error", failed[i].err)
		}
		if slices.ContainsFunc(failed, failure.passes) {
			_ = retry.Sleep(out.ctx, retry.Backoff(rounds)) // the client may fail at once; a canceled ctx fails what is produced again
		}
		for _, f := range failed {
			if err := out.again(f); err != nil {
				return fmt.Errorf("producing to topic %q: %w", f.record.Topic, err)
			}
		}
	}
}

// passes reports whether time alone may heal the failure. A broker that refuses us may be one of several, which the
// client happened to ask for a leader or a producer id; health knows when it is all.
func (f failure) passes() bool { return retry.IsDeliveryTimeout(f.err) || retry.IsAuthFailure(f.err) }

// again produces a record once more, or returns why that is of no use.
func (out *output) again(f failure) error {
	switch {
	case errors.Is(f.err, kerr.MessageTooLarge):
		return out.smaller(f)
	case retry.IsRecreated(f.err):
		out.p.lookSoon()
		return fmt.Errorf("%w: %w", retry.ErrRenew, f.err)
	case f.passes():
		out.p.lookIfMissing(f.err)
		if err := out.stop(); err != nil {
			return err
		}
		out.p.tally.Update(func(t *progress.Totals) { t.Redelivered++ })
		out.send(reproducible(f.record), f.letter)
		return nil
	default:
		return f.err
	}
}

// smaller produces a record that was rejected as too large: first unchanged but alone, because others may have been
// in its batch; then smaller and smaller, an alert without its copy of the event, a dead letter in more parts. A letter
// that was sent in smaller parts is complete: its other rejected parts are not sent again.
func (out *output) smaller(f failure) error {
	if f.letter != nil && f.letter.resent {
		return nil
	}
	records := []*kgo.Record{reproducible(f.record)}
	for {
		err := out.oneByOne(records, f.letter)
		if !errors.Is(err, kerr.MessageTooLarge) || !out.p.limits.lower(records[0]) {
			return err
		}
		if records, err = out.resize(f); err != nil {
			return err
		}
	}
}

// resize returns the failed record, or its whole letter, in records that fit the present limit.
func (out *output) resize(f failure) ([]*kgo.Record, error) {
	if f.letter != nil {
		f.letter.resent = true
		return f.letter.Records(out.p.limits.batch(f.record.Topic)), nil
	}
	r := reproducible(f.record)
	return []*kgo.Record{r}, out.shrink(r)
}

// oneByOne produces each record after the previous one is acknowledged, and returns the first error that time does
// not heal.
func (out *output) oneByOne(records []*kgo.Record, l *letter) error {
	for _, r := range records {
		if err := out.alone(r, l); err != nil {
			return err
		}
	}
	return nil
}

// alone produces one record while nothing else is in flight, as often as it takes.
func (out *output) alone(r *kgo.Record, l *letter) error {
	out.send(r, l)
	for rounds := 1; ; rounds++ {
		failed, err := out.acks.wait(out.ctx)
		if err != nil || len(failed) == 0 {
			return err
		}
		if errors.Is(failed[0].err, kerr.MessageTooLarge) {
			return failed[0].err
		}
		_ = retry.Sleep(out.ctx, retry.Backoff(rounds)) // a canceled ctx fails what is produced again
		if err := out.again(failed[0]); err != nil {
			return err
		}
	}
}

// reproducible returns r as it was before it was produced: the client fills in fields of what it fails.
func reproducible(r *kgo.Record) *kgo.Record {
	return &kgo.Record{Topic: r.Topic, Key: r.Key, Value: r.Value, Headers: r.Headers}
}
