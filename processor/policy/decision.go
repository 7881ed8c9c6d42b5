package policy

import (
	"encoding/json"
	"time"

	"github.com/regionwatch/regionwatch/processor/policy/regions"
	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

// Decision is what a policy says about an event.
type Decision struct {
	Outcome Outcome
	Level   string // the level that decided: "default", "group sandbox", "account 111122223333"
	Reason  string // for people: "eu-central-1 is in unused_regions"
	Region  string // the region's code, decoded, if the catalogue knows it and it is unused; else empty
	// Number is the region's index in [regions.All], or -1 if the catalogue lacks it; 0 without a region.
	Number int
	// RegionReason says why the region is unused or in use; empty without a region.
	RegionReason string
	ReadOnly     ReadOnly         // the event's readOnly, whatever the outcome
	Severity     string           // of the alert, if the event is a finding
	Account      json.RawMessage  // what the policy knows of the account, as JSON; nil if nothing
	Exception    *alert.Exception // the one that exempts it, if Outcome is OutcomeExempted

}

// IsFinding reports whether the rule matches and no exception exempts the event.
func (d *Decision) IsFinding() bool {
	return d.Outcome == OutcomeAlerted || d.Outcome == OutcomeShadowed
}

// Decide decides e at a time, by which exceptions may have expired; the zero time is after every expiry. It takes no
// lock, and allocates nothing for an event that is not a finding.
//
// Exceptions apply to complete events only: what was read of a damaged one may not be what it said.
func (p *Policy) Decide(e *cloudtrail.Event, now time.Time) (d Decision) {
	var s subject
	p.decide(&d, e, now, &s)
	return d
}

// decide is Decide with the caller's memory: d, which is empty, and s, which is reused from event to event. Both are
// too large to copy or clear for each event.
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

// isGlobal reports whether CloudTrail logs the service only in this region of the partition, wherever the call came
// from.
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

// Outcome is the result of deciding an event. The zero value is OutcomeNone.
type Outcome uint8

// The outcomes. Each event that was read has exactly one.
const (
	OutcomeNone            Outcome = iota
	OutcomeAlerted                 // a finding: an alert was made
	OutcomeExempted                // it would be a finding, but an exception applies
	OutcomeUsedRegion              // passed: the region is in use
	OutcomeReadOnly                // passed: readOnly is true
	OutcomeUnknownReadOnly         // passed: readOnly is missing or not a boolean, and the policy passes those
	OutcomeNoRegion                // passed: the event has no awsRegion
	OutcomeGlobalService           // passed: the region is unused, but a global service is logged there
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
