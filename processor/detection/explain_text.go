package detection

import (
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// The texts of an explanation, for people. They repeat nothing from an event except region codes of the policy.

// RegionText says whether the region is in use and why.
func (x *Explanation) RegionText() string {
	d := &x.Decision
	switch {
	case d.Outcome == policy.OutcomeNoRegion && x.Event.AWSRegion.IsNull():
		return "none: the event has no awsRegion at its top level"
	case d.Outcome == policy.OutcomeNoRegion:
		return "none: awsRegion is not a text"
	case d.Outcome == policy.OutcomeUsedRegion:
		return "used: " + d.RegionReason
	}
	return "unused: " + d.RegionReason
}

// ReadOnlyText says how readOnly was read.
func (x *Explanation) ReadOnlyText() string {
	r, v := x.Decision.ReadOnly, x.Event.ReadOnly
	switch {
	case r == policy.ReadOnlyMissing && v == nil:
		return "missing: the event has no readOnly at its top level"
	case r == policy.ReadOnlyMissing:
		return "missing: null counts as absent"
	case r == policy.ReadOnlyOdd:
		return "unknown: neither a boolean nor the text true or false"
	case r == policy.ReadOnlyFalse && v.IsString():
		return "false, from a text: the call may write"
	case r == policy.ReadOnlyFalse:
		return "false: the call may write"
	case v.IsString():
		return "true, from a text: the call only reads"
	}
	return "true: the call only reads"
}

// ExceptionText says which exception applies, or would.
func (x *Explanation) ExceptionText() string {
	switch {
	case x.Decision.Exception != nil:
		return exceptionText(x.Decision.Exception)
	case x.Expired != nil:
		return "none applies any more; expired: " + exceptionText(x.Expired)
	}
	return "none"
}

func exceptionText(e *alert.Exception) string {
	text := e.Name
	if e.Owner != "" {
		text += ", owner " + e.Owner
	}
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	return text
}

// DecisionText says how the event was decided and why.
func (x *Explanation) DecisionText() string {
	switch {
	case x.Counted && x.Decision.Outcome == policy.OutcomeAlerted && x.Event.Salvaged:
		return "alert: awsRegion and readOnly were found around the damage, and what is damaged leans to alerting"
	case x.Counted && x.Decision.Outcome == policy.OutcomeAlerted && x.Event.Damage != nil:
		return "alert: awsRegion and readOnly were read before the damage; " + x.Decision.Reason
	case x.Counted && x.Decision.Outcome == policy.OutcomeAlerted:
		return "alert: " + x.Decision.Reason
	case x.Counted && x.Decision.Outcome == policy.OutcomeExempted:
		return "exempted: " + x.Decision.Reason
	case x.Counted && x.Decision.Outcome == policy.OutcomeShadowed:
		return "no alert but a finding of a level in shadow mode: " + x.Decision.Reason
	case x.Counted:
		return "no alert: " + x.Decision.Reason
	case x.Event.Damage == nil:
		return "not decided again: the same event is earlier in the record"
	case x.Decision.Outcome == policy.OutcomeAlerted:
		return "no second alert: the damaged event has made one for another region"
	}
	return "no alert, a dead letter only: the event is damaged, and as far as it can be read " + x.Decision.Reason
}

// DamageText says how damage affects the event; empty if there is none.
func (x *Explanation) DamageText() string {
	switch {
	case x.Event.Salvaged:
		return "the event is damaged before both fields were read; a lenient search of its bytes found this region"
	case x.Event.Damage != nil:
		return "the event is damaged after both fields were read"
	}
	return ""
}

// skipTexts says why each kind has no events to decide.
var skipTexts = [cloudtrail.KindCount]string{
	cloudtrail.KindEmpty:            "it has no content",
	cloudtrail.KindDigest:           "CloudTrail's digest of log files: hashes, no events",
	cloudtrail.KindInsight:          "CloudTrail Insights reports unusual rates, not calls; it has no readOnly",
	cloudtrail.KindControl:          "CloudWatch Logs checks that the destination can be reached",
	cloudtrail.KindS3Notification:   "S3 announces a new object: the events are in the object",
	cloudtrail.KindS3Test:           "S3 checks that notifications arrive",
	cloudtrail.KindLogFileNotice:    "CloudTrail announces a new log file: the events are in the file",
	cloudtrail.KindSNSConfirmation:  "SNS asks to confirm a subscription",
	cloudtrail.KindOtherEventBridge: "an EventBridge event from a source other than CloudTrail",
	cloudtrail.KindAggregated:       "an aggregated event counts calls; it is not a call and has no readOnly",
	cloudtrail.KindValidation:       "CloudTrail checks that the destination can be reached",
}

// SkipText says why this kind has no events to decide.
func SkipText(k cloudtrail.Kind) string {
	if int(k) < len(skipTexts) {
		return skipTexts[k]
	}
	return "holds no events"
}
