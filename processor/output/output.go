// Package output produces alerts and dead letters and waits for their acknowledgements.
//
// [Outputs] is what all workers of a process share; each worker has an [Output]. A worker passes every record to
// [Output.Begin], decides it with the Output as its sink, and calls [Output.Flush], which returns once everything is
// acknowledged. Once [Output.Settle] has returned, nothing in flight aliases the current record.
//
// The package starts no goroutines.
package output

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/regionwatch/regionwatch/processor/progress"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/deadletter"
	"github.com/regionwatch/regionwatch/processor/decompress"
	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// Options of Outputs. All but Shadow and Exempted topics, CopyHeaders, OnAlert and OnDeadLetter are required.
type Options struct {
	Topics
	Format         alert.Format
	CopyHeaders    []string // names of headers that alerts take from their input record
	MaxRecordBytes int
	// Transactional says that all output belongs to transactions: what failed is not tried again, because its transaction
	// is aborted.
	Transactional bool
	Log           *slog.Logger
	Registry      *prometheus.Registry
	Tally         *progress.Tally
	// LookSoon asks for a look at the topics: a broker says that one is missing or was created again.
	LookSoon func()
	// OnAlert and OnDeadLetter, if set, see what was acknowledged for good; of a very large batch only the last ones.
	OnAlert      func(encoded []byte)
	OnDeadLetter func(DeadLetter)
}

// Outputs is what the outputs of a process share. It is safe for concurrent use.
type Outputs struct {
	o        Options
	limits   *Limits
	findings findingMetrics

	mu   sync.Mutex
	open map[*Output]struct{}
}

// New returns outputs and registers their metrics.
func New(o Options) (*Outputs, error) {
	findings, err := registerFindings(o.Registry)
	if err != nil {
		return nil, fmt.Errorf("registering metrics: %w", err)
	}
	return &Outputs{o: o, limits: NewLimits(o.MaxRecordBytes), findings: findings, open: make(map[*Output]struct{})}, nil
}

// Limits returns the limits of the output topics.
func (s *Outputs) Limits() *Limits { return s.limits }

// ProduceFunc starts producing a record and calls the promise with the outcome.
type ProduceFunc func(ctx context.Context, r *kgo.Record, promise func(*kgo.Record, error))

// Output is a worker's output: it encodes the alerts and dead letters of decided records, produces them at once and
// collects their acknowledgements. It is a detection.Sink, and belongs to one goroutine.
type Output struct {
	s       *Outputs
	ctx     context.Context // ends when the client is given up
	produce ProduceFunc
	acks    acks
	letters deadletter.Encoder
	seen    seen               // unacknowledged dead letters
	record  *kgo.Record        // being decided
	copied  *kgo.Record        // its copy for letters, once it has one
	pinned  bool               // a letter in flight holds a large record
	made    int                // alerts of that record
	carried []kgo.RecordHeader // headers of that record for its alerts, once it has one
	stop    func() error       // called while one record makes very many alerts
	promise func(*kgo.Record, error)
}

// Open returns an output that produces with produce until ctx ends. It calls stop to learn whether to go on while one
// record makes very many alerts, and before it retries. The caller closes it.
func (s *Outputs) Open(ctx context.Context, produce ProduceFunc, stop func() error) *Output {
	out := &Output{s: s, ctx: ctx, produce: produce, stop: stop}
	out.letters.Topic = s.o.DeadLetters
	out.acks.forgetful = s.o.Transactional
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[out] = struct{}{}
	out.promise = func(r *kgo.Record, err error) { out.acknowledged(r, nil, err) }
	return out
}

// Unacked returns how long the oldest alert or dead letter has waited for its acknowledgement.
func (s *Outputs) Unacked() (oldest time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for out := range s.open {
		oldest = max(oldest, out.acks.age())
	}
	return oldest
}

// Delivered counts what was acknowledged for good, and shows the latest of it.
func (s *Outputs) Delivered(a Acked) {
	s.o.Tally.Update(func(t *progress.Totals) {
		t.AlertsAcked += a.alerts
		t.DeadLettersAcked += a.deadLetters
		t.UnpublishedAcked += a.unpublished
	})
	s.findings.count(&a.findings, time.Now())
	a.show(&s.o)
}

// Begin starts the output of r.
func (out *Output) Begin(r *kgo.Record) {
	out.made = 0
	out.record, out.copied, out.carried = r, nil, nil
	if r == nil { // release the last one
		out.letters.Begin(nil)
	}
}

// stopEvery is how many alerts one record makes between two calls of stop. A record may hold a whole log file;
// abandoning it halfway means deciding all of its batch again.
const stopEvery = 1024

// Alert implements detection.Sink.
func (out *Output) Alert(a *alert.Alert) error {
	if out.made == 0 {
		out.carry()
	}
	r, shrunk, err := out.s.limits.AlertRecord(out.s.o.Topics, out.s.o.Format, a, out.carried)
	if err != nil {
		return err
	}
	if shrunk {
		out.s.o.Tally.Update(func(t *progress.Totals) { t.AlertsShrunk++ })
	}
	newFinding(a).attach(traceOf(out.ctx, out.record), r)
	out.send(r, nil)
	if out.made++; out.made%stopEvery == 0 {
		return out.stop()
	}
	return nil
}

// carry takes the headers of the record at hand that its alerts share.
func (out *Output) carry() {
	var omitted int
	if out.carried, omitted = Carry(out.s.o.CopyHeaders, out.record); omitted > 0 {
		out.s.o.Tally.Update(func(t *progress.Totals) { t.HeadersOmitted += uint64(omitted) })
	}
}

// shrink makes the alert in r, which was rejected as too large, smaller.
func (out *Output) shrink(r *kgo.Record) error {
	limit := out.s.limits.value(r)
	if len(r.Value) <= limit {
		return nil
	}
	value, err := out.s.o.Format.Shrink(r.Value, limit)
	if err != nil {
		return err
	}
	r.Value = value
	out.s.o.Tally.Update(func(t *progress.Totals) { t.AlertsShrunk++ })
	return nil
}

// letter is a dead letter in flight. All of its records refer to it, however often they are produced.
type letter struct {
	*deadletter.Draft
	resent bool // in smaller parts than at first
}

// Fault converts d to the dead-letter format.
func Fault(d *detection.DeadLetter) *deadletter.Fault {
	return &deadletter.Fault{
		Reason: d.Reason.String(), Err: d.Err, Index: d.Index, Shape: d.Shape.String(),
		Alerted: d.Alerted, AlertID: d.AlertID, Count: d.Count, Piece: d.Piece, Offset: d.Offset,
	}
}

// DeadLetter implements detection.Sink.
func (out *Output) DeadLetter(d *detection.DeadLetter) error {
	out.SetAside(Fault(d))
	return nil
}

// ErrDoomed reports that something of a transaction was not acknowledged: deciding the rest of it is in vain.
var ErrDoomed = errors.New("the transaction cannot commit")

// Settle waits until no letter in flight holds a large record in memory: until all are acknowledged, however often they
// must be tried. In a transaction it returns ErrDoomed after a failure, which [Output.Wait] will return.
func (out *Output) Settle() error {
	if !out.pinned {
		return nil
	}
	out.pinned = false
	if !out.s.o.Transactional {
		return out.Flush()
	}
	return out.acks.settle(out.ctx)
}

// SetAside makes a dead letter of the current record. The letter has a copy of it, because it may wait for its
// acknowledgement much longer than the record's batch should stay in memory. Only a large record is waited for instead
// of copied.
func (out *Output) SetAside(f *deadletter.Fault) {
	if out.copied == nil {
		out.copied = out.record
		if len(out.record.Value) > cloudtrail.HeavyBytes {
			out.pinned = true // see Settle
		} else {
			out.copied = CopyRecord(out.record)
		}
		out.letters.Begin(out.copied)
	}
	out.sendLetter(out.record, f, out.letters.Encode(f))
}

// SetBatchAside makes a dead letter of a whole batch, which r represents.
func (out *Output) SetBatchAside(r *kgo.Record, b *decompress.Batch, f *deadletter.Fault) {
	value, holds := b.Raw(), deadletter.HoldsBatch
	if len(value) > maxBatchLetter {
		value, holds = nil, deadletter.HoldsSource
	}
	first := deadletter.Place{Topic: r.Topic, Partition: r.Partition, Offset: b.First()}
	out.sendLetter(r, f, deadletter.EncodeBatch(out.letters.Topic, first, b.Last(), f, value, holds))
}

// maxBatchLetter is the largest compressed batch that is copied into the dead-letter topic.
const maxBatchLetter = 8 << 20

// sendLetter sends a letter about r.
func (out *Output) sendLetter(r *kgo.Record, f *deadletter.Fault, d *deadletter.Draft) {
	if out.s.o.OnDeadLetter != nil {
		out.seen.addDeadLetter(newDeadLetter(r, f))
	}
	l := &letter{Draft: d}
	for _, part := range l.Records(out.s.limits.Batch(out.letters.Topic)) {
		part.Context = traceOf(out.ctx, r)
		out.send(part, l)
	}
}

// CopyRecord returns a deep copy of r.
func CopyRecord(r *kgo.Record) *kgo.Record {
	c := *r
	c.Key, c.Value, c.Headers = bytes.Clone(r.Key), bytes.Clone(r.Value), slices.Clone(r.Headers)
	for i := range c.Headers {
		c.Headers[i].Key, c.Headers[i].Value = strings.Clone(c.Headers[i].Key), bytes.Clone(c.Headers[i].Value)
	}
	return &c
}

// Close ends the output: what is still in flight no longer counts.
func (out *Output) Close() {
	out.s.mu.Lock()
	defer out.s.mu.Unlock()
	delete(out.s.open, out)
}

// send produces r, which is a record of the letter l, or an alert if l is nil. It waits while the client has too much
// in flight.
func (out *Output) send(r *kgo.Record, l *letter) {
	out.acks.add()
	promise := out.promise
	if l != nil {
		promise = func(r *kgo.Record, err error) { out.acknowledged(r, l, err) }
	}
	out.produce(out.ctx, r, promise)
}

// acknowledged is the promise of every record. The client calls promises one after another, so it must not block.
func (out *Output) acknowledged(r *kgo.Record, l *letter, err error) {
	out.acks.report(Failure{Record: r, Err: err, letter: l}, out.s.o.kindOf(r.Topic), out.s.o.OnAlert != nil)
}

// Take returns what was acknowledged since the last call; all says that everything was.
func (out *Output) Take(all bool) Acked {
	taken := out.acks.take()
	if all {
		taken.letters = out.seen.letters
	}
	out.seen = seen{}
	return taken
}
