package detection

import (
	"bytes"
	"net/netip"

	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// subject is who acted and from where, as exceptions see it, read when the first of them asks. It holds nothing that
// the actor can choose.
type subject struct {
	read      bool
	isService bool
	isKnown   bool    // arn is
	arn       arnText // of the role or user, aliases the event or a copy

	prefixesRead bool
	prefixes     int // how many prefixes of patterns it begins with
	prefixSets   [8]exceptionSet

	sourceRead bool
	isAddr     bool // addr is the source
	addr       netip.Addr
	source     []byte // else, where the event tells
}

func (s *subject) readFrom(e *cloudtrail.Event) {
	if s.read {
		return
	}
	s.read = true
	var own, issuer cloudtrail.Value
	for key, value := range e.UserIdentity.Members() {
		switch {
		case key.EqualString("type"):
			s.isService = s.isService || value.EqualString("AWSService")
		case key.EqualString("invokedBy"):
			s.isService = s.isService || value.IsString() && len(value) > len(`""`)
		case key.EqualString("arn"):
			own = value
		case key.EqualString("sessionContext"):
			issuer = value.Member("sessionIssuer").Member("arn")
		}
	}
	// A session's own ARN ends in a name that whoever made the session wrote; that of its issuer, the role or the
	// user that it stands for, does not. An own ARN that is not of iam is a session's whose issuer is not told.
	if issuer == nil {
		issuer = own
	}
	if !issuer.IsString() || len(issuer) > maxPrincipalBytes {
		return
	}
	text := []byte(issuer[1 : len(issuer)-1])
	if bytes.IndexByte(text, '\\') >= 0 {
		text = issuer.AppendText(nil) // escapes in an ARN are odd enough to cost an allocation
	}
	arn, ok := splitComponents(text)
	s.arn, s.isKnown = arn, ok && string(arn[2]) == "iam"
}

// isServiceInvoked reports whether an AWS service made the call, for itself or for the principal
// (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html).
func (s *subject) isServiceInvoked(e *cloudtrail.Event) bool {
	s.readFrom(e)
	return s.isService
}

// principal returns the ARN of the role or user who acted, or nil where the event does not tell.
func (s *subject) principal(e *cloudtrail.Event) *arnText {
	s.readFrom(e)
	if !s.isKnown {
		return nil
	}
	return &s.arn
}

// readSource reads sourceIPAddress, which is an address or the name of an AWS service.
func (s *subject) readSource(e *cloudtrail.Event) {
	if s.sourceRead {
		return
	}
	s.sourceRead = true
	if v := e.SourceIPAddress; v.IsString() && len(v) <= maxNameBytes {
		s.source = v[1 : len(v)-1]
		if bytes.IndexByte(s.source, '\\') >= 0 {
			s.source = v.AppendText(nil)
		}
		s.addr, s.isAddr = parseAddr(s.source)
	}
}
