package detection

import (
	"maps"

	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// Outcome is what became of an event. The zero value is OutcomeNone.
type Outcome uint8

// The outcomes. Each event that was read has exactly one.
const (
	OutcomeNone            Outcome = iota
	OutcomeAlerted                 // a finding: an alert was made
	OutcomeExempted                // it would be a finding, but an exception holds
	OutcomeUsedRegion              // passed: the region is in use
	OutcomeReadOnly                // passed: readOnly is true
	OutcomeUnknownReadOnly         // passed: readOnly is missing or no boolean, and the policy passes those
	OutcomeNoRegion                // passed: the event has no awsRegion
	OutcomeGlobalService           // passed: the region is unused, but it is where a global service is logged
	OutcomeShadowed                // a finding of a level in shadow mode
	outcomeCount
)

// OutcomeCount is the number of outcomes, for arrays indexed by Outcome.
const OutcomeCount = int(outcomeCount)

var outcomeNames = [outcomeCount]string{
	"none", "alerted", "exempted", "used-region", "read-only", "unknown-read-only", "no-region",
	"global-service", "shadowed",
}

// String returns the outcome's name as it stands in metrics.
func (o Outcome) String() string { return outcomeNames[o] }

// Counts is what went in and what came out. At any time between records it adds up:
// Events = the sum of Outcomes, and Records = Done + DeadLettered.
type Counts struct {
	Records      uint64 // records read
	Done         uint64 // records read without a fault
	DeadLettered uint64 // records with at least one fault
	Bytes        uint64 // of the records as they came

	Events   uint64 // events decided
	Outcomes [OutcomeCount]uint64
	// Exempted counts the events of OutcomeExempted by the exception's name; nil where there are none.
	Exempted map[string]uint64
	// Alerted counts the events of OutcomeAlerted by where they were and how severe; nil where there are none.
	Alerted  map[AlertedKind]uint64
	Partial  uint64 // findings of damaged events, among Outcomes[OutcomeAlerted] and Outcomes[OutcomeShadowed]
	Salvaged uint64 // among Partial
	BadUTF8  uint64 // events with invalid UTF-8 or lone surrogates
	// ReadOnlyMissing and ReadOnlyOdd count events without readOnly (or null), and with one that is
	// neither a boolean nor the string true or false.
	ReadOnlyMissing uint64
	ReadOnlyOdd     uint64

	Faults [cloudtrail.ReasonCount]uint64
	Skips  [cloudtrail.KindCount]uint64
	Shapes [cloudtrail.ShapeCount]uint64 // by the outermost layer of each event
	// Regions counts the events that have a region, by its place in what [Regions] returns; those that the catalogue
	// lacks are all in OtherRegion. An event's own text is never a key.
	Regions [RegionSlots]RegionEvents
}

// AlertedKind is a kind of events that alerted. There are few: an event's own text is never a part of it.
type AlertedKind struct {
	Region   string // its code, or "other" where the catalogue lacks it
	Severity string // one of Severities
}

// Passed returns how many events were neither findings nor exempted.
func (c *Counts) Passed() uint64 {
	return c.Events - c.Outcomes[OutcomeAlerted] - c.Outcomes[OutcomeShadowed] - c.Outcomes[OutcomeExempted]
}

// Clone returns a copy that shares nothing with c.
func (c *Counts) Clone() Counts {
	copied := *c
	copied.Exempted = maps.Clone(c.Exempted)
	copied.Alerted = maps.Clone(c.Alerted)
	return copied
}

// exempted counts an event that an exception of that name exempts.
func (c *Counts) exempted(name string, n uint64) {
	if c.Exempted == nil {
		c.Exempted = make(map[string]uint64)
	}
	c.Exempted[name] += n
}

// alerted counts events that alerted.
func (c *Counts) alerted(kind AlertedKind, n uint64) {
	if c.Alerted == nil {
		c.Alerted = make(map[AlertedKind]uint64)
	}
	c.Alerted[kind] += n
}

// Add adds o to c.
func (c *Counts) Add(o *Counts) {
	c.Records += o.Records
	c.Done += o.Done
	c.DeadLettered += o.DeadLettered
	c.Bytes += o.Bytes
	c.Events += o.Events
	c.Partial += o.Partial
	c.Salvaged += o.Salvaged
	c.BadUTF8 += o.BadUTF8
	c.ReadOnlyMissing += o.ReadOnlyMissing
	c.ReadOnlyOdd += o.ReadOnlyOdd
	for i := range c.Outcomes {
		c.Outcomes[i] += o.Outcomes[i]
	}
	for name, n := range o.Exempted {
		c.exempted(name, n)
	}
	for kind, n := range o.Alerted {
		c.alerted(kind, n)
	}
	for i := range c.Faults {
		c.Faults[i] += o.Faults[i]
	}
	for i := range c.Skips {
		c.Skips[i] += o.Skips[i]
	}
	for i := range c.Shapes {
		c.Shapes[i] += o.Shapes[i]
	}
	for i := range c.Regions {
		c.Regions[i].add(&o.Regions[i])
	}
}
