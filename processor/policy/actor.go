package policy

import (
	"bytes"
	"hash/maphash"

	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

// actor is what exceptions see of a userIdentity.
type actor struct {
	read      bool
	isService bool    // an AWS service made the call, for itself or for the principal
	isKnown   bool    // arn is set
	arn       arnText // of the role or user; aliases the userIdentity that it was read from, or a copy

	prefixes   int    // how many prefixes of patterns the ARN begins with
	prefixSets [8]int // their indexes in the principals' sets
}

// readFrom reads a userIdentity
// (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html).
func (a *actor) readFrom(userIdentity jsonscan.Value, index *principalIndex) {
	*a = actor{read: true}
	var own, issuer jsonscan.Value
	for key, value := range userIdentity.Members() {
		switch {
		case key.EqualString("type"):
			a.isService = a.isService || value.EqualString("AWSService")
		case key.EqualString("invokedBy"):
			a.isService = a.isService || isInvoker(value)
		case key.EqualString("arn"):
			own = value
		case key.EqualString("sessionContext"):
			issuer = value.Member("sessionIssuer").Member("arn")
		}
	}
	// The ARN of a session ends in a name that its creator chose; the ARN of its issuer (its role or user) does not. An
	// ARN outside iam belongs to a session without an issuer.
	if issuer == nil {
		issuer = own
	}
	if !issuer.IsString() || len(issuer) > maxARNBytes {
		return
	}
	text := []byte(issuer[1 : len(issuer)-1])
	if bytes.IndexByte(text, '\\') >= 0 {
		text = issuer.AppendText(nil) // escapes in an ARN are rare enough to cost an allocation
	}
	arn, ok := splitComponents(text)
	a.arn, a.isKnown = arn, ok && string(arn[2]) == "iam"
	if a.isKnown {
		index.readPrefixes(a)
	}
}

// isInvoker reports whether invokedBy names a service that made the call. The sign-in service does not count: events of
// a person in the console have it there, next to the person's own address, as CreateCluster has in AWS's examples
// (https://docs.aws.amazon.com/redshift/latest/mgmt/db-auditing.html).
func isInvoker(invokedBy jsonscan.Value) bool {
	var array [maxNameBytes]byte
	text, ok := shortText(invokedBy, array[:])
	return ok && len(text) > 0 && !bytes.HasPrefix(text, []byte("signin."))
}

// principal returns the ARN of the role or user who acted, or nil if the event does not say.
func (a *actor) principal() *arnText {
	if !a.isKnown {
		return nil
	}
	return &a.arn
}

// actors caches the userIdentities read last, because a principal makes many calls in a row. It
// belongs to one goroutine. The zero value is empty.
type actors struct {
	policy *Policy // the one they were read for
	seed   maphash.Seed
	slots  [actorSlots]actorSlot
	last   *actorSlot // the one last asked for
}

// actorSlots and maxUserIdentityBytes limit the cache to 64 KiB; an ordinary identity has less than 1 KiB.
const (
	actorSlots           = 16
	maxUserIdentityBytes = 4 << 10
)

type actorSlot struct {
	text  []byte // of the userIdentity, a copy
	actor actor
}

// of returns what p's exceptions see of a userIdentity, or nil for one that is too large to cache. It is valid until
// the next call.
func (k *actors) of(p *Policy, userIdentity jsonscan.Value) *actor {
	if len(userIdentity) > maxUserIdentityBytes {
		return nil
	}
	if k.policy != p {
		*k = actors{policy: p, seed: maphash.MakeSeed()}
	}
	if k.last != nil && bytes.Equal(k.last.text, userIdentity) {
		return &k.last.actor
	}
	slot := &k.slots[maphash.Bytes(k.seed, userIdentity)%actorSlots]
	if !slot.actor.read || !bytes.Equal(slot.text, userIdentity) {
		slot.text = append(slot.text[:0], userIdentity...)
		slot.actor.readFrom(slot.text, &p.principals)
	}
	k.last = slot
	return &slot.actor
}

// AppendCaller appends the ARN of the role or user who acted, or nothing if the userIdentity does not say, and returns
// whether an AWS service made the call, for itself or for the principal. It is what exceptions see: nothing the actor can
// choose.
func AppendCaller(dst []byte, userIdentity jsonscan.Value) (principal []byte, isService bool) {
	var a actor
	a.readFrom(userIdentity, &principalIndex{})
	if a.isKnown {
		for i, part := range a.arn {
			if i > 0 {
				dst = append(dst, ':')
			}
			dst = append(dst, part...)
		}
	}
	return dst, a.isService
}
