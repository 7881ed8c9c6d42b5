package policy

import (
	"encoding/json"
	"time"

	"github.com/regionwatch/regionwatch/processor/policy/regions"
	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

// Decision is what a policy says of one event.
type Decision struct {
	Outcome Outcome
	Level   string // the level that decided: "default", "group sandbox", "account 111122223333"
	Reason  string // for people: "eu-central-1 is in unused_regions"
	Region  string // the region's code where the catalogue knows it and it is unused, decoded; else empty
	// Number is the region's place in [regions.All], or -1 where the catalogue lacks it; 0 where there is no region.
	Number int
	// RegionReason is why the region is unused, or is not; empty where there is no region.
	RegionReason string
	ReadOnly     ReadOnly         // what the event's readOnly is, whatever the outcome
	Severity     string           // of the alert, where the event is a finding
	Account      json.RawMessage  // what the policy knows of the account, as JSON; nil where that is nothing
	Exception    *alert.Exception // what exempts it, where Outcome is OutcomeExempted

}

// IsFinding reports whether the rule matches and nothing exempts the event.
func (d *Decision) IsFinding() bool {
	return d.Outcome == OutcomeAlerted || d.Outcome == OutcomeShadowed
}

// Decide decides e at a time, at which exceptions may have expired; the zero time is after every
// expiry. It allocates nothing for an event that is not a finding, and takes no lock.
//
// An exception applies to whole events only: a damaged one may not say what was read of it.
func (p *Policy) Decide(e *cloudtrail.Event, now time.Time) (d Decision) {
	var s subject
	p.decide(&d, e, now, &s)
	return d
}

// decide is Decide with room of the caller's: d, which is empty, and s, which may be used for one event after the other.
// Nothing so large needs to be copied or cleared for each event.
func (p *Policy) decide(d *Decision, e *cloudtrail.Event, now time.Time, s *subject) {
	a := p.account(e.RecipientAccountID)
	l := a.level
	d.Level, d.ReadOnly = l.name, ReadOnlyOf(e.ReadOnly)
	if !e.AWSRegion.IsString() || len(e.AWSRegion) == len(`""`) {
		d.Outcome, d.Reason = OutcomeNoRegion, "the event has no awsRegion"
		return
	}
	r := findRegion(e.AWSRegion)
	d.Number = r
	unused := l.isUnused(r)
	d.RegionReason = l.why(r, unused)
	if !unused {
		d.Outcome, d.Reason = OutcomeUsedRegion, d.RegionReason
		return
	}
	if r >= 0 {
		d.Region = catalogue[r].Code
	}
	d.Outcome, d.Reason = l.decideReadOnly(d.ReadOnly, d.RegionReason)
	if d.Outcome == OutcomeAlerted {
		p.decideFinding(d, a, r, e, now, s)
	}
}

// decideFinding decides an event that the rule matches.
func (p *Policy) decideFinding(d *Decision, a *account, r int, e *cloudtrail.Event, now time.Time, s *subject) {
	l := a.level
	d.Account, d.Severity = a.facts, l.severityOf(e)
	if e.Damage == nil {
		if l.exemptGlobal && r >= 0 && regions.HasGlobal(r) && isGlobal(r, e.EventSource) {
			d.Outcome, d.Reason = OutcomeGlobalService, "CloudTrail logs this global service in this region only"
			return
		}
		if x := p.exempting(a, r, e, now, s); x != nil {
			d.Outcome, d.Reason, d.Exception = OutcomeExempted, x.reasonText, &x.mark
			return
		}
	}
	if l.shadow {
		d.Outcome = OutcomeShadowed
	}
}

// isGlobal reports whether CloudTrail logs the service in this one region of the partition, wherever the call came from.
func isGlobal(region int, source jsonscan.Value) bool {
	text, ok := plainText(source)
	if !ok {
		text, ok = shortText(source, make([]byte, maxNameBytes))
	}
	return ok && regions.LogsGlobally(region, text)
}

// decideReadOnly decides an event in an unused region; found is the reason of a finding.
func (l *level) decideReadOnly(r ReadOnly, found string) (Outcome, string) {
	switch {
	case r == ReadOnlyFalse:
		return OutcomeAlerted, found
	case r == ReadOnlyTrue:
		return OutcomeReadOnly, "readOnly is true"
	case l.alertOnMissing:
		return OutcomeAlerted, found + ", and readOnly is " + r.String()
	case r == ReadOnlyMissing:
		return OutcomeUnknownReadOnly, "readOnly is missing"
	}
	return OutcomeUnknownReadOnly, "readOnly is neither a boolean nor the text true or false"
}

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

// String returns the outcome's name in metrics.
func (o Outcome) String() string { return outcomeNames[o] }
