package processor

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/schema/alert"
)

// Redecider decides single records outside of [Processor.Run], by the same code and under the same options,
// and returns what there is to write instead of writing it. It belongs to one goroutine at a time.
type Redecider struct {
	p       *Processor
	decider decider
	letters deadLetters
	record  detection.Record
	made    []*kgo.Record
}

// NewRedecider returns a redecider. The processor may run or not.
func (p *Processor) NewRedecider() *Redecider {
	return &Redecider{p: p, decider: p.newDecider(), letters: deadLetters{topic: p.o.DeadLetterTopic}}
}

// LearnLimits asks the brokers how large records may be, of the topics that Decide writes to and of those that
// are named. A refusal to answer is no error: then Options.MaxRecordBytes holds.
func (d *Redecider) LearnLimits(ctx context.Context, admin *kadm.Client, more ...string) error {
	return d.p.learnLimitsOf(ctx, admin, append(d.p.o.outputTopics(), more...)...)
}

// BatchBytes returns the largest batch that a topic takes, as far as it is known, in the form that the client
// library asks for.
func (d *Redecider) BatchBytes(topic string) int32 { return d.p.limits.batchBytes(topic) }

// Smaller makes the records of a topic smaller from now on, because one was rejected as too large. It reports
// whether there was room to.
func (d *Redecider) Smaller(topic string) bool { return d.p.limits.quarter(topic) }

// Topics returns the topics that Decide writes to.
func (d *Redecider) Topics() []string { return d.p.o.outputTopics() }

// Decide decides a record and returns its alerts and dead letters, in order. They stand in memory of their
// own, but for dead letters, which share that of r. The policy is asked for each time.
func (d *Redecider) Decide(r *kgo.Record, at time.Time) ([]*kgo.Record, error) {
	d.made = nil
	d.letters.record, d.letters.n, d.letters.sent = r, 0, 0
	err := d.decider.Detect(d.p.o.Policy(), fill(&d.record, r, at), d)
	return d.made, err
}

// Alert implements detection.Sink.
func (d *Redecider) Alert(a *alert.Alert) error {
	r := alertRecord(d.p.o.findingTopic(a), d.p.o.AlertFormat, a)
	value, err := d.p.o.AlertFormat.Shrink(r.Value, d.p.limits.value(r))
	if err != nil {
		return err
	}
	r.Value = value
	d.made = append(d.made, r)
	return nil
}

// DeadLetter implements detection.Sink.
func (d *Redecider) DeadLetter(letter *detection.DeadLetter) error {
	d.made = append(d.made, d.letters.letter(letter).records(d.p.limits)...)
	return nil
}
