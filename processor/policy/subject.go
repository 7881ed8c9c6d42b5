package policy

import (
	"bytes"
	"net/netip"
	"time"

	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// subject is who acted and from where, as exceptions see it, read when the first of them asks. It holds nothing the
// actor can choose. It is large, so it is reused from event to event; the zero value remembers nothing.
type subject struct {
	known      *actors // nil without a cache
	policy     *Policy
	remembered *actor // in known
	own        actor  // if it is not in known

	sourceRead bool
	isAddr     bool // addr is the source
	addr       netip.Addr
	source     []byte // otherwise the name of a service, if the event has one
	ranges     int    // how many ranges of exceptions contain addr
	rangeSets  [8]int // their indexes in the sources' sets
}

// reset forgets the last event and prepares for the next one, which p decides.
func (s *subject) reset(p *Policy) {
	s.policy, s.remembered, s.sourceRead, s.source = p, nil, false, nil
	if s.own.read {
		s.own = actor{}
	}
}

// actor returns who acted.
func (s *subject) actor(e *cloudtrail.Event) *actor {
	if s.remembered == nil && s.known != nil {
		s.remembered = s.known.of(s.policy, e.UserIdentity)
	}
	if s.remembered != nil {
		return s.remembered
	}
	if !s.own.read {
		s.own.readFrom(e.UserIdentity, &s.policy.principals)
	}
	return &s.own
}

// readSource reads sourceIPAddress, which is an address or the name of an AWS service.
func (s *subject) readSource(e *cloudtrail.Event) {
	if s.sourceRead {
		return
	}
	s.sourceRead, s.isAddr, s.ranges = true, false, 0
	v := e.SourceIPAddress
	if !v.IsString() || len(v) > maxNameBytes {
		return
	}
	s.source = v[1 : len(v)-1]
	if bytes.IndexByte(s.source, '\\') >= 0 {
		s.source = v.AppendText(nil)
	}
	if s.addr, s.isAddr = parseAddr(s.source); s.isAddr {
		s.policy.sourceIPs.readRanges(s)
	}
}

// Decider decides one event after the other and caches recent identities, because a principal makes many calls. It
// belongs to one goroutine. The zero value is ready to use.
type Decider struct {
	subject subject
	known   actors
}

// Decide is [Policy.Decide] into d, which must be empty.
func (x *Decider) Decide(d *Decision, p *Policy, e *cloudtrail.Event, now time.Time) {
	if x.subject.known == nil {
		x.subject.known = &x.known
	}
	p.decide(d, e, now, &x.subject)
}

// Release drops references to the last event's bytes.
func (x *Decider) Release() { x.subject.reset(nil) }
