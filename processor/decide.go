package processor

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/regionwatch/regionwatch/processor/output"

	"github.com/regionwatch/regionwatch/processor/progress"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/deadletter"
	"github.com/regionwatch/regionwatch/processor/decompress"
	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// decider turns a record's bytes into alerts and dead letters, and counts. It belongs to one goroutine at a time. It
// separates us from detection.Detector so that tests can control the decision.
type decider interface {
	Detect(p *policy.Policy, r *detection.Record, sink detection.Sink) error
	// take returns the counts since the last call.
	take() detection.Counts
}

// detector is the decider used in production.
type detector struct{ *detection.Detector }

func (d detector) take() detection.Counts {
	counts := d.Counts
	d.Counts = detection.Counts{}
	return counts
}

// newDetector returns a decider with these options.
func (o *Options) newDetector() decider {
	return detector{detection.NewDetector(detection.Options{
		MaxEventBytes: o.MaxEventBytes,
		NoEventCopy:   o.NoEventCopy,
		MaxEventCopy:  4 * o.MaxRecordBytes, // white space may be part of it, but no larger part
		Shadowed:      o.ShadowTopic != "",
		Exempted:      o.ExemptedTopic != "",
	})}
}

// deciders are all deciders of the process. A worker has one only while it decides, so that their buffers do not grow
// with the number of partitions.
type deciders struct {
	free chan decider // nil represents one not yet made
	// heavy holds a token unless something that takes much memory is being decided: one at a time in the process.
	heavy chan struct{}
}

// maxDeciders is how many records are decided at a time: more than there are cores, because a worker waits within a
// decision while the client has too much in flight.
func maxDeciders() int { return 2*runtime.GOMAXPROCS(0) + 2 }

func newDeciders() *deciders {
	d := &deciders{free: make(chan decider, maxDeciders()), heavy: make(chan struct{}, 1)}
	for range cap(d.free) {
		d.free <- nil
	}
	d.heavy <- struct{}{}
	return d
}

// decision decides records and sends the results. It belongs to one goroutine at a time.
type decision struct {
	p      *Processor
	client *kgo.Client
	output *output.Output
	quit   <-chan struct{} // closed to stop at the next record; nil means never
	// holdings has the state of a stage; nil without one.
	holdings *holdings

	decider  decider // while records are being decided
	record   detection.Record
	turn     bool // whether it has the token of deciders.heavy
	waitTurn func() error
	done     decided
}

func (p *Processor) newDecision(client *kgo.Client, out *output.Output, quit <-chan struct{}) *decision {
	d := &decision{p: p, client: client, output: out, quit: quit}
	d.waitTurn = d.takeTurn
	return d
}

// decided is the counts of decisions.
type decided struct {
	detection.Counts
	panics  uint64
	batches uint64 // set aside as too large
	inside  int    // records in batches that were polled as one record each, beyond that one
}

// addTo adds what is finally done to the totals.
func (d *decided) addTo(t *progress.Totals) {
	t.Counts.Add(&d.Counts)
	t.Panics += d.panics
	t.LargeBatches += d.batches
	t.Read += uint64(d.inside) // wraps around for -1, an empty batch
}

// take returns the counts since the last call.
func (d *decision) take() decided {
	done := d.done
	d.done = decided{}
	return done
}

// stopped returns errStopped once the decision must stop.
func (d *decision) stopped() error {
	select {
	case <-d.quit:
		return errStopped
	default:
		return nil
	}
}

// decide has records decided, in order, and returns how many. When stopped, it stops between two records. Only a record
// with very many alerts, or one that waits for its turn, is abandoned halfway, and then all of them are.
func (d *decision) decide(p *policy.Policy, at time.Time, records []*kgo.Record) (n int, err error) {
	select {
	case <-d.quit:
		return 0, errStopped
	case d.decider = <-d.p.deciders.free:
	}
	defer func() {
		d.collect()
		d.p.deciders.free <- d.decider
		d.decider = nil
		d.forget()
	}()
	for i, r := range records {
		if err := d.stopped(); err != nil {
			return i, err
		}
		if r.Attrs.IsControl() {
			continue
		}
		if b := d.p.decompressor.Batch(r); b != nil {
			err = d.batch(p, at, r, b)
		} else {
			err = d.one(p, at, r)
		}
		if err != nil {
			return 0, err
		}
	}
	return len(records), nil
}

// forget drops the last record, whose batch would otherwise be kept while the worker is idle.
func (d *decision) forget() {
	d.record = detection.Record{}
	d.output.Begin(nil)
}

// collect takes the decider's counts.
func (d *decision) collect() {
	if d.decider != nil {
		counts := d.decider.take()
		d.done.Counts.Add(&counts)
	}
}

// one decides a record.
func (d *decision) one(p *policy.Policy, at time.Time, r *kgo.Record) error {
	if d.p.o.Stage != nil {
		return d.group(r, at)
	}
	if !d.turn {
		defer d.endTurn()
	}
	if d.decider == nil {
		d.decider = d.p.newDecider()
	}
	d.output.Begin(r)
	fill(&d.record, r, at)
	d.record.Heavy = d.waitTurn
	if err := d.guarded(p, r); err != nil {
		return err
	}
	return d.output.Settle()
}

// group has the stage take a record.
func (d *decision) group(r *kgo.Record, at time.Time) error {
	d.output.Begin(r)
	fault := panicked("before")
	if !d.p.staged.isPoison(r) {
		var err error
		if fault, err = d.taken(r, at); err != nil {
			return err
		}
	} else {
		d.done.panics++
	}
	d.done.Records++
	d.done.Bytes += uint64(len(r.Value))
	if fault == nil {
		d.done.Done++
		return nil
	}
	d.done.DeadLettered++
	d.output.SetAside(fault)
	return d.output.Settle()
}

// taken has the stage take a record. After a panic its state is unknown: the transaction ends, and in the next one the
// record is set aside.
func (d *decision) taken(r *kgo.Record, at time.Time) (fault *deadletter.Fault, err error) {
	defer func() {
		if v := recover(); v != nil {
			d.p.log.Error("BUG: grouping a record panicked; it is set aside as a dead letter", "topic", r.Topic, "partition", r.Partition,
				"offset", r.Offset, "panic", v, "stack", string(debug.Stack()))
			d.p.staged.addPoison(r)
			err = errPoison
		}
	}()
	return d.holdings.held[kadm.Partition{Topic: r.Topic, Partition: r.Partition}].Take(r, at), nil
}

// guarded decides d.record. A panic is a fault of this program that a producer may know how to cause repeatedly: the
// record is set aside, and the next one decided.
func (d *decision) guarded(p *policy.Policy, r *kgo.Record) error {
	defer func() {
		if v := recover(); v != nil {
			d.p.log.Error("BUG: deciding a record panicked; it is set aside as a dead letter", "topic", r.Topic, "partition", r.Partition,
				"offset", r.Offset, "panic", v, "stack", string(debug.Stack()))
			d.collect()
			d.decider = nil // its state is unknown
			d.done.Records++
			d.done.DeadLettered++
			d.done.panics++
			d.output.SetAside(panicked(v))
		}
	}()
	return d.decider.Detect(p, &d.record, d.output)
}

func panicked(v any) *deadletter.Fault {
	return &deadletter.Fault{Reason: deadletter.ReasonPanic, Err: fmt.Errorf("deciding panicked: %v", v), Index: -1, Offset: -1}
}

// takeTurn waits until nothing else that takes much memory is being decided.
func (d *decision) takeTurn() error {
	if d.turn {
		return nil
	}
	select {
	case <-d.p.deciders.heavy:
		d.turn = true
		return nil
	case <-d.quit:
		return errStopped
	}
}

// endTurn lets the next one have its turn, and drops all references to what took the memory.
func (d *decision) endTurn() {
	if d.turn {
		d.collect()
		d.decider = nil
		d.forget()
		d.turn = false
		d.p.deciders.heavy <- struct{}{}
	}
}

// batch decides the records of the batch that r represents, or sets the batch aside.
func (d *decision) batch(p *policy.Policy, at time.Time, r *kgo.Record, b *decompress.Batch) error {
	if err := d.takeTurn(); err != nil {
		return err
	}
	defer d.endTurn()
	unpacked, err := d.p.decompressor.Open(b)
	if err != nil {
		d.setBatchAside(r, b, err)
		return nil
	}
	from := d.client.CommittedOffsets()[r.Topic][r.Partition].Offset
	n := 0
	for record, err := range b.Each(r, unpacked) {
		if err != nil {
			d.countInside(n) // what was polled is the dead letter
			d.setBatchAside(r, b, err)
			return nil
		}
		if record.Offset < from {
			continue
		}
		if err := d.stopped(); err != nil {
			return err
		}
		if err := d.one(p, at, record); err != nil {
			return err
		}
		n++
	}
	d.countInside(n - 1)
	return nil
}

// countInside counts n records of a batch beyond the one that was polled.
func (d *decision) countInside(n int) {
	d.done.inside += n
	d.p.pace.Spend(n)
}

// setBatchAside makes a dead letter of a batch that cannot be read.
func (d *decision) setBatchAside(r *kgo.Record, b *decompress.Batch, cause error) {
	f := deadletter.Fault{Reason: cloudtrail.ReasonCompression.String(), Err: cause, Index: -1, Offset: -1}
	if errors.Is(cause, decompress.ErrTooLarge) {
		f.Reason = deadletter.ReasonBatchTooLarge
		d.done.batches++
	} else {
		d.done.Faults[cloudtrail.ReasonCompression]++
	}
	d.p.log.Error("a batch cannot be read; it is set aside as a dead letter", "topic", r.Topic, "partition", r.Partition,
		"first", b.First(), "last", b.Last(), "compressed_bytes", len(b.Raw()), "reason", f.Reason, "error", cause)
	d.done.Records++
	d.done.DeadLettered++
	d.output.SetBatchAside(r, b, &f)
}
