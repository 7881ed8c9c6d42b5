package alert

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

// maxActor limits what StableActor returns, in bytes: the longest ARN of IAM has 646.
const maxActor = 800

// StableActor identifies who acted by what the actor cannot choose, never by session name, user agent or address: the
// ARN of the user, or of the role behind a session; for a federated user the identity that issued the session; for a
// user of an identity provider the provider, because a provider may let anybody sign up. principal is the alert's own,
// for an alert that dropped its userIdentity to fit. The result is never empty, and a long one ends in a hash.
func StableActor(userIdentity, principal jsonscan.Value) string {
	actor := readActor(userIdentity)
	if actor == "" {
		actor = readActor(principal)
	}
	if actor == "" {
		actor = fact(principal.Member("name"))
	}
	switch {
	case actor == "":
		return "unknown"
	case len(actor) > maxActor:
		sum := sha256.Sum256([]byte(actor))
		return CutText(actor, maxActor-40) + "~" + hex.EncodeToString(sum[:16])
	}
	return actor
}

// identityNames are the members of a userIdentity, or of an alert's principal, that can name an actor
// (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html).
type identityNames struct {
	kind, arn, account, principal, user, provider, service, issuer, onBehalfOf string
}

func readActor(identity jsonscan.Value) string {
	var n identityNames
	for key, value := range identity.Members() {
		switch {
		case key.EqualString("type"):
			n.kind = fact(value)
		case key.EqualString("arn"):
			n.arn = fact(value)
		case key.EqualString("accountId"):
			n.account = fact(value)
		case key.EqualString("principalId"):
			n.principal = fact(value)
		case key.EqualString("userName"):
			n.user = fact(value)
		case key.EqualString("identityProvider"):
			n.provider = fact(value)
		case key.EqualString("invokedBy"):
			n.service = fact(value)
		case key.EqualString("sessionContext"):
			n.issuer = fact(value.Member("sessionIssuer").Member("arn"))
		case key.EqualString("onBehalfOf"):
			n.onBehalfOf = fact(value.Member("userId"))
		}
	}
	return n.actor()
}

// actor returns the stable name, or "".
func (n *identityNames) actor() string {
	if n.issuer != "" {
		return n.issuer
	}
	id, _, _ := strings.Cut(n.principal, ":") // what follows is the session's name
	switch n.kind {
	case "AssumedRole":
		return first(roleOf(n.arn), id)
	case "FederatedUser": // without an issuer: its own name is the caller's choice
		return first(prefixed("account ", n.account), id)
	case "SAMLUser", "WebIdentityUser":
		return first(prefixed(n.kind+" of ", n.provider), prefixed(n.kind+" of account ", n.account), n.kind)
	case "AWSService":
		return first(n.service, id)
	case "AWSAccount":
		return strings.TrimSpace(prefixed("account ", n.account) + " " + id)
	case "IdentityCenterUser":
		return first(n.onBehalfOf, id)
	}
	return first(roleOf(n.arn), id, n.user, n.service, prefixed("account ", n.account))
}

// roleOf returns the ARN of the role behind a session's ARN, arn:aws:sts::111122223333:assumed-role/NAME/SESSION; any
// other ARN except a federated user's unchanged.
func roleOf(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || parts[2] != "sts" {
		return arn
	}
	kind, rest, _ := strings.Cut(parts[5], "/")
	if kind != "assumed-role" {
		return ""
	}
	role, _, _ := strings.Cut(rest, "/")
	return parts[0] + ":" + parts[1] + ":iam::" + parts[4] + ":role/" + role
}

func prefixed(before, text string) string {
	if text == "" {
		return ""
	}
	return before + text
}

func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
