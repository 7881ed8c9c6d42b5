package detection

import (
	"errors"
	"strconv"
	"time"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/processor/policy/regions"
	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

// maxTitleName limits the principal's name in a title.
const maxTitleName = 256

// The codes of partialReason. They are part of the format: codes are added, never changed.
const (
	partialSyntax    = "syntax"    // the event is not JSON after the decisive fields
	partialTruncated = "truncated" // it ends after them
	partialSalvaged  = "salvaged"  // the decisive fields were found around the damage
)

// enricher makes alerts of findings. An alert is valid until the next one, because the enricher reuses its buffers.
type enricher struct {
	noEventCopy  bool
	maxEventCopy int

	alert alert.Alert
	texts texts
	clean []byte // the raw values of the alert
	arns  []span
	list  [MaxARNs]string

	name      span // the principal's name
	partition int32
	shape     cloudtrail.Chain // the last chain, and its text
	shapeText string
}

// enrich makes the alert of a finding.
func (en *enricher) enrich(p *policy.Policy, d *policy.Decision, e *cloudtrail.Event, r *Record) *alert.Alert {
	en.texts.reset()
	en.clean = en.clean[:0]
	en.alert = alert.Alert{
		RuleID: RuleID, RuleName: RuleName, Severity: d.Severity, Description: RuleDescription,
		Runbook: RuleRunbook, Reference: RuleReference, Tags: ruleTags, MitreAttack: ruleTechniques,
		Policy: alert.Policy{
			Version: p.Version(), Hash: p.Hash(), Level: d.Level, Reason: d.Reason, Account: d.Account, Exception: d.Exception,
		},
	}
	if d.Outcome == policy.OutcomeShadowed {
		en.alert.Policy.Mode = alert.ModeShadow
	}
	id := readIdentity(e.UserIdentity)
	en.setFields(e, &id)
	en.setPrincipal(&id)
	en.setTitle(d, e)
	en.setOrigin(e, r)
	en.setID(e, r)
	en.setARNs(e)
	en.setEvent(e)
	en.texts.finish()
	return &en.alert
}

// release frees memory that an unusual event took.
func (en *enricher) release() {
	if cap(en.clean) > maxKept || cap(en.texts.buf) > maxKept {
		en.clean, en.texts.buf, en.alert = nil, nil, alert.Alert{}
	}
}

// setFields sets what the alert copies from the event.
func (en *enricher) setFields(e *cloudtrail.Event, id *identity) {
	a := &en.alert
	a.EventTime = en.eventTime(e.EventTime)
	a.EventID = en.raw("eventID", e.EventID)
	a.EventName = en.raw("eventName", e.EventName)
	a.EventSource = en.raw("eventSource", e.EventSource)
	a.AWSRegion = en.raw("awsRegion", e.AWSRegion)
	a.RecipientAccountID = en.raw("recipientAccountId", e.RecipientAccountID)
	a.SourceIPAddress = en.raw("sourceIPAddress", e.SourceIPAddress)
	a.UserAgent = en.raw("userAgent", e.UserAgent)
	a.UserIdentity = en.raw("userIdentity", e.UserIdentity)
	a.UserName = en.raw("userName", id.IssuerUserName)
	a.ErrorCode = en.raw("errorCode", e.ErrorCode)
}

// raw returns the clean copy of a value; nil if the event lacks it. A value that readers may refuse, for its depth or a
// number, is left out and named.
func (en *enricher) raw(name string, v jsonscan.Value) []byte {
	if v.IsNull() {
		return nil
	}
	start := len(en.clean)
	clean, omitted := alert.AppendClean(en.clean, v)
	if omitted != "" {
		en.alert.MarkTruncated(name)
		return nil
	}
	en.clean = clean
	return clean[start:len(clean):len(clean)]
}

func (en *enricher) eventTime(v jsonscan.Value) []byte {
	start := len(en.clean)
	clean, ok := appendEventTime(en.clean, v)
	if !ok {
		return en.raw("eventTime", v)
	}
	en.clean = clean
	return clean[start:len(clean):len(clean)]
}

func (en *enricher) setPrincipal(id *identity) {
	p := &en.alert.Principal
	en.name = en.principalText(&p.Name, id.appendName)
	en.principalText(&p.Session, id.appendSession)
	en.principalText(&p.Type, id.Type.AppendText)
	en.principalText(&p.ARN, id.ARN.AppendText)
	en.principalText(&p.AccountID, id.AccountID.AppendText)
}

func (en *enricher) principalText(dst *string, appendTo func([]byte) []byte) span {
	t, start := &en.texts, len(en.texts.buf)
	t.buf = appendTo(t.buf)
	t.buf = t.buf[:start+len(alert.CutText(t.buf[start:], maxPrincipalBytes))]
	text := t.since(start)
	t.set(dst, text)
	return text
}

// setTitle sets the rule's title, with the name that suits the type of identity.
func (en *enricher) setTitle(d *policy.Decision, e *cloudtrail.Event) {
	t, start := &en.texts, len(en.texts.buf)
	if d.ReadOnly == policy.ReadOnlyFalse {
		t.buf = append(t.buf, "Non-read-only API call"...)
	} else {
		t.buf = append(t.buf, "API call that does not say whether it is read-only"...)
	}
	t.buf = append(t.buf, " in unused region "...)
	t.buf = appendRegion(t.buf, e)
	t.buf = append(t.buf, " by user "...)
	t.buf = append(t.buf, alert.CutText(t.bytes(en.name), maxTitleName)...)
	t.set(&en.alert.Title, t.since(start))
}

// appendRegion appends the region. If the catalogue does not know it, it is whatever the event says, and is cut.
func appendRegion(dst []byte, e *cloudtrail.Event) []byte {
	start := len(dst)
	dst = e.AWSRegion.AppendText(dst)
	return dst[:start+len(alert.CutText(dst[start:], regions.MaxCodeBytes))]
}

func (en *enricher) setOrigin(e *cloudtrail.Event, r *Record) {
	if en.shape != e.Shape {
		en.shape, en.shapeText = e.Shape, e.Shape.String()
	}
	o := &en.alert.Origin
	*o = alert.Origin{Topic: r.Topic, File: r.File, Offset: r.Offset, Index: e.Index, Shape: en.shapeText}
	if r.File == "" {
		en.partition = r.Partition
		o.Partition = &en.partition
	}
	if isTime(r.Timestamp) {
		t, start := &en.texts, len(en.texts.buf)
		t.buf = r.Timestamp.In(time.UTC).AppendFormat(t.buf, alert.TimestampLayout)
		t.set(&o.Timestamp, t.since(start))
	}
}

// isTime reports whether a record's timestamp can be right. Producers that write microseconds or nanoseconds where
// Kafka wants milliseconds end up thousands of years ahead, and those that write none in 1970.
func isTime(t time.Time) bool {
	const from, to = 2000, 2100
	return t.Year() >= from && t.Year() < to
}

// setID sets the alert's id: from the event's id, or without one from its place in the record.
func (en *enricher) setID(e *cloudtrail.Event, r *Record) {
	t, start := &en.texts, len(en.texts.buf)
	t.buf = scalar(e.RecipientAccountID).AppendText(t.buf)
	account, key := t.since(start), len(t.buf)
	var array [36]byte
	id := array[:0]
	if e.EventID.IsString() && scalar(e.EventID) != nil {
		t.buf = e.EventID.AppendText(t.buf)
		id = alert.AppendID(id, RuleID, t.bytes(account), t.buf[key:])
	} else {
		t.buf = r.appendIdentity(t.buf)
		id = alert.AppendRecordID(id, RuleID, t.bytes(account), t.buf[key:], e.Index)
	}
	t.buf = append(t.buf[:start], id...)
	t.set(&en.alert.ID, t.since(start))
}

// appendIdentity appends the record's lasting name. A topic's name has no slash.
func (r *Record) appendIdentity(dst []byte) []byte {
	if r.Identity != nil {
		return append(dst, r.Identity()...)
	}
	dst = append(dst, r.Topic...)
	dst = append(dst, r.File...)
	dst = strconv.AppendInt(append(dst, '/'), int64(r.Partition), 10)
	return strconv.AppendInt(append(dst, '/'), r.Offset, 10)
}

func (en *enricher) setARNs(e *cloudtrail.Event) {
	var more bool
	if en.arns, more = en.texts.arns(en.arns[:0], e); more {
		en.alert.MarkTruncated("arns")
	}
	for i, s := range en.arns {
		en.texts.set(&en.list[i], s)
	}
	en.alert.ARNs = en.list[:len(en.arns)]
}

// setEvent sets the copy of the event, or why there is none.
func (en *enricher) setEvent(e *cloudtrail.Event) {
	a := &en.alert
	if e.Damage != nil {
		a.Partial, a.PartialReason = true, partialReason(e)
	}
	switch start := len(en.clean); {
	case en.noEventCopy:
	case e.Damage != nil:
		a.EventOmitted = alert.OmittedDamage
	case en.maxEventCopy > 0 && len(e.Raw) > en.maxEventCopy:
		a.EventOmitted = alert.OmittedSize
	default:
		en.clean, a.EventOmitted = alert.AppendClean(en.clean, e.Raw)
		a.Event = en.clean[start:len(en.clean):len(en.clean)]
	}
}

func partialReason(e *cloudtrail.Event) string {
	var syntax *cloudtrail.SyntaxError
	switch {
	case e.Salvaged:
		return partialSalvaged
	case errors.As(e.Damage, &syntax) && syntax.Truncated:
		return partialTruncated
	}
	return partialSyntax
}

// The rule's facts, word for word from panther-analysis, rules/aws_cloudtrail_rules/aws_unused_region.yml.
const (
	RuleID          = "AWS.UnusedRegion"
	RuleName        = "Unused AWS Region"
	RuleDescription = "CloudTrail logged non-read activity from a verboten AWS region."
	RuleRunbook     = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_examples_aws-enable-disable-regions.html"
	RuleReference   = "https://attack.mitre.org/techniques/T1535/"
)

// ruleTags and ruleTechniques are in every alert; nothing writes to them.
var (
	ruleTags = []string{"AWS", "Defense Evasion:Unused/Unsupported Cloud Regions", "Configuration Required"}

	// ATT&CK now calls the tactic TA0005 "Stealth"; the tag has its older name.
	ruleTechniques = []alert.Technique{{Tactic: "TA0005", Technique: "T1535"}}
)
