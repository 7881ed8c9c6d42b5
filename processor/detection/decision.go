package detection

import "github.com/regionwatch/regionwatch/schema/cloudtrail"

// Decision is what a policy says of one event.
type Decision struct {
	Outcome Outcome
	Level   string // the level that decided: "default"
	Reason  string // for people: "eu-central-1 is in unused_regions"
	Region  string // the region's code where the policy names it, decoded; else empty
	// RegionReason is why the region is unused, or is not; empty where there is no region.
	RegionReason string
	ReadOnly     ReadOnly // what the event's readOnly is, whatever the outcome
}

// Decide says what becomes of e. It allocates nothing for an event that is not a finding.
func (p *Policy) Decide(e *cloudtrail.Event) Decision {
	l := p.level(e.RecipientAccountID)
	d := Decision{Level: l.name, ReadOnly: readOnlyOf(e.ReadOnly)}
	if !e.AWSRegion.IsString() || len(e.AWSRegion) == len(`""`) {
		d.Outcome, d.Reason = OutcomeNoRegion, "the event has no awsRegion"
		return d
	}
	v, unused := l.verdict(e.AWSRegion)
	if !unused {
		d.Outcome, d.Reason = OutcomeUsedRegion, "the region is not in unused_regions"
		d.RegionReason = d.Reason
		return d
	}
	d.Region, d.RegionReason = v.region, v.reason
	d.Outcome, d.Reason = p.decideReadOnly(d.ReadOnly, v.reason)
	return d
}

// decideReadOnly decides an event in an unused region; found is the reason of a finding.
func (p *Policy) decideReadOnly(r ReadOnly, found string) (Outcome, string) {
	switch {
	case r == ReadOnlyFalse:
		return OutcomeAlerted, found
	case r == ReadOnlyTrue:
		return OutcomeReadOnly, "readOnly is true"
	case p.alertOnMissing:
		return OutcomeAlerted, found + ", and readOnly is " + r.String()
	case r == ReadOnlyMissing:
		return OutcomeUnknownReadOnly, "readOnly is missing"
	}
	return OutcomeUnknownReadOnly, "readOnly is neither a boolean nor the text true or false"
}
