// Package policy compiles a policy and decides events by it: which regions are unused for an account, whether an event
// is a finding, which exception exempts it, and why.
//
// It is pure: no Kafka, no clock, no I/O, no goroutines. The same event, policy and time give the same decision. A
// [Policy] is immutable and safe for concurrent use; a [Decider] belongs to one goroutine at a time. Package policyfile
// reads policy files, and package live replaces policies at run time.
package policy

import (
	"time"

	"github.com/regionwatch/regionwatch/schema/alert"
)

// Policy is a compiled policy, immutable and safe for concurrent use.
type Policy struct {
	version  string
	hash     string
	warnings []Warning

	standard account // of every account that is not in accounts
	accounts map[uint64]*account
	// alertsOnMissing is set if some level alerts on events without readOnly.
	alertsOnMissing bool
	// alerts is set if some level is not in shadow mode.
	alerts bool

	exceptions []exception
	regions    condition
	byRegion   []exceptionSet // of regions, by the region's number
	sources    condition
	names      condition
	principals principalIndex
	sourceIPs  sourceIndex
}

// Compile compiles a policy. The error is [Faults], which holds every mistake; for an unknown region code it suggests
// the nearest valid one. The policy keeps the lists of o; do not change them afterwards.
func Compile(o Options) (*Policy, error) {
	c, faults := checkPolicy(&o)
	if len(faults) > 0 {
		return nil, faults
	}
	p := &Policy{version: o.Version, hash: contentHash(&o, c)}
	if p.version == "" {
		p.version = p.hash
	}
	p.compileExceptions(o.Exceptions)
	p.compileAccounts(&o, c)
	p.warnings = findWarnings(&o)
	return p, nil
}

func (p *Policy) compileExceptions(list []Exception) {
	n := len(list)
	p.exceptions = make([]exception, n)
	for i := range list {
		p.exceptions[i] = newException(&list[i])
	}
	p.regions = newCondition(n, func(i int) []string { return list[i].Regions })
	p.sources = newCondition(n, func(i int) []string { return list[i].EventSources })
	p.names = newCondition(n, func(i int) []string { return list[i].EventNames })
	p.principals = newPrincipalIndex(p.exceptions)
	p.sourceIPs = newSourceIndex(p.exceptions)
	p.byRegion = make([]exceptionSet, len(catalogue))
	for i := range catalogue {
		p.byRegion[i] = p.regions.possible([]byte(catalogue[i].Code))
	}
}

// Version returns the policy's version, as stamped on alerts.
func (p *Policy) Version() string { return p.version }

// Hash identifies the policy's content: the same content has the same hash, whatever the order of its lists of regions.
func (p *Policy) Hash() string { return p.hash }

// AlertsOnMissingReadOnly reports whether some level alerts on events without a readable readOnly.
func (p *Policy) AlertsOnMissingReadOnly() bool { return p.alertsOnMissing }

// AllShadow reports whether every level is in shadow mode, so that nothing alerts.
func (p *Policy) AllShadow() bool { return !p.alerts }

// ExpiredExceptions returns how many exceptions no longer apply at a time.
func (p *Policy) ExpiredExceptions(now time.Time) (n int) {
	for i := range p.exceptions {
		if p.exceptions[i].hasExpired(now) {
			n++
		}
	}
	return n
}

// Exceptions returns the names, reasons and owners of all exceptions, in the policy's order.
func (p *Policy) Exceptions() []alert.Exception {
	list := make([]alert.Exception, 0, len(p.exceptions))
	for i := range p.exceptions {
		list = append(list, p.exceptions[i].mark)
	}
	return list
}

// Expiry is an exception that has expired or soon will.
type Expiry struct {
	Name    string    `json:"name"`
	Owner   string    `json:"owner,omitempty"`
	Expires time.Time `json:"expires"`
	Expired bool      `json:"expired"`
}

// Expiries returns the exceptions that have expired or expire within [WarnAhead].
func (p *Policy) Expiries(now time.Time) (list []Expiry) {
	for i := range p.exceptions {
		if x := &p.exceptions[i]; x.hasExpired(now.Add(WarnAhead)) {
			list = append(list, Expiry{x.mark.Name, x.mark.Owner, x.expires, x.hasExpired(now)})
		}
	}
	return list
}
