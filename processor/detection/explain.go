package detection

import (
	"time"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// Explanation is the outcome of one event and its reasons. It is valid until [Witness.Event] returns.
type Explanation struct {
	// Event is the event as read: the part before the damage of a damaged one, the region that was tried of a salvaged
	// one.
	Event *cloudtrail.Event
	// Decision is the policy's decision on the event's fields.
	Decision policy.Decision
	// Expired is the exception that would have exempted it before expiring; nil if there is none.
	Expired *alert.Exception
	// Alert is the event's alert; nil if it has none.
	Alert *alert.Alert
	// Counted is set if the event counts as one. A damaged event does not if it makes no alert, or has already made one
	// for another of its regions: its dead letter counts.
	Counted bool
}

// Witness receives everything found in a record, in the record's order.
type Witness interface {
	// Event is called for each event; for a salvaged one once per region found in it, with the same index. An error
	// stops the record; Explain returns it unchanged.
	Event(x *Explanation) error
	// Skip is called for parts without events.
	Skip(k cloudtrail.Kind, shape cloudtrail.Chain)
	// Fault is called for each part that could not be read, after the event it belongs to. The fault is valid until it
	// returns. An error stops the record; Explain returns it unchanged.
	Fault(f *cloudtrail.Fault) error
}

// Explain decides one record with the same code as [Detector.Detect], and reports each step to the witness instead of
// passing on alerts and dead letters.
func (d *Detector) Explain(p *policy.Policy, r *Record, w Witness) error {
	x := explainer{passage: &d.passage, witness: w}
	d.passage.begin(p, r, &x)
	defer d.passage.end()
	return d.decode(r, &x)
}

// explainer sits between the decoder and a passage, and is the passage's sink.
type explainer struct {
	passage *passage
	witness Witness
	alert   *alert.Alert // of the current event
}

// Event lets the passage decide and reports the outcome.
func (x *explainer) Event(e *cloudtrail.Event) error {
	x.alert = nil
	before := x.passage.counts.Events
	_ = x.passage.Event(e) // the error is that of its sink, which is x
	d := x.passage.policy.Decide(e, x.passage.record.DecidedAt)
	return x.witness.Event(&Explanation{
		Event: e, Decision: d, Expired: x.expired(e, &d), Alert: x.alert, Counted: x.passage.counts.Events > before,
	})
}

// expired returns the exception that would exempt a finding if none had expired.
func (x *explainer) expired(e *cloudtrail.Event, d *policy.Decision) *alert.Exception {
	if !d.IsFinding() {
		return nil
	}
	beforeEveryExpiry := time.Time{}.Add(1) // the zero time itself is after every expiry
	return x.passage.policy.Decide(e, beforeEveryExpiry).Exception
}

// Skip counts and reports.
func (x *explainer) Skip(k cloudtrail.Kind, shape cloudtrail.Chain) {
	x.passage.Skip(k, shape)
	x.witness.Skip(k, shape)
}

// Fault counts and reports.
func (x *explainer) Fault(f *cloudtrail.Fault) error {
	_ = x.passage.Fault(f) // it keeps the fault
	return x.witness.Fault(f)
}

// Alert keeps the alert, which stays valid in the passage's buffers until the next one.
func (x *explainer) Alert(a *alert.Alert) error { x.alert = a; return nil }

// DeadLetter does nothing: Fault reported the faults.
func (x *explainer) DeadLetter(*DeadLetter) error { return nil }
