package policy

import (
	"time"

	"github.com/regionwatch/regionwatch/schema/alert"
)

// Options is a policy before it is compiled. The zero value is the rule's own policy: the default list for every
// account.
type Options struct {
	Version string // stamped on every alert; empty means a hash of the content
	Shadow  bool   // the whole policy is in shadow mode, see Level.Shadow
	// Default applies to every account that has no level itself and is in no group with one. Without a list it takes
	// DefaultUnusedRegions.
	Default    Level
	Groups     []Group
	Accounts   []Account
	Exceptions []Exception
}

// Level is the policy of an account, of a group, or the default. The level closest to an account replaces the others:
// nothing is merged. It has one list, UnusedRegions or AllowedRegions. A region listed twice counts once.
type Level struct {
	UnusedRegions  []string // a deny list: these are unused, every other region is in use
	AllowedRegions []string // an allow list: every other region is unused, including those that AWS opens later
	// AlertOnMissingReadOnly makes an event without a readable readOnly match.
	AlertOnMissingReadOnly bool
	// ExemptGlobalServices lets events of global services pass in the one region in which CloudTrail logs them.
	// Nil means true with an allow list, false with a deny list.
	ExemptGlobalServices *bool
	Severity             string     // of the alerts, one of Severities; empty means DefaultSeverity
	FailedSeverity       string     // of alerts for failed calls, those with an errorCode; empty means Severity
	Shadow               bool       // findings do not alert: they are marked, counted, and written to a topic if there is one
	Incidents            *Incidents // how its alerts are grouped; nil means DefaultIncidents
}

// Group names a set of accounts, for a level and for exceptions. An account is in it that it lists, that names it, that is
// in one of its organizational units, or that has all of its tags.
type Group struct {
	Name     string
	Accounts []string          // account ids; an account may name its group instead, see Account.Group
	OUs      []string          // paths of organizational units; what is within one is in it
	Tags     map[string]string // of accounts
	Level    *Level            // nil leaves its accounts to Default
}

// Account is what the policy knows of one account. The texts go into its alerts.
type Account struct {
	ID          string // 12 digits
	Name        string
	Owner       string
	Environment string
	OU          string // path of its organizational unit, such as Workloads/Prod; empty if unknown, or for the root
	Tags        map[string]string
	Group       string // the group it belongs to; empty means one that lists it, if any
	Level       *Level // nil leaves it to its group, else to Default
}

// Exception exempts findings. Each list that is given must match, by one of its entries; without any, the exception
// would exempt everything, which is a fault. Session names and user agents are no conditions, because the actor chooses
// them.
type Exception struct {
	Name      string // unique: findings are counted by it
	Reason    string
	Owner     string
	NotBefore time.Time `json:",omitzero"` // the first instant at which it applies; zero means always
	Expires   time.Time // the first instant at which it no longer applies; zero means never

	Accounts     []string // account ids
	Groups       []string // names of groups
	Regions      []string // region codes
	EventSources []string // such as config.amazonaws.com, with * and ?
	EventNames   []string // such as PutConfigRule, with * and ?
	// Principals are patterns of ARNs, compared component by component as IAM's ArnLike does. An assumed role is
	// matched by the role's own ARN.
	Principals []string
	// SourceIPs are addresses, ranges, and names of AWS services with * and ?: CloudTrail writes either into
	// sourceIPAddress.
	SourceIPs      []string
	ServiceInvoked bool // only calls that an AWS service made, for itself or for the principal
}

// DefaultSeverity is the rule's own.
const DefaultSeverity = "High"

// DefaultUnusedRegions is the rule's own list. It is an example, not advice: eu-west-3 and eu-central-1 are enabled in
// every account.
var DefaultUnusedRegions = []string{"ap-east-1", "eu-west-3", "eu-central-1"}

// Severities are the severities of alerts, lowest first.
var Severities = alert.Severities
