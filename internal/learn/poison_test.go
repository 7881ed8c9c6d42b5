package learn

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// end is the end of the traffic in tests, which has ninety days.
var end = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

// call is an event for tests. Days count back from the end.
type call struct {
	account, region, role string
	day                   int
	read, failed, root    bool
	service               string // invokedBy
	session               string
	at                    string // in the place of the day's time
	source                string
}

func (c call) event() []byte {
	at := c.at
	if at == "" {
		at = end.AddDate(0, 0, -c.day).Format(time.RFC3339)
	}
	identity := fmt.Sprintf(`{"type":"AssumedRole","arn":"arn:aws:sts::%[1]s:assumed-role/%[2]s/%[3]s","invokedBy":%[4]q,
		"sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::%[1]s:role/%[2]s","userName":%[2]q}}}`, c.account, c.role, c.session, c.service)
	if c.root {
		identity = fmt.Sprintf(`{"type":"Root","arn":"arn:aws:iam::%s:root"}`, c.account)
	}
	code, source := "null", "ec2.amazonaws.com"
	if c.failed {
		code = `"AccessDenied"`
	}
	if c.source != "" {
		source = c.source
	}
	return fmt.Appendf(nil, `{"eventVersion":"1.08","userIdentity":%s,"eventTime":%q,"eventSource":%q,"eventName":"RunInstances","awsRegion":%q,"readOnly":%t,"errorCode":%s,"recipientAccountId":%q}`,
		identity, at, source, c.region, c.read, code, c.account)
}

// sink hands events to a learner.
type sink struct {
	t *testing.T
	l *Learner
}

func (s sink) Event(e *cloudtrail.Event) error            { s.l.Add(e); return nil }
func (s sink) Skip(k cloudtrail.Kind, _ cloudtrail.Chain) { s.t.Errorf("skipped: %v", k) }
func (s sink) Fault(f *cloudtrail.Fault) error            { s.t.Errorf("fault: %v", f.Err); return nil }
func learnCalls(t *testing.T, l *Learner, calls ...call) {
	t.Helper()
	d := cloudtrail.NewDecoder(0)
	for _, c := range calls {
		if err := d.Decode(c.event(), sink{t, l}); err != nil {
			t.Fatal(err)
		}
	}
}

var accounts = []string{"111111111111", "222222222222", "333333333333"}

// company is the traffic of three accounts that work in two regions each.
func company() (calls []call) {
	for i, account := range accounts {
		for _, region := range []string{"us-east-1", []string{"eu-west-1", "eu-west-1", "us-west-2"}[i]} {
			for day := range 90 {
				for _, role := range []string{"deploy", "admin", "ops"} {
					calls = append(calls, call{account: account, region: region, role: role, day: day})
				}
			}
		}
	}
	return calls
}

// days are calls on several days, from the first to the last, counted back from the end.
func days(first, last int, c call) (calls []call) {
	for d := first; d >= last; d-- {
		c.day = d
		calls = append(calls, c)
	}
	return calls
}

// roles are calls by several roles.
func roles(n int, calls []call) (all []call) {
	for i := range n {
		for _, c := range calls {
			c.role = fmt.Sprintf("%s-%d", c.role, i)
			all = append(all, c)
		}
	}
	return all
}

// everywhere are calls in all accounts.
func everywhere(calls []call) (all []call) {
	for _, account := range accounts {
		for _, c := range calls {
			c.account = account
			all = append(all, c)
		}
	}
	return all
}

const target = "ap-east-1"

// No actor who begins late, has one principal, or acts through services or as root gets a region allowed.
func TestPoisoning(t *testing.T) {
	one := call{account: accounts[0], region: target, role: "stolen"}
	with := func(change func(*call)) call { c := one; change(&c); return c }
	sessions := func() (calls []call) {
		for d := range 80 {
			calls = append(calls, with(func(c *call) { c.day, c.session = d, fmt.Sprint("session", d) }))
		}
		return calls
	}
	service := with(func(c *call) { c.service = "cloudformation.amazonaws.com" })
	failed := with(func(c *call) { c.failed = true })
	root := with(func(c *call) { c.root = true })
	future := with(func(c *call) { c.at = "2099-01-01T00:00:00Z" })
	timeless := with(func(c *call) { c.at = "yesterday" })
	for name, calls := range map[string][]call{
		"one write at the end":                      days(0, 0, one),
		"one write long ago":                        days(80, 80, one),
		"many roles on one day long ago":            roles(50, days(80, 80, one)),
		"two roles on two days, one each":           slices.Concat(roles(1, days(80, 80, one)), days(79, 79, one)),
		"days before the end":                       days(5, 0, one),
		"thirteen days, many roles":                 roles(20, days(13, 0, one)),
		"one role all the time":                     days(89, 0, one),
		"one role with a session name for each day": sessions(),
		"one role in every account":                 everywhere(days(89, 0, one)),
		"many roles in every account, just before":  everywhere(roles(10, days(3, 0, one))),
		"a service all the time":                    roles(3, days(89, 0, service)),
		"a service in every account":                everywhere(roles(3, days(89, 0, service))),
		"failed calls all the time":                 roles(3, days(89, 0, failed)),
		"root all the time":                         days(89, 0, root),
		"root and one role":                         slices.Concat(days(89, 0, root), days(89, 0, one)),
		"one role early, many late":                 slices.Concat(days(89, 0, one), roles(20, days(10, 0, one))),
		"one role early, many failing and served":   slices.Concat(days(89, 0, one), roles(5, days(89, 0, failed)), roles(5, days(89, 0, service))),
		"roles one after the other, a day each": func() (all []call) {
			for d := range 80 {
				all = append(all, with(func(c *call) { c.role, c.day = fmt.Sprint("r", d), d }))
			}
			return all
		}(),
		"an event of the future moves the end":         append(roles(3, days(5, 0, one)), future),
		"no usable time":                               roles(3, []call{timeless, timeless, timeless}),
		"a global service's name, just before the end": roles(3, days(5, 0, with(func(c *call) { c.source = "iam.amazonaws.com" }))),
	} {
		t.Run(name, func(t *testing.T) {
			l := NewLearner(end.Add(time.Hour))
			learnCalls(t, l, company()...)
			learnCalls(t, l, calls...)
			d := l.Draft(Options{})
			for _, a := range d.Accounts {
				if slices.Contains(d.Allowed(a.ID), target) {
					t.Errorf("account %s: %s is allowed", a.ID, target)
				}
			}
			if d.Review() == 0 {
				t.Error("nothing is to be reviewed")
			}
		})
	}
}

// What cannot be told apart, as the documents say: two principals who are patient.
func TestPatientActor(t *testing.T) {
	l := NewLearner(end)
	learnCalls(t, l, roles(2, days(60, 0, call{account: accounts[0], region: target, role: "stolen"}))...)
	if d := l.Draft(Options{}); !slices.Contains(d.Allowed(accounts[0]), target) {
		t.Error("it is not allowed: say so in the documents")
	}
}
