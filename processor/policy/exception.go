package policy

import (
	"bytes"
	"math/bits"
	"net/netip"
	"time"

	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

// exception is a compiled exception. Its accounts, groups and regions, and its names without wildcards, are in the
// policy's index.
type exception struct {
	mark           alert.Exception // as alerts and counters name it
	reasonText     string          // of the decision
	notBefore      time.Time
	expires        time.Time
	eventSources   []string // only if one has a wildcard
	eventNames     []string // only if one has a wildcard
	principals     []arnPattern
	sourceIPs      []netip.Prefix
	sourceServices []string
	serviceInvoked bool
}

func newException(o *Exception) exception {
	x := exception{
		mark:           alert.Exception{Name: o.Name, Reason: o.Reason, Owner: o.Owner},
		reasonText:     "exception " + o.Name,
		notBefore:      o.NotBefore,
		expires:        o.Expires,
		serviceInvoked: o.ServiceInvoked,
	}
	if o.Reason != "" {
		x.reasonText += ": " + o.Reason
	}
	for _, text := range o.SourceIPs {
		if prefix, ok := parsePrefix(text); ok {
			x.sourceIPs = append(x.sourceIPs, prefix)
		} else {
			x.sourceServices = append(x.sourceServices, text)
		}
	}
	if anyWildcard(o.EventSources) {
		x.eventSources = o.EventSources
	}
	if anyWildcard(o.EventNames) {
		x.eventNames = o.EventNames
	}
	for _, text := range o.Principals {
		if p, ok := parseARNPattern(text); ok {
			x.principals = append(x.principals, p)
		}
	}
	return x
}

// hasExpired reports whether the exception no longer applies. An unknown time is after every expiry: when in doubt,
// alert.
func (x *exception) hasExpired(now time.Time) bool {
	return !x.expires.IsZero() && (now.IsZero() || !now.Before(x.expires))
}

// isInForce reports whether the exception has begun and has not expired. An unknown time is before every beginning.
func (x *exception) isInForce(now time.Time) bool {
	return !now.Before(x.notBefore) && !x.hasExpired(now)
}

// exempting returns the first exception that applies to e, or nil. The index rules out most of them by account, region,
// source and name; only the rest is checked.
func (p *Policy) exempting(a *account, r int, e *cloudtrail.Event, now time.Time, s *subject) *exception {
	if len(a.exceptions) == 0 {
		return nil
	}
	region := p.regions.rest
	if r >= 0 {
		region = p.byRegion[r]
	}
	if !a.exceptions.meets(region) {
		return nil
	}
	s.reset(p)
	sources, names := p.sources.possibleValue(e.EventSource), p.names.possibleValue(e.EventName)
	for w := range a.exceptions {
		if left := a.exceptions[w] & region[w] & sources[w] & names[w]; left != 0 {
			if x := p.firstThatHolds(w, left, e, now, s); x != nil {
				return x
			}
		}
	}
	return nil
}

// firstThatHolds checks the exceptions left in word w of the sets.
func (p *Policy) firstThatHolds(w int, left uint64, e *cloudtrail.Event, now time.Time, s *subject) *exception {
	if left &= p.sourceIPs.possible(w, e, s); left != 0 {
		left &= p.principals.possible(w, e, s)
	}
	for ; left != 0; left &= left - 1 {
		if x := &p.exceptions[w*64+bits.TrailingZeros64(left)]; x.isInForce(now) && x.holds(e, s) {
			return x
		}
	}
	return nil
}

// holds checks the conditions that the index does not cover.
func (x *exception) holds(e *cloudtrail.Event, s *subject) bool {
	return (x.eventSources == nil || matchesAny(x.eventSources, e.EventSource)) &&
		(x.eventNames == nil || matchesAny(x.eventNames, e.EventName)) &&
		(!x.serviceInvoked || s.actor(e).isService) &&
		(len(x.sourceIPs)+len(x.sourceServices) == 0 || x.fitsSource(e, s)) &&
		(x.principals == nil || x.fitsPrincipal(e, s))
}

func matchesAny(patterns []string, v jsonscan.Value) bool {
	text, ok := plainText(v)
	if !ok {
		if text, ok = shortText(v, make([]byte, maxNameBytes)); !ok {
			return false
		}
	}
	for _, p := range patterns {
		if MatchWildcard(p, text) {
			return true
		}
	}
	return false
}

func (x *exception) fitsPrincipal(e *cloudtrail.Event, s *subject) bool {
	arn := s.actor(e).principal()
	if arn == nil {
		return false
	}
	for i := range x.principals {
		if x.principals[i].matches(arn) {
			return true
		}
	}
	return false
}

// fitsSource checks where the call came from. No pattern of a service name is meant to match an address.
func (x *exception) fitsSource(e *cloudtrail.Event, s *subject) bool {
	s.readSource(e)
	if s.isAddr {
		for _, prefix := range x.sourceIPs {
			if prefix.Contains(s.addr) {
				return true
			}
		}
		return false
	}
	for _, p := range x.sourceServices {
		if len(s.source) > 0 && MatchWildcard(p, s.source) {
			return true
		}
	}
	return false
}

// parsePrefix reads a range of addresses, or one address.
func parsePrefix(text string) (netip.Prefix, bool) {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), true
	}
	prefix, err := netip.ParsePrefix(text)
	return prefix, err == nil && !prefix.Addr().Is4In6()
}

// parseAddr reads an address.
func parseAddr(text []byte) (netip.Addr, bool) {
	if addr, ok := parseIPv4(text); ok {
		return addr, true
	}
	if bytes.IndexByte(text, ':') < 0 {
		return netip.Addr{}, false
	}
	addr, err := netip.ParseAddr(string(text))
	return addr.Unmap().WithZone(""), err == nil
}

// parseIPv4 reads an IPv4 address, by far the most common, without allocating.
func parseIPv4(text []byte) (netip.Addr, bool) {
	var parts [4]byte
	part, digits, n := 0, 0, 0
	for _, c := range text {
		switch {
		case c >= '0' && c <= '9' && digits < 3 && (digits == 0 || n > 0):
			n, digits = 10*n+int(c-'0'), digits+1
		case c == '.' && digits > 0 && n <= 255 && part < 3:
			parts[part] = byte(n)
			part, digits, n = part+1, 0, 0
		default:
			return netip.Addr{}, false
		}
	}
	if part != 3 || digits == 0 || n > 255 {
		return netip.Addr{}, false
	}
	parts[3] = byte(n)
	return netip.AddrFrom4(parts), true
}
