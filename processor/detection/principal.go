package detection

import (
	"bytes"

	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

// maxPrincipalBytes limits each text of a principal. IAM's own names and ARNs are shorter.
const maxPrincipalBytes = 2 << 10

// identity has the members of a userIdentity that identify the actor
// (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html).
type identity struct {
	// Each is nil if it is missing, empty, or of a type that has no text.
	Type, UserName, ARN, AccountID, PrincipalID, InvokedBy, OnBehalfOfUserID jsonscan.Value
	// IssuerUserName is sessionContext.sessionIssuer.userName as it came; the rule uses it as userName.
	IssuerUserName jsonscan.Value
}

func readIdentity(v jsonscan.Value) (id identity) {
	for key, value := range v.Members() {
		switch {
		case key.EqualString("type"):
			id.Type = scalar(value)
		case key.EqualString("userName"):
			id.UserName = scalar(value)
		case key.EqualString("arn"):
			id.ARN = scalar(value)
		case key.EqualString("accountId"):
			id.AccountID = scalar(value)
		case key.EqualString("principalId"):
			id.PrincipalID = scalar(value)
		case key.EqualString("invokedBy"):
			id.InvokedBy = scalar(value)
		case key.EqualString("sessionContext"):
			id.IssuerUserName = value.Member("sessionIssuer").Member("userName")
		case key.EqualString("onBehalfOf"):
			id.OnBehalfOfUserID = scalar(value.Member("userId"))
		}
	}
	return id
}

// appendName appends the principal's name. The rule itself takes the session issuer's name, which only sessions of
// roles and users have; other types of identity have their names elsewhere.
func (id *identity) appendName(dst []byte) []byte {
	if issuer := scalar(id.IssuerUserName); issuer != nil {
		return issuer.AppendText(dst)
	}
	start := len(dst)
	switch {
	case id.Type.EqualString("AssumedRole"), id.Type.EqualString("FederatedUser"):
		dst = appendARNName(dst, id.ARN)
	case id.Type.EqualString("Root"):
		dst = appendFirst(dst, id.UserName)
		if len(dst) == start {
			return append(dst, "root"...)
		}
	case id.Type.EqualString("IdentityCenterUser"):
		dst = appendFirst(dst, id.OnBehalfOfUserID)
	case id.Type.EqualString("AWSService"):
		dst = appendFirst(dst, id.InvokedBy)
	case id.Type.EqualString("AWSAccount"):
		dst = appendFirst(dst, id.AccountID)
	}
	if len(dst) == start { // IAMUser, SAMLUser, WebIdentityUser and Directory, and any without a name
		dst = appendFirst(dst, id.UserName, id.ARN, id.PrincipalID, id.InvokedBy, id.AccountID)
	}
	if len(dst) == start {
		dst = append(dst, "unknown"...)
	}
	return dst
}

// appendSession appends the session's name, which follows the role or replaces the user in the ARN, and follows the
// colon in the principal's id. Other types have none.
func (id *identity) appendSession(dst []byte) []byte {
	if !id.Type.EqualString("AssumedRole") && !id.Type.EqualString("FederatedUser") {
		return dst
	}
	start := len(dst)
	dst = id.ARN.AppendText(dst)
	_, name, session := splitARN(dst[start:])
	if session == nil && id.Type.EqualString("FederatedUser") {
		session = name
	}
	if session == nil {
		dst = id.PrincipalID.AppendText(dst[:start])
		_, session, _ = bytes.Cut(dst[start:], []byte(":"))
	}
	return append(dst[:start], session...)
}

// appendFirst appends the text of the first value that has one.
func appendFirst(dst []byte, values ...jsonscan.Value) []byte {
	for _, v := range values {
		if v != nil {
			return v.AppendText(dst)
		}
	}
	return dst
}

// appendARNName appends the name of the role or user in an ARN, or nothing if it has none.
func appendARNName(dst []byte, arn jsonscan.Value) []byte {
	start := len(dst)
	dst = arn.AppendText(dst)
	_, name, _ := splitARN(dst[start:])
	return append(dst[:start], name...)
}

// splitARN splits arn:aws:sts::111122223333:assumed-role/NAME/SESSION into its resource's kind, name and session.
// Missing parts are empty. A name with a path keeps only its last part.
func splitARN(arn []byte) (kind, name, session []byte) {
	resource := arn
	for range 5 {
		_, resource, _ = bytes.Cut(resource, []byte(":"))
	}
	kind, name, _ = bytes.Cut(resource, []byte("/"))
	if string(kind) == "assumed-role" {
		if role, after, ok := bytes.Cut(name, []byte("/")); ok {
			return kind, role, after
		}
		return kind, name, nil
	}
	return kind, name[bytes.LastIndexByte(name, '/')+1:], nil
}
