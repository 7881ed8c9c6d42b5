package detection

import (
	"cmp"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// passage is one record on its way through a Detector. The decoder passes events and faults to it.
type passage struct {
	counts   *Counts
	enricher enricher
	wanted   [policy.OutcomeCount]bool // outcomes that make an alert

	policy *policy.Policy
	record *Record
	sink   Sink
	// decider caches identities across records.
	decider policy.Decider

	copies       copies
	alerted      int
	partialIndex int    // the damaged event that alerted last, or -1
	partialID    string // and the id of its alert

	faults []DeadLetter
	pieces []byte // the bytes of the faults, which outlive the decoder's buffers
}

func (p *passage) begin(under *policy.Policy, r *Record, sink Sink) {
	p.policy, p.record, p.sink = under, r, sink
	p.alerted, p.partialIndex, p.partialID = 0, -1, ""
	p.copies.begin()
}

// end drops what belongs to the record.
func (p *passage) end() {
	p.policy, p.record, p.sink = nil, nil, nil
	p.decider.Release()
	clear(p.faults)
	p.faults = p.faults[:0]
	if cap(p.pieces) > maxKept {
		p.pieces = nil
	}
	p.pieces = p.pieces[:0]
	p.enricher.release()
}

// Event decides one event and passes on its alert.
func (p *passage) Event(e *cloudtrail.Event) error {
	var d policy.Decision
	p.decider.Decide(&d, p.policy, e, p.record.DecidedAt)
	if e.Damage != nil {
		// A damaged event counts as an event only if it alerts, otherwise only as a fault. It may come several times,
		// once per region salvaged from it: the first unused one alerts.
		if !d.IsFinding() || e.Index == p.partialIndex {
			return nil
		}
		p.partialIndex, p.partialID = e.Index, ""
	}
	single := e.Shape.At(0) == cloudtrail.ShapeEvent // the record has nothing else
	if !single && p.copies.isCopy(e, d.IsFinding()) {
		p.counts.Copies++
		return nil
	}
	p.count(&d, e)
	if !p.wanted[d.Outcome] {
		return nil
	}
	a := p.enricher.enrich(p.policy, &d, e, p.record)
	if d.Outcome == policy.OutcomeAlerted {
		p.alerted++
	}
	if e.Damage != nil {
		p.partialID = a.ID
	}
	return p.sink.Alert(a)
}

func (p *passage) count(d *policy.Decision, e *cloudtrail.Event) {
	c := p.counts
	c.Events++
	c.Outcomes[d.Outcome]++
	c.Regions[uint(d.Number)%RegionSlots].count(d.Outcome) // -1 is OtherRegion
	if d.Outcome == policy.OutcomeAlerted {
		c.alerted(AlertedKind{cmp.Or(d.Region, "other"), d.Severity}, 1)
	}
	if d.Exception != nil {
		c.exempted(d.Exception.Name, 1)
	}
	c.Shapes[e.Shape.At(0)]++
	if e.InvalidUTF8 {
		c.BadUTF8++
	}
	switch d.ReadOnly {
	case policy.ReadOnlyMissing:
		c.ReadOnlyMissing++
	case policy.ReadOnlyOdd:
		c.ReadOnlyOdd++
	}
	if e.Damage != nil {
		c.Partial++
	}
	if e.Salvaged {
		c.Salvaged++
	}
}

// Skip counts parts without events.
func (p *passage) Skip(k cloudtrail.Kind, _ cloudtrail.Chain) { p.counts.Skips[k]++ }

// Fault keeps the fault until the record's alerts are known.
func (p *passage) Fault(f *cloudtrail.Fault) error {
	p.counts.Faults[f.Reason]++
	if n := len(p.faults); n == MaxDeadLetters {
		p.faults[n-1].Count++
		return nil
	}
	letter := DeadLetter{Fault: *f, Count: 1}
	start := len(p.pieces)
	p.pieces = append(p.pieces, f.Piece...)
	letter.Piece = p.pieces[start:len(p.pieces):len(p.pieces)]
	if f.Index == p.partialIndex {
		letter.AlertID = p.partialID
	}
	p.faults = append(p.faults, letter)
	return nil
}

// handOnFaults passes on the dead letters once all alerts are known.
func (p *passage) handOnFaults() error {
	for i := range p.faults {
		p.faults[i].Alerted = p.alerted
		if err := p.sink.DeadLetter(&p.faults[i]); err != nil {
			return err
		}
	}
	return nil
}
