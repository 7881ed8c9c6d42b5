package policy

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
