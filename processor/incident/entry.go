package incident

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/incident"
)

// The limits on what an incident distinguishes.
const (
	maxActions    = 200
	maxSources    = 50
	maxAgents     = 50
	maxPrincipals = 200       // of a storm
	maxFacts      = 32 << 10  // bytes of what the policy knows of the account
	maxAhead      = time.Hour // of an event's time before its record's
)

// entry is an incident, or may become one.
type entry struct {
	record
	id      uuid.UUID
	account *account
	ids     idSet

	saved    int  // ids in written chunks
	changed  bool // it is in Grouper.changed
	hurry    bool // write it without waiting for its update interval
	replaced bool // its ids were replaced by a sketch; their chunks must be deleted

	due   time.Time
	timer int // its index in the timers, from 1; 0 means none
}

// record is the part of an entry that its state record holds.
type record struct {
	Incident   incident.Incident `json:"incident"` // without its lists of counts
	Key        incident.Key      `json:"key"`
	Actions    tally             `json:"actions"`
	Sources    tally             `json:"sources"`
	Agents     tally             `json:"agents"`
	Regions    tally             `json:"regions"`
	Principals tally             `json:"principals"`

	Created     bool      `json:"created,omitempty"` // the threshold was reached
	Unsent      bool      `json:"unsent,omitempty"`  // it changed since it was last written
	Sent        time.Time `json:"sent"`              // when it was, in stream time
	LastArrival time.Time `json:"lastArrival"`
	ClosedAt    time.Time `json:"closedAt"` // zero while it is open
	IDs         int       `json:"ids"`      // remembered, in chunks
	Estimated   bool      `json:"estimated,omitempty"`
}

// count adds an alert that the entry does not have.
func (e *entry) count(f *alert.Facts, at time.Time) {
	i, c := &e.Incident, &e.Incident.Counts
	c.Alerts++
	if f.Failed {
		c.Failed++
	} else {
		c.Succeeded++
	}
	if f.Partial {
		c.Partial++
	}
	if f.Salvaged {
		c.Salvaged++
	}
	if i.FirstSeen.IsZero() || at.Before(i.FirstSeen) {
		i.FirstSeen = at
	}
	if at.After(i.LastSeen) {
		i.LastSeen = at
	}
	if len(i.AlertIDs) < incident.MaxAlertIDs {
		i.AlertIDs = append(i.AlertIDs, f.ID.String())
	}
	if i.Account == nil && f.AccountFacts != nil && len(f.AccountFacts) <= maxFacts {
		i.Account = slices.Clone(f.AccountFacts)
	}
	e.Sources.add(f.Address, f.Severity, f.Failed, maxSources)
	e.Agents.add(f.Agent, f.Severity, f.Failed, maxAgents)
}

// escalate notes the reasons to hurry. It must run before anything else reads the figures of count.
func (e *entry) escalate(f *alert.Facts, at time.Time, g *policy.Incidents) {
	c := &e.Incident.Counts
	if _, passed := slices.BinarySearch(g.Escalations, c.Alerts); passed {
		e.because(at, incident.EscalatedCount, fmt.Sprintf("%d alerts", c.Alerts))
	}
	if !f.Failed && c.Succeeded == 1 && c.Failed > 0 {
		e.because(at, incident.EscalatedSuccess, "the first call that succeeded: "+action(f))
	}
	if rank(f.Severity) > rank(e.Incident.Severity) {
		e.because(at, incident.EscalatedSeverity, f.Severity)
		e.Incident.Severity = f.Severity
	}
	isNew, _ := e.Actions.add(action(f), f.Severity, f.Failed, maxActions)
	c.Actions, c.MoreActions = uint64(len(e.Actions.List)), e.Actions.More
	if e.Key.Storm {
		e.escalateStorm(f, at)
	} else if isNew {
		e.because(at, incident.EscalatedAction, action(f))
	}
}

// escalateStorm notes what is new in a storm: a region, or the first success in one.
func (e *entry) escalateStorm(f *alert.Facts, at time.Time) {
	e.Principals.add(f.Actor, f.Severity, f.Failed, maxPrincipals)
	isNew, isFirst := e.Regions.add(f.Region, f.Severity, f.Failed, incident.MaxRegions)
	switch {
	case isNew:
		e.because(at, incident.EscalatedRegion, f.Region)
	case isFirst:
		e.because(at, incident.EscalatedSuccess, "the first call that succeeded in "+f.Region)
	}
}

// because notes an escalation. Before the incident is created there is nothing to escalate.
func (e *entry) because(at time.Time, reason, detail string) {
	if !e.Created {
		return
	}
	e.hurry = true
	list := append(e.Incident.Escalations, incident.Escalation{At: at, Reason: reason, Detail: alert.CutText(detail, 2*maxName)})
	e.Incident.Escalations = list[max(0, len(list)-incident.MaxEscalations):]
}

// reached reports whether the threshold of an incident is reached.
func (e *entry) reached(g *policy.Incidents) bool {
	switch {
	case e.Incident.Kind != incident.KindIncident:
		return true
	case g.ByAction:
		return e.Incident.Counts.Actions >= g.Threshold
	}
	return e.Incident.Counts.Alerts >= g.Threshold
}

// see notes another region in which the principal has an incident. It reports whether that is new.
func (e *entry) see(region string) bool {
	list := e.Incident.OtherRegions
	i, known := slices.BinarySearch(list, region)
	if known || len(list) == incident.MaxRegions {
		return false
	}
	e.Incident.OtherRegions = slices.Insert(list, i, region)
	return true
}

// action names the action of an alert.
func action(f *alert.Facts) string {
	switch {
	case f.Source == "" && f.Action == "":
		return "unknown"
	case f.Source == "":
		return f.Action
	}
	return f.Source + " " + f.Action
}

// nextDue returns when the entry is next due; settings may have changed since the last call.
func (e *entry) nextDue(g *policy.Incidents) time.Time {
	due := e.closeAt(g)
	if !e.ClosedAt.IsZero() {
		due = e.ClosedAt.Add(g.Grace)
	}
	if update := e.Sent.Add(g.Update); e.Created && e.Unsent && update.Before(due) {
		due = update
	}
	return due
}

// closeAt returns the time after which the entry closes.
func (e *entry) closeAt(g *policy.Incidents) time.Time {
	quiet := e.LastArrival.Add(g.Quiet)
	if end := e.Incident.Window.End; end.After(quiet) && e.Incident.Kind != incident.KindLate {
		return end
	}
	return quiet
}

// snapshot returns the incident to write.
func (e *entry) snapshot() *incident.Incident {
	i := e.Incident
	i.Actions, i.Sources, i.Agents = e.Actions.top(), e.Sources.top(), e.Agents.top()
	i.Regions, i.Principals = e.Regions.top(), e.Principals.top()
	i.AlertIDs, i.OtherRegions, i.Escalations = slices.Clone(i.AlertIDs), slices.Clone(i.OtherRegions), slices.Clone(i.Escalations)
	if e.ids.sketch != nil {
		i.Counts.Alerts, i.Counts.Estimate = min(e.ids.sketch.Estimate(), i.Counts.Alerts), true
	}
	return &i
}
