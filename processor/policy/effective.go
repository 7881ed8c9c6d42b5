package policy

import (
	"encoding/json"
	"slices"
	"time"
)

// Effective is the effect of a policy on one account, as shown to people.
type Effective struct {
	Level                string          `json:"level"` // as alerts name it
	AllowList            bool            `json:"allowList"`
	Listed               []string        `json:"listed"` // the level's list
	Unused               []string        `json:"unused"` // regions of the catalogue
	MissingReadOnly      string          `json:"missingReadOnly"`
	ExemptGlobalServices bool            `json:"exemptGlobalServices"`
	Severity             string          `json:"severity"`
	FailedSeverity       string          `json:"failedSeverity"`
	Shadow               bool            `json:"shadow"`
	Incidents            Grouping        `json:"incidents"`
	Account              json.RawMessage `json:"account,omitempty"` // what the policy knows of it
	Exceptions           []string        `json:"exceptions"`        // those in force, unless the account rules them out
}

// Effective returns the effect on an account; the default level applies to accounts the policy does not name.
func (p *Policy) Effective(accountID string, now time.Time) Effective {
	a := &p.standard
	if key, ok := accountKey([]byte(accountID)); ok && p.accounts[key] != nil {
		a = p.accounts[key]
	}
	l := a.level
	e := Effective{
		Level: l.name, AllowList: l.isAllowList, MissingReadOnly: "pass", ExemptGlobalServices: l.exemptGlobal,
		Severity: l.severity, FailedSeverity: l.failedSeverity, Shadow: l.shadow, Incidents: l.incidents.Grouping(), Account: a.facts, Exceptions: []string{},
	}
	if l.alertOnMissing {
		e.MissingReadOnly = "alert"
	}
	for i, r := range catalogue {
		if l.listed[i] {
			e.Listed = append(e.Listed, r.Code)
		}
		if l.listed[i] != l.isAllowList {
			e.Unused = append(e.Unused, r.Code)
		}
	}
	for i := range p.exceptions {
		if x := &p.exceptions[i]; x.isInForce(now) && a.exceptions[i/64]&(1<<(i%64)) != 0 {
			e.Exceptions = append(e.Exceptions, x.mark.Name)
		}
	}
	return e
}

// Size counts the parts of a policy.
type Size struct {
	Accounts      int // named in it
	UnusedRegions int // in the catalogue, under the default level
	Exceptions    int
}

// Size returns the policy's size.
func (p *Policy) Size() Size {
	s := Size{Accounts: len(p.accounts), Exceptions: len(p.exceptions)}
	for _, listed := range p.standard.level.listed {
		if listed != p.standard.level.isAllowList {
			s.UnusedRegions++
		}
	}
	return s
}

// Accounts returns the ids of the accounts that the policy names, sorted.
func (p *Policy) Accounts() []string {
	ids := make([]string, 0, len(p.accounts))
	for _, a := range p.accounts {
		ids = append(ids, a.id)
	}
	slices.Sort(ids)
	return ids
}
