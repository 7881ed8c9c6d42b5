package alert

import (
	"encoding/json"
	"fmt"
	"time"

	segmentio "github.com/segmentio/encoding/json"
)

// OCSFVersion is the version of the Open Cybersecurity Schema Framework that AppendOCSF writes: the one that AWS
// Security Hub accepts (https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-ocsf.html).
const OCSFVersion = "1.6.0"

// The classification of every finding (https://schema.ocsf.io/1.6.0/classes/detection_finding).
const (
	categoryFindings      = 2                                          // category_uid, "Findings"
	classDetectionFinding = 2004                                       // class_uid: 1000 * category_uid + 4
	activityCreate        = 1                                          // activity_id, "Create"
	typeCreate            = classDetectionFinding*100 + activityCreate // type_uid
	statusNew             = 1                                          // status_id of a finding, "New"
	analyticRule          = 1                                          // analytic.type_id, "Rule"
	severityOther         = 99
)

// severityIDs are severity_id by the rule's severity (https://schema.ocsf.io/1.6.0/classes/base_event).
var severityIDs = map[string]int{"Info": 1, "Informational": 1, "Low": 2, "Medium": 3, "High": 4, "Critical": 5, "Fatal": 6}

// attackNames are ATT&CK's names of the rule's tactic and technique (https://attack.mitre.org/techniques/T1535/).
var attackNames = map[string]string{"TA0005": "Stealth", "T1535": "Unused/Unsupported Cloud Regions"}

// AppendOCSF appends a as an OCSF Detection Finding, one line without a line break. The values of a that come from an
// event must be clean, see [AppendClean]; texts may hold anything.
//
// OCSF requires a time, in milliseconds since 1970: it is the event's. If that cannot be read, it is the record's
// timestamp, or 0 without one; start_time and end_time are then left out, to tell the cases apart. What has no OCSF
// attribute goes into unmapped under its native name, and so does a value of the event that has the wrong type for its
// attribute. The event itself is raw_data.
func AppendOCSF(dst []byte, a *Alert) []byte {
	dst, err := segmentio.Append(dst, newFinding(a), segmentio.TrustRawMessage)
	if err != nil {
		panic(fmt.Sprintf("BUG: encoding OCSF finding: %v", err)) // everything in a finding can be encoded
	}
	return dst
}

func newFinding(a *Alert) *finding {
	f := &finding{
		CategoryUID: categoryFindings, CategoryName: "Findings",
		ClassUID: classDetectionFinding, ClassName: "Detection Finding",
		ActivityID: activityCreate, ActivityName: "Create",
		TypeUID: typeCreate, TypeName: "Detection Finding: Create",
		SeverityID: severityID(a.Severity), Severity: a.Severity,
		StatusID: statusNew, Status: "New",
		IsAlert: true,
		Message: a.Title,
		RawData: string(a.Event),
		Unmapped: unmapped{
			UserIdentity: a.UserIdentity, UserName: a.UserName, Policy: a.Policy, Origin: a.Origin,
			Partial: a.Partial, PartialReason: a.PartialReason, Truncated: a.Truncated, EventOmitted: a.EventOmitted,
		},
	}
	id := readOCSFIdentity(a.UserIdentity)
	f.setTime(a)
	f.setMetadata(a)
	f.setFindingInfo(a)
	f.setCloud(a)
	f.setEvidence(a, &id)
	f.setResources(a, &id)
	f.setObservables()
	return f
}

func severityID(severity string) int {
	if id, ok := severityIDs[severity]; ok {
		return id
	}
	return severityOther
}

func (f *finding) setTime(a *Alert) {
	if ms := milliseconds(a.EventTime); ms != nil {
		f.Time, f.StartTime, f.EndTime = *ms, ms, ms
		return
	}
	if t, err := time.Parse(time.RFC3339, a.Origin.Timestamp); err == nil {
		f.Time = t.UnixMilli()
	}
}

func (f *finding) setMetadata(a *Alert) {
	f.Metadata = metadata{
		Version: OCSFVersion, Profiles: []string{"cloud"}, UID: a.ID, Labels: a.Tags,
		Product:     product{Name: "regionwatch", VendorName: "regionwatch"},
		LogProvider: "AWS CloudTrail",
		IsTruncated: len(a.Truncated) > 0 || a.EventOmitted == OmittedSize,
	}
	f.Metadata.OriginalTime, f.Unmapped.EventTime = place(a.EventTime)
}

func (f *finding) setFindingInfo(a *Alert) {
	f.FindingInfo = findingInfo{
		UID: a.ID, Title: a.Title, Desc: a.Description,
		Analytic: analytic{UID: a.RuleID, Name: a.RuleName, Desc: a.Description, TypeID: analyticRule, Type: "Rule"},
	}
	for _, t := range a.MitreAttack {
		f.FindingInfo.Attacks = append(f.FindingInfo.Attacks, attack{
			Tactic:    named{UID: t.Tactic, Name: attackNames[t.Tactic]},
			Technique: named{UID: t.Technique, Name: attackNames[t.Technique]},
		})
	}
	var id json.RawMessage
	if id, f.Unmapped.EventID = place(a.EventID); id != nil {
		f.FindingInfo.RelatedEvents = []relatedEvent{{UID: id, Type: "AWS CloudTrail"}}
	}
	f.Remediation = remediation{Desc: "The first reference is the runbook.", References: []string{a.Runbook, a.Reference}}
}

// setCloud sets what the cloud profile adds to a finding. An api requires an operation.
func (f *finding) setCloud(a *Alert) {
	u := &f.Unmapped
	f.Cloud.Provider = "AWS"
	f.Cloud.Region, u.AWSRegion = place(a.AWSRegion)
	var uid json.RawMessage
	if uid, u.RecipientAccountID = place(a.RecipientAccountID); uid != nil {
		f.Cloud.Account = awsAccount(uid)
	}
	var operation json.RawMessage
	if operation, u.EventName = place(a.EventName); operation == nil {
		u.EventSource, u.ErrorCode = a.EventSource, a.ErrorCode
		return
	}
	f.API = &api{Operation: operation}
	var name, code json.RawMessage
	if name, u.EventSource = place(a.EventSource); name != nil {
		f.API.Service = &service{name}
	}
	if code, u.ErrorCode = place(a.ErrorCode); code != nil {
		f.API.Response = &response{code}
	}
}

// observableTypes are the type_id of observables (https://schema.ocsf.io/1.6.0/objects/observable).
const (
	observableIPAddress  = 2
	observableUserName   = 4
	observableAccountUID = 35
)

func (f *finding) setObservables() {
	add := func(id int, typ, name string, value json.RawMessage) {
		if value != nil {
			f.Observables = append(f.Observables, observable{name, id, typ, value})
		}
	}
	evidence := &f.Evidences[0]
	add(observableUserName, "User Name", "evidences[].actor.user.name", quote(evidence.Actor.User.Name))
	if evidence.SrcEndpoint != nil {
		add(observableIPAddress, "IP Address", "evidences[].src_endpoint.ip", evidence.SrcEndpoint.IP)
	}
	if f.Cloud.Account != nil {
		add(observableAccountUID, "Account Object: uid", "cloud.account.uid", f.Cloud.Account.UID)
	}
}

// place splits a value of the event into the text for an OCSF attribute and the rest for unmapped, if the attribute
// cannot hold the value unchanged: anything but a non-empty string.
func place(raw json.RawMessage) (text, rest json.RawMessage) {
	switch {
	case len(raw) == 0:
		return nil, nil
	case raw[0] == '"' && len(raw) > len(`""`):
		return raw, nil
	case raw[0] == '-' || '0' <= raw[0] && raw[0] <= '9':
		return json.RawMessage(`"` + string(raw) + `"`), raw
	}
	return nil, raw
}

// placed is the inverse of place.
func placed(text, rest json.RawMessage) json.RawMessage {
	if rest != nil {
		return rest
	}
	return text
}

// milliseconds returns an RFC 3339 time as OCSF writes it, nil if raw is not one.
func milliseconds(raw json.RawMessage) *int64 {
	t, err := time.Parse(time.RFC3339, unquote(raw))
	if err != nil {
		return nil
	}
	ms := t.UnixMilli()
	return &ms
}

// quote returns a text as JSON.
func quote(text string) json.RawMessage {
	raw, _ := segmentio.Append(nil, text, 0) // every string can be encoded
	return raw
}

// unquote returns the text of a JSON string; "" for anything else.
func unquote(raw json.RawMessage) (text string) {
	if len(raw) > 0 && raw[0] == '"' {
		_ = json.Unmarshal(raw, &text) // anything unreadable has no text
	}
	return text
}
