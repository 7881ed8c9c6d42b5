package policy

import (
	"time"

	"github.com/regionwatch/regionwatch/schema/alert"
)

// Options is a policy as it is written down. The zero value is the rule's own: the default list for every
// account.
type Options struct {
	Version string // stamped on every alert; empty means a hash of the content
	Shadow  bool   // the whole policy is in shadow mode, see Level.Shadow
	// Default holds for every account that has no level of its own and is in no group that has one. Without a
	// list it takes DefaultUnusedRegions.
	Default    Level
	Groups     []Group
	Accounts   []Account
	Exceptions []Exception
}

// Level is the policy of an account, of a group, or the default. The level closest to an account
// replaces the others: nothing is merged. It has one list, UnusedRegions or AllowedRegions. A region listed
// twice counts once.
type Level struct {
	UnusedRegions  []string // a deny list: these are unused, every other region is in use
	AllowedRegions []string // an allow list: every other region is unused, those that AWS opens tomorrow too
	// AlertOnMissingReadOnly makes an event without a readable readOnly match.
	AlertOnMissingReadOnly bool
	// ExemptGlobalServices lets events of global services pass in the one region in which CloudTrail logs them.
	// Nil means true with an allow list, false with a deny list.
	ExemptGlobalServices *bool
	Severity             string     // of the alerts, one of Severities; empty means DefaultSeverity
	FailedSeverity       string     // of alerts of calls that failed, with an errorCode; empty means Severity
	Shadow               bool       // findings are not alerts: they are marked, counted, and kept where that is asked for
	Incidents            *Incidents // how its alerts are grouped; nil means DefaultIncidents
}

// Group is accounts under one name, for a level and for exceptions.
type Group struct {
	Name     string
	Accounts []string // account ids; accounts may name their group in its place, see Account.Group
	Level    *Level   // nil leaves its accounts to Default
}

// Account is what is known of one account. The texts go into its alerts.
type Account struct {
	ID          string // 12 digits
	Name        string
	Owner       string
	Environment string
	Tags        map[string]string
	Group       string // the group that it belongs to; empty means one that lists it, if any
	Level       *Level // nil leaves it to its group, else to Default
}

// Exception exempts findings. Each list that is given must hold, by one of its entries; with none the exception
// would exempt everything, which is a fault. There is none by session name or user agent: those are the actor's own
// choice.
type Exception struct {
	Name      string // unique: findings are counted by it
	Reason    string
	Owner     string
	NotBefore time.Time `json:",omitzero"` // the first instant at which it holds; zero means always
	Expires   time.Time // the first instant at which it does not hold any more; zero means never

	Accounts     []string // account ids
	Groups       []string // names of groups
	Regions      []string // region codes
	EventSources []string // such as config.amazonaws.com, with * and ?
	EventNames   []string // such as PutConfigRule, with * and ?
	// Principals are patterns of ARNs, compared component by component as IAM's ArnLike does. An assumed role is
	// matched by the role's own ARN.
	Principals []string
	// SourceIPs are addresses and ranges of them, and names of AWS services, with * and ?: CloudTrail writes either
	// into sourceIPAddress.
	SourceIPs      []string
	ServiceInvoked bool // only calls that an AWS service made, for itself or for the principal
}

// DefaultSeverity is the rule's own.
const DefaultSeverity = "High"

// DefaultUnusedRegions is the rule's own list. It is an example, not advice: eu-west-3 and eu-central-1 are
// enabled in every account.
var DefaultUnusedRegions = []string{"ap-east-1", "eu-west-3", "eu-central-1"}

// Severities are the severities of alerts, the least first.
var Severities = alert.Severities
