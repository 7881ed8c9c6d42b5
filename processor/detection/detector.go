// Package detection turns a record into alerts: it decodes the events, lets the policy decide each of them, and makes
// alerts with what an analyst needs to know.
//
// It is pure: no Kafka, no clock, no I/O, no goroutines. The same bytes under the same policy give the same alerts. A
// [Detector] belongs to one goroutine at a time.
package detection

import (
	"hash/maphash"
	"time"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/processor/policy/regions"
	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// Record is one record to decide: its bytes, and where it came from. For a file, File is set and Topic is empty.
type Record struct {
	Value     []byte
	Topic     string
	Partition int32
	Offset    int64 // in the partition, or in bytes from the start of the file
	Timestamp time.Time
	File      string
	// Identity returns a lasting name of the record, for events without an id; nil means topic, partition and offset.
	// It is called for such findings only, because it may be a hash of the content.
	Identity func() string
	// Heavy, if set, is called before deciding the record takes much memory, see [cloudtrail.Decoder]. Its error stops
	// the record; Detect returns it unchanged.
	Heavy func() error
	// DecidedAt is the time by which exceptions may have expired, see [policy.Policy.Decide].
	DecidedAt time.Time
}

// DeadLetter is a part of a record that could not be read, and what the record alerted nevertheless.
type DeadLetter struct {
	cloudtrail.Fault
	// AlertID is the id of the partial alert for the damaged event itself; empty if there is none.
	AlertID string
	// Alerted is how many alerts the whole record raised.
	Alerted int
	// Count is how many faults this one represents: 1, or more for the last of a record with more faults than
	// MaxDeadLetters.
	Count int
}

// MaxDeadLetters limits the dead letters of one record; the last one counts the faults beyond.
const MaxDeadLetters = 64

// Sink receives the alerts and dead letters of a record.
type Sink interface {
	// Alert is called for each alert, in the record's order. The alert is valid until it returns. An error stops the
	// record; Detect returns it unchanged.
	Alert(a *alert.Alert) error
	// DeadLetter is called for each fault, after all alerts of the record. The dead letter is valid until it returns.
	// An error stops the record; Detect returns it unchanged.
	DeadLetter(d *DeadLetter) error
}

// Options of a Detector. The zero value is usable.
type Options struct {
	MaxEventBytes int  // bytes of a record after decompression; 0 means cloudtrail.DefaultMaxBytes
	NoEventCopy   bool // leave the copy of the event out of the alerts
	MaxEventCopy  int  // bytes of an event, white space included, beyond which it is not copied; 0 means no limit
	Shadowed      bool // make alerts of findings in shadow mode too, marked as such
	Exempted      bool // make alerts of exempted events too, marked as such
}

// Detector turns records into alerts and dead letters, and counts. Make it with [NewDetector]; it belongs to one
// goroutine at a time.
type Detector struct {
	// Counts grows with every record. The owner may read and reset it between records.
	Counts Counts

	decoder *cloudtrail.Decoder
	passage passage
}

// NewDetector returns a detector.
func NewDetector(o Options) *Detector {
	d := &Detector{decoder: cloudtrail.NewDecoder(o.MaxEventBytes)}
	d.decoder.KnownRegion = func(code []byte) bool { return regions.Index(code) >= 0 }
	d.passage.counts = &d.Counts
	d.passage.copies.seed = maphash.MakeSeed()
	d.passage.enricher.noEventCopy, d.passage.enricher.maxEventCopy = o.NoEventCopy, o.MaxEventCopy
	d.passage.wanted = [policy.OutcomeCount]bool{policy.OutcomeAlerted: true, policy.OutcomeShadowed: o.Shadowed, policy.OutcomeExempted: o.Exempted}
	return d
}

// Detect decides one record under p. The error is the sink's; an unreadable record is a DeadLetter, never an error. A
// record that the sink stopped counts as far as it was read.
func (d *Detector) Detect(p *policy.Policy, r *Record, sink Sink) error {
	d.passage.begin(p, r, sink)
	defer d.passage.end()
	if err := d.decode(r, &d.passage); err != nil {
		return err
	}
	return d.passage.handOnFaults()
}

// decode reads the record and counts it. The error is the sink's.
func (d *Detector) decode(r *Record, sink cloudtrail.Sink) error {
	d.Counts.Bytes += uint64(len(r.Value))
	d.decoder.Heavy = r.Heavy
	d.decoder.LostReadOnly = d.passage.policy.AlertsOnMissingReadOnly()
	err := d.decoder.Decode(r.Value, sink)
	d.Counts.Records++
	if len(d.passage.faults) > 0 {
		d.Counts.DeadLettered++
	} else {
		d.Counts.Done++
	}
	return err
}
