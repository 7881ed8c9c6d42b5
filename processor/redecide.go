package processor

import (
	"context"
	"time"

	"github.com/regionwatch/regionwatch/processor/output"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/deadletter"
	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/schema/alert"
)

// Redecider decides single records without a [Processor], with the same code and options, and returns the alerts and
// dead letters instead of writing them. It has no goroutines and no connection, and belongs to one goroutine at a time.
type Redecider struct {
	o       Options
	limits  *output.Limits
	decider decider
	letters deadletter.Encoder
	record  detection.Record
	carried []kgo.RecordHeader // of the record, for its alerts
	made    []*kgo.Record
}

// NewRedecider checks the options and returns a redecider. The error names every fault.
func NewRedecider(o Options) (*Redecider, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	return &Redecider{
		o: o, limits: output.NewLimits(o.MaxRecordBytes), decider: o.newDetector(), letters: deadletter.Encoder{Topic: o.DeadLetterTopic},
	}, nil
}

// LearnLimits asks the brokers for the largest records of the topics that Decide writes to, and of more. A refusal to
// answer is not an error: then Options.MaxRecordBytes applies.
func (d *Redecider) LearnLimits(ctx context.Context, admin *kadm.Client, more ...string) error {
	return d.limits.Ask(ctx, admin, d.o.Logger, append(d.o.outputTopics().Names(), more...)...)
}

// BatchBytes returns the largest known batch of a topic, with the signature that the client library wants.
func (d *Redecider) BatchBytes(topic string) int32 { return d.limits.BatchBytes(topic) }

// Smaller makes the records of a topic smaller from now on, because one was rejected as too large. It reports whether
// they can be smaller.
func (d *Redecider) Smaller(topic string) bool { return d.limits.Quarter(topic) }

// Topics returns the topics that Decide writes to.
func (d *Redecider) Topics() []string { return d.o.outputTopics().Names() }

// Decide decides a record and returns its alerts and dead letters, in order. Alerts are copies; dead letters share the
// memory of r. It gets the policy anew each time.
func (d *Redecider) Decide(r *kgo.Record, at time.Time) (made []*kgo.Record, err error) {
	d.made = nil
	d.letters.Begin(r)
	d.carried, _ = output.Carry(d.o.CopyHeaders, r)
	defer func() {
		if v := recover(); v != nil { // as in decision.guarded
			d.decider = d.o.newDetector()
			made, err = append(d.made, d.letters.Encode(panicked(v)).Records(d.limits.Batch(d.letters.Topic))...), nil
		}
	}()
	err = d.decider.Detect(d.o.Policy(), fill(&d.record, r, at), d)
	return d.made, err
}

// Alert implements detection.Sink.
func (d *Redecider) Alert(a *alert.Alert) error {
	r, _, err := d.limits.AlertRecord(d.o.outputTopics(), d.o.AlertFormat, a, d.carried)
	d.made = append(d.made, r)
	return err
}

// DeadLetter implements detection.Sink.
func (d *Redecider) DeadLetter(letter *detection.DeadLetter) error {
	d.made = append(d.made, d.letters.Encode(output.Fault(letter)).Records(d.limits.Batch(d.letters.Topic))...)
	return nil
}
