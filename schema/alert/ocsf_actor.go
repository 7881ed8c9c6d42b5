package alert

import (
	"encoding/json"
	"net/netip"

	segmentio "github.com/segmentio/encoding/json"
)

// userTypes are user.type_id by the type of a userIdentity (https://schema.ocsf.io/1.6.0/objects/user): 1 is
// User, 2 Admin ("Admin/root user account"), 4 Service. OCSF has none for roles and accounts.
var userTypes = map[string]int{
	"IAMUser": 1, "FederatedUser": 1, "SAMLUser": 1, "WebIdentityUser": 1, "IdentityCenterUser": 1, "Directory": 1,
	"Root": 2, "AWSService": 4,
	"": 0, "Unknown": 0,
}

const (
	userOther   = 99
	accountAWS  = 10 // account.type_id, "AWS Account" (https://schema.ocsf.io/1.6.0/objects/account)
	roleActor   = 2  // resource_details.role_id, "Actor" (https://schema.ocsf.io/1.6.0/objects/resource_details)
	roleRelated = 4  // "Related": the event does not say which of its ARNs was the target
)

// ocsfIdentity holds what a userIdentity says besides the principal. Each value is a text as JSON, nil if it is
// missing, empty or not a text.
type ocsfIdentity struct {
	PrincipalID, Credential, InvokedBy json.RawMessage
	IDPName, IDPUID                    json.RawMessage
	IssuerARN, CreationDate            json.RawMessage
	MFA                                *bool
}

// readOCSFIdentity reads a userIdentity. It is at most MaxDepth deep, because it is clean.
func readOCSFIdentity(raw json.RawMessage) (id ocsfIdentity) {
	var top struct {
		PrincipalID      json.RawMessage `json:"principalId"`
		AccessKeyID      json.RawMessage `json:"accessKeyId"`
		CredentialID     json.RawMessage `json:"credentialId"`
		InvokedBy        json.RawMessage `json:"invokedBy"`
		IdentityProvider json.RawMessage `json:"identityProvider"`
		OnBehalfOf       json.RawMessage `json:"onBehalfOf"`
		SessionContext   json.RawMessage `json:"sessionContext"`
	}
	readMembers(raw, &top)
	id.PrincipalID, id.Credential = text(top.PrincipalID), text(top.AccessKeyID)
	if id.Credential == nil {
		id.Credential = text(top.CredentialID) // of an IdentityCenterUser
	}
	id.InvokedBy, id.IDPName = text(top.InvokedBy), text(top.IdentityProvider)
	var onBehalfOf struct {
		IdentityStoreARN json.RawMessage `json:"identityStoreArn"`
	}
	readMembers(top.OnBehalfOf, &onBehalfOf)
	id.IDPUID = text(onBehalfOf.IdentityStoreARN)
	id.readSession(top.SessionContext)
	return id
}

func (id *ocsfIdentity) readSession(raw json.RawMessage) {
	var session struct {
		SessionIssuer json.RawMessage `json:"sessionIssuer"`
		Attributes    json.RawMessage `json:"attributes"`
	}
	readMembers(raw, &session)
	var issuer struct {
		ARN json.RawMessage `json:"arn"`
	}
	readMembers(session.SessionIssuer, &issuer)
	var attributes struct {
		CreationDate     json.RawMessage `json:"creationDate"`
		MFAAuthenticated json.RawMessage `json:"mfaAuthenticated"`
	}
	readMembers(session.Attributes, &attributes)
	id.IssuerARN, id.CreationDate = text(issuer.ARN), attributes.CreationDate
	switch string(attributes.MFAAuthenticated) { // CloudTrail writes a string
	case `"true"`, `true`:
		id.MFA = new(true)
	case `"false"`, `false`:
		id.MFA = new(false)
	}
}

// readMembers reads an object's members into the raw fields of dst. Anything else leaves dst as it is.
func readMembers(raw json.RawMessage, dst any) {
	if len(raw) > 0 && raw[0] == '{' {
		// A clean object fits into raw fields whatever they hold; keys that differ in case are different keys.
		_, _ = segmentio.Parse(raw, dst, segmentio.DontMatchCaseInsensitiveStructFields)
	}
}

func text(raw json.RawMessage) json.RawMessage {
	t, _ := place(raw)
	return t
}

// setEvidence sets who called, from where and with what. Outside the host profile a finding has no actor: it belongs to
// the evidence (https://schema.ocsf.io/1.6.0/objects/evidences).
func (f *finding) setEvidence(a *Alert, id *ocsfIdentity) {
	f.Evidences = []evidence{{Actor: newActor(&a.Principal, id)}}
	e := &f.Evidences[0]
	var agent, source json.RawMessage
	if agent, f.Unmapped.UserAgent = place(a.UserAgent); agent != nil {
		e.HTTPRequest = &httpRequest{agent}
	}
	if source, f.Unmapped.SourceIPAddress = place(a.SourceIPAddress); source != nil {
		e.SrcEndpoint = newEndpoint(source)
	}
}

// newEndpoint returns where a call came from: an address, or the name of the AWS service that made it
// (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html).
func newEndpoint(source json.RawMessage) *endpoint {
	if ip, err := netip.ParseAddr(unquote(source)); err == nil && ip.Zone() == "" {
		return &endpoint{IP: source}
	}
	return &endpoint{SvcName: source}
}

func newActor(p *Principal, id *ocsfIdentity) actor {
	a := actor{
		User: user{
			Name: p.Name, Type: p.Type, TypeID: userOther, UID: p.ARN, UIDAlt: id.PrincipalID,
		},
		AppName: id.InvokedBy,
	}
	if typeID, ok := userTypes[p.Type]; ok {
		a.User.TypeID = typeID
	}
	if p.AccountID != "" {
		a.User.Account = awsAccount(quote(p.AccountID))
	}
	s := session{
		UID: p.Session, Issuer: id.IssuerARN, CredentialUID: id.Credential,
		CreatedTime: milliseconds(id.CreationDate), IsMFA: id.MFA,
	}
	if s.UID != "" || s.Issuer != nil || s.CredentialUID != nil || s.CreatedTime != nil || s.IsMFA != nil {
		a.Session = &s
	}
	if id.IDPUID != nil || id.IDPName != nil {
		a.IDP = &idp{Name: id.IDPName, UID: id.IDPUID}
	}
	return a
}

func awsAccount(uid json.RawMessage) *account {
	return &account{UID: uid, TypeID: accountAWS, Type: "AWS Account"}
}

// setResources sets the ARNs of the event.
func (f *finding) setResources(a *Alert, id *ocsfIdentity) {
	issuer := unquote(id.IssuerARN)
	for _, arn := range a.ARNs {
		r := resource{UID: arn, RoleID: roleRelated, Role: "Related"}
		if arn == a.Principal.ARN || arn == issuer {
			r.RoleID, r.Role = roleActor, "Actor"
		}
		f.Resources = append(f.Resources, r)
	}
}
