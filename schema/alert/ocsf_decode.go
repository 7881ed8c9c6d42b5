package alert

import (
	"encoding/json"
	"errors"
	"fmt"
)

// decodeOCSF returns the alert that AppendOCSF wrote: the round trip loses nothing.
func decodeOCSF(encoded []byte) (*Alert, error) {
	var f finding
	if err := json.Unmarshal(encoded, &f); err != nil {
		return nil, fmt.Errorf("decoding OCSF finding: %w", err)
	}
	if f.ClassUID != classDetectionFinding || len(f.Evidences) != 1 || len(f.Remediation.References) != 2 {
		return nil, errors.New("decoding OCSF finding: regionwatch did not write it")
	}
	info, u := &f.FindingInfo, &f.Unmapped
	a := &Alert{
		ID: info.UID, RuleID: info.Analytic.UID, RuleName: info.Analytic.Name, Severity: f.Severity,
		Title: info.Title, Description: info.Desc, Tags: f.Metadata.Labels,
		Runbook: f.Remediation.References[0], Reference: f.Remediation.References[1],
		EventTime: placed(f.Metadata.OriginalTime, u.EventTime),
		EventID:   u.EventID, UserIdentity: u.UserIdentity, UserName: u.UserName,
		Policy: u.Policy, Origin: u.Origin,
		Partial: u.Partial, PartialReason: u.PartialReason, Truncated: u.Truncated, EventOmitted: u.EventOmitted,
	}
	for _, t := range info.Attacks {
		a.MitreAttack = append(a.MitreAttack, Technique{t.Tactic.UID, t.Technique.UID})
	}
	if len(info.RelatedEvents) > 0 {
		a.EventID = placed(info.RelatedEvents[0].UID, u.EventID)
	}
	for _, r := range f.Resources {
		a.ARNs = append(a.ARNs, r.UID)
	}
	if f.RawData != "" {
		a.Event = json.RawMessage(f.RawData)
	}
	a.setCloud(&f)
	a.setEvidence(&f.Evidences[0], u)
	return a, nil
}

func (a *Alert) setCloud(f *finding) {
	u := &f.Unmapped
	a.AWSRegion = placed(f.Cloud.Region, u.AWSRegion)
	a.RecipientAccountID = u.RecipientAccountID
	if f.Cloud.Account != nil {
		a.RecipientAccountID = placed(f.Cloud.Account.UID, u.RecipientAccountID)
	}
	a.EventName, a.EventSource, a.ErrorCode = u.EventName, u.EventSource, u.ErrorCode
	if f.API == nil {
		return
	}
	a.EventName = placed(f.API.Operation, u.EventName)
	if f.API.Service != nil {
		a.EventSource = placed(f.API.Service.Name, u.EventSource)
	}
	if f.API.Response != nil {
		a.ErrorCode = placed(f.API.Response.Error, u.ErrorCode)
	}
}

func (a *Alert) setEvidence(e *evidence, u *unmapped) {
	a.SourceIPAddress, a.UserAgent = u.SourceIPAddress, u.UserAgent
	if e.SrcEndpoint != nil {
		a.SourceIPAddress = placed(placed(e.SrcEndpoint.IP, e.SrcEndpoint.SvcName), u.SourceIPAddress)
	}
	if e.HTTPRequest != nil {
		a.UserAgent = placed(e.HTTPRequest.UserAgent, u.UserAgent)
	}
	user := &e.Actor.User
	a.Principal = Principal{Type: user.Type, Name: user.Name, ARN: user.UID}
	if user.Account != nil {
		a.Principal.AccountID = unquote(user.Account.UID)
	}
	if e.Actor.Session != nil {
		a.Principal.Session = e.Actor.Session.UID
	}
}
