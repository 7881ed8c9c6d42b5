package detection

import (
	"maps"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// Counts counts input and outcomes. Between records it always adds up:
// Events = the sum of Outcomes, and Records = Done + DeadLettered.
type Counts struct {
	Records      uint64 // records read
	Done         uint64 // records read without a fault
	DeadLettered uint64 // records with at least one fault
	Bytes        uint64 // of the records as fetched

	Events   uint64 // events decided
	Outcomes [policy.OutcomeCount]uint64
	// Exempted counts the events of policy.OutcomeExempted by the exception's name; nil if there are none.
	Exempted map[string]uint64
	// Alerted counts the events of policy.OutcomeAlerted by region and severity; nil if there are none.
	Alerted  map[AlertedKind]uint64
	Partial  uint64 // findings of damaged events, among Outcomes[policy.OutcomeAlerted] and Outcomes[policy.OutcomeShadowed]
	Salvaged uint64 // among Partial
	Copies   uint64 // events that are in their record more than once, perhaps as text and parsed; not among Events
	BadUTF8  uint64 // events with invalid UTF-8 or lone surrogates
	// policy.ReadOnlyMissing and policy.ReadOnlyOdd count events without readOnly (or null), and with one that is
	// neither a boolean nor the string true or false.
	ReadOnlyMissing uint64
	ReadOnlyOdd     uint64

	Faults [cloudtrail.ReasonCount]uint64
	Skips  [cloudtrail.KindCount]uint64
	Shapes [cloudtrail.ShapeCount]uint64 // by the outermost layer of each event
	// Regions counts the events with a region, by its index in what [Regions] returns; regions that the catalogue lacks
	// share OtherRegion. An event's own text is never a key.
	Regions [RegionSlots]RegionEvents
}

// AlertedKind is a kind of events that alerted. There are few: it never contains an event's own text.
type AlertedKind struct {
	Region   string // its code, or "other" if the catalogue lacks it
	Severity string // one of Severities
}

// Passed returns how many events were neither findings nor exempted.
func (c *Counts) Passed() uint64 {
	return c.Events - c.Outcomes[policy.OutcomeAlerted] - c.Outcomes[policy.OutcomeShadowed] - c.Outcomes[policy.OutcomeExempted]
}

// Clone returns a copy that shares nothing with c.
func (c *Counts) Clone() Counts {
	copied := *c
	copied.Exempted = maps.Clone(c.Exempted)
	copied.Alerted = maps.Clone(c.Alerted)
	return copied
}

// exempted counts an event that the named exception exempts.
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
	c.Copies += o.Copies
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

// RegionSlots is the length of Counts.Regions: more than the catalogue has regions.
const RegionSlots = 64

// OtherRegion is the slot of every region that the catalogue lacks.
const OtherRegion = RegionSlots - 1

// RegionEvents counts the events of one region, by what the policy of their account says about it.
type RegionEvents struct {
	Used    uint64 // the region is in use
	Unused  uint64 // the region is unused, and the event raised no alert
	Alerted uint64
}

// Total returns their sum.
func (r *RegionEvents) Total() uint64 { return r.Used + r.Unused + r.Alerted }

func (r *RegionEvents) add(o *RegionEvents) {
	r.Used += o.Used
	r.Unused += o.Unused
	r.Alerted += o.Alerted
}

// count counts one event. One without a region is not counted.
func (r *RegionEvents) count(o policy.Outcome) {
	switch o {
	case policy.OutcomeUsedRegion:
		r.Used++
	case policy.OutcomeAlerted:
		r.Alerted++
	case policy.OutcomeNoRegion:
	default:
		r.Unused++
	}
}
