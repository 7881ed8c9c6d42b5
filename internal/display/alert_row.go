package display

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/regionwatch/regionwatch/schema/alert"
)

// AlertRow is what a table shows of an alert. It shares no memory with it, and its texts are bounded.
type AlertRow struct {
	Time      string `json:"time"`
	Severity  string `json:"severity"`
	Account   string `json:"account"` // the id
	Name      string `json:"name,omitempty"`
	Group     string `json:"group,omitempty"`
	Owner     string `json:"owner,omitempty"`
	Region    string `json:"region"`
	Event     string `json:"event"`
	Principal string `json:"principal"`
	From      string `json:"from"`
}

// NewAlertRow returns the row of an alert.
func NewAlertRow(a *alert.Alert) AlertRow {
	facts := NewAccountFacts(a.Policy.Account)
	r := AlertRow{
		Time: JSON(a.EventTime), Severity: a.Severity, Account: JSON(a.RecipientAccountID), Name: facts.Name, Group: facts.Group, Owner: facts.Owner,
		Region: JSON(a.AWSRegion), Event: strings.TrimSuffix(JSON(a.EventSource), ".amazonaws.com") + " " + JSON(a.EventName),
		Principal: a.Principal.Name, From: JSON(a.SourceIPAddress),
	}
	if a.Partial {
		r.From += " (partial: " + a.PartialReason + ")"
	}
	for _, text := range []*string{&r.Time, &r.Severity, &r.Account, &r.Name, &r.Group, &r.Owner, &r.Region, &r.Event, &r.Principal, &r.From} {
		*text = strings.Clone(Cut(*text, longestCell))
	}
	return r
}

// name returns the account's name from the policy, or its id.
func (r *AlertRow) name() string { return cmp.Or(r.Name, r.Account) }

// nameAndID returns the account's name, if it has one, and its id. The name is cut to leave room for the id.
func (r *AlertRow) nameAndID(width int) string {
	if r.Name == "" {
		return r.Account
	}
	return Fit(r.Name, min(Width(r.Name), width-1-Width(r.Account))) + " " + r.Account
}

// SortByTime sorts rows by the time of their events; those without a time come last. Equal ones keep their order.
func SortByTime(rows []AlertRow) {
	at := make(map[string]time.Time, len(rows))
	for i := range rows {
		if t, err := time.Parse(time.RFC3339, rows[i].Time); err == nil {
			at[rows[i].Time] = t
		}
	}
	slices.SortStableFunc(rows, func(a, b AlertRow) int {
		atA, okA := at[a.Time]
		atB, okB := at[b.Time]
		switch {
		case okA && okB:
			return atA.Compare(atB)
		case okA:
			return -1
		case okB:
			return 1
		}
		return 0
	})
}
