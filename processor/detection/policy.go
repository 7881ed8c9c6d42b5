package detection

import "github.com/regionwatch/regionwatch/schema/cloudtrail"

// DefaultUnusedRegions is the rule's own list (panther-analysis, AWS.UnusedRegion).
var DefaultUnusedRegions = []string{"ap-east-1", "eu-west-3", "eu-central-1"}

// PolicyOptions is a policy as it is written down. The zero value is the rule's own: the default list.
type PolicyOptions struct {
	Version string // stamped on every alert; empty means a hash of the content
	// UnusedRegions is a deny list; empty means DefaultUnusedRegions.
	UnusedRegions []string
	// AlertOnMissingReadOnly makes an event without a readable readOnly match.
	AlertOnMissingReadOnly bool
}

// Policy is a compiled policy, immutable and safe for concurrent use.
type Policy struct{}

// NewPolicy compiles a policy. The error names every fault: a region code that is not in the
// catalogue with the nearest one that is.
func NewPolicy(o PolicyOptions) (*Policy, error) { panic("not built yet") }

// Version returns the policy's version as it is stamped on alerts.
func (p *Policy) Version() string { panic("not built yet") }

// Decision is what a policy says of one event.
type Decision struct {
	Outcome Outcome
	Level   string // the level that decided: "default"
	Reason  string // for people: "eu-central-1 is in unused_regions"
}

// Decide says what becomes of e. It allocates nothing for an event that is not a finding.
func (p *Policy) Decide(e *cloudtrail.Event) Decision { panic("not built yet") }
