package policy

import (
	"bytes"
	"net/netip"
	"time"

	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// subject is who acted and from where, as exceptions see it, read when the first of them asks. It holds nothing that
// the actor can choose. It is large enough to be used for one event after the other; the zero value remembers nothing.
type subject struct {
	known      *actors // nil where nothing is remembered
	policy     *Policy
	remembered *actor // in known
	own        actor  // where it is not there

	sourceRead bool
	isAddr     bool // addr is the source
	addr       netip.Addr
	source     []byte // else, where the event tells
	ranges     int    // how many ranges of exceptions hold addr
	rangeSets  [8]int // their indexes in the sources' sets
}

// reset lets go of what was read of an event, for the next one that p decides.
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
	if s.addr, s.isAddr = parseIPv4(s.source); !s.isAddr {
		if bytes.IndexByte(s.source, '\\') >= 0 {
			s.source = v.AppendText(nil)
		}
		s.addr, s.isAddr = parseAddr(s.source)
	}
	if s.isAddr {
		s.policy.sourceIPs.readRanges(s)
	}
}

// Decider decides one event after the other and remembers the identities it read last, because a principal makes many
// calls. It belongs to one goroutine. The zero value is ready.
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

// Release lets go of the last event's bytes.
func (x *Decider) Release() { x.subject.reset(nil) }
