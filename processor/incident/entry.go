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
	maxActions    = policy.MaxActions
	maxSources    = 50
	maxAgents     = 50
	maxPrincipals = 200       // of a storm
	maxFacts      = 32 << 10  // bytes of what the policy knows of the account
	maxAhead      = time.Hour // of an event's time before its record's
)

// entry is an incident, or may become one. There may be hundreds of thousands, so it has what is needed to make the
// incident, and no more.
type entry struct {
	record
	id      uuid.UUID
	account *account
	ids     idSet
	sibling *entry // the next one in Grouper.actors

	saved   int  // ids in written chunks
	detail  int  // bytes that it has of the Budget
	changed bool // it is in Grouper.changed
	hurry   bool // write it without waiting for its update interval

	due   instant
	timer int // its index in the timers, from 1; 0 means none
}

// record is the part of an entry that its state record holds, besides the account.
type record struct {
	kind     kind
	activity activity // of the last time that it was written
	severity severity
	storm    bool // the key is that of a storm
	overflow bool // it takes alerts of any account
	created  bool // the threshold was reached
	unsent   bool // it changed since it was last written

	partition            int32  // stands for an account
	rule, region, actor  string // of the key; of a storm only the rule of its first alert
	actorType, actorName string
	start, end           int64 // of the window, in seconds since 1970
	firstSeen, lastSeen  instant
	sent, lastArrival    instant // when it was last written, and last had an alert, in stream time
	closedAt             instant // zero while it is open
	revision             uint64
	alerts, failed       uint64
	partial, salvaged    uint64
	actions              tally
	sources, agents      tally
	crowd                *crowd   // of a storm
	otherRegions         []string // sorted
	escalations          []escalation
	facts                string // of the account, as JSON
	continues, lateFor   uuid.UUID
	remembered           int         // ids in chunks, when it was last written
	estimated            bool        // the counts are estimates
	firstIDs             []uuid.UUID // of an estimated one
}

// crowd is who and where, in a storm.
type crowd struct{ regions, principals tally }

// kind is an index in kinds.
type kind uint8

const (
	kindIncident kind = iota
	kindStorm
	kindLate
)

var kinds = []string{incident.KindIncident, incident.KindStorm, incident.KindLate}

// activity is an index in activities.
type activity uint8

const (
	noActivity activity = iota
	create
	update
	closing
)

var activities = []string{"", incident.Create, incident.Update, incident.Close}

// key returns the key of the incident; of a late one, that of the incident that it belongs to.
func (e *entry) key() incident.Key {
	if e.storm {
		return incident.Key{Account: e.account.id, Partition: e.partition, Storm: true, Overflow: e.overflow}
	}
	return incident.Key{Rule: e.rule, Account: e.account.id, Partition: e.partition, Region: e.region, Actor: e.actor}
}

// count adds an alert that the entry does not have.
func (g *Grouper) count(e *entry, f *alert.Facts, at time.Time) {
	e.alerts++
	if f.Failed {
		e.failed++
	}
	if f.Partial {
		e.partial++
	}
	if f.Salvaged {
		e.salvaged++
	}
	if seen := instantOf(at); e.alerts == 1 {
		e.firstSeen, e.lastSeen = seen, seen
	} else {
		e.firstSeen, e.lastSeen = min(e.firstSeen, seen), max(e.lastSeen, seen)
	}
	if e.facts == "" {
		g.know(e, f.AccountFacts)
	}
	g.note(e, &e.sources, f.Address, f, maxSources)
	g.note(e, &e.agents, f.Agent, f, maxAgents)
}

// know gives an entry what the policy knows of its account. All incidents of an account share one copy.
func (g *Grouper) know(e *entry, facts []byte) {
	a := e.account
	if a.facts != string(facts) {
		if len(facts) > maxFacts || !g.share.of.hasDetail() {
			return
		}
		g.setFacts(a, string(facts))
	}
	e.facts = a.facts
}

func (g *Grouper) setFacts(a *account, facts string) {
	a.facts = facts
	a.detail += len(facts)
	g.share.addDetail(len(facts))
}

// note counts an alert in a list.
func (g *Grouper) note(e *entry, t *tally, name string, f *alert.Facts, most int) (isNew, isFirstSuccess bool) {
	isNew, isFirstSuccess, grown := t.add(g.names, seenIn(f, name), g.share.most(most))
	g.grow(e, grown)
	return isNew, isFirstSuccess
}

func seenIn(f *alert.Facts, name string) seen { return seen{name, severityOf(f.Severity), f.Failed} }

// grow notes that the lists of an entry have grown by so many bytes.
func (g *Grouper) grow(e *entry, bytes int) {
	if bytes != 0 {
		e.detail += bytes
		g.share.addDetail(bytes)
	}
}

// escalate notes the reasons to hurry. It must run after count and before anything else reads its figures.
func (g *Grouper) escalate(e *entry, f *alert.Facts, at time.Time, settings *policy.Incidents) {
	if _, passed := slices.BinarySearch(settings.Escalations, e.alerts); passed {
		g.because(e, at, escalatedCount, fmt.Sprintf("%d alerts", e.alerts))
	}
	if !f.Failed && e.alerts-e.failed == 1 {
		g.because(e, at, escalatedSuccess, "the first call that succeeded: "+action(f))
	}
	if s := severityOf(f.Severity); s > e.severity {
		g.because(e, at, escalatedSeverity, f.Severity)
		e.severity = s
	}
	if isNew, _ := g.note(e, &e.actions, action(f), f, maxActions); isNew {
		g.because(e, at, escalatedAction, action(f))
	}
	if e.crowd != nil {
		g.escalateStorm(e, f, at)
	}
}

// escalateStorm notes what is new in a storm: a region, or the first success in one. Its list of regions is never shortened,
// so that none goes unseen.
func (g *Grouper) escalateStorm(e *entry, f *alert.Facts, at time.Time) {
	g.note(e, &e.crowd.principals, f.Actor, f, maxPrincipals)
	isNew, isFirst, grown := e.crowd.regions.add(g.names, seenIn(f, f.Region), incident.MaxRegions)
	g.grow(e, grown)
	switch {
	case isNew:
		g.because(e, at, escalatedRegion, f.Region)
	case isFirst:
		g.because(e, at, escalatedSuccess, "the first call that succeeded in "+f.Region)
	}
	g.escalatePrincipal(f, at)
}

// escalation is why an incident hurried.
type escalation struct {
	at     instant // event time
	reason reason
	detail string
}

// reason is an index in reasons.
type reason uint8

const (
	escalatedCount reason = iota
	escalatedSuccess
	escalatedAction
	escalatedSeverity
	escalatedRegion
)

var reasons = []string{
	incident.EscalatedCount, incident.EscalatedSuccess, incident.EscalatedAction, incident.EscalatedSeverity, incident.EscalatedRegion,
}

// maxDetail limits the detail of an escalation, in bytes.
const maxDetail = 2 * maxName

// because notes an escalation. Before the incident is created there is nothing to escalate.
func (g *Grouper) because(e *entry, at time.Time, reason reason, detail string) {
	if !e.created {
		return
	}
	e.hurry = true
	before := escalationsSize(e.escalations)
	detail = g.names.of(alert.CutText(detail, maxDetail))
	list := appendTight(e.escalations, escalation{instantOf(at), reason, detail})
	e.escalations = slices.Delete(list, 0, max(0, len(list)-g.share.most(incident.MaxEscalations)))
	g.grow(e, escalationsSize(e.escalations)-before)
}

// escalationSize is the memory that an escalation takes besides its detail, in bytes.
const escalationSize = 32

func escalationsSize(list []escalation) (n int) {
	for i := range list {
		n += escalationSize + len(list[i].detail)
	}
	return n
}

// size returns the memory of the texts and lists of an entry, in bytes.
func (e *entry) size() int {
	n := len(e.actor) + len(e.actorName) + textsSize(e.rule, e.region, e.actorType) + regionsSize(e.otherRegions...)
	n += e.actions.size() + e.sources.size() + e.agents.size() + escalationsSize(e.escalations)
	if e.crowd != nil {
		n += e.crowd.regions.size() + e.crowd.principals.size()
	}
	return n
}

// textsSize returns the memory of texts that are shared unless they are long, in bytes.
func textsSize(texts ...string) (n int) {
	for _, s := range texts {
		if len(s) >= longName {
			n += len(s)
		}
	}
	return n
}

func regionsSize(regions ...string) int {
	const header = 16
	return len(regions)*header + textsSize(regions...)
}

// reached reports whether the threshold of an incident is reached.
func (e *entry) reached(g *policy.Incidents) bool {
	switch {
	case e.kind != kindIncident:
		return true
	case g.ByAction: // a full list may be shorter than the threshold: rather an incident than none
		return e.actions.more || uint64(len(e.actions.list)) >= g.Threshold
	}
	return e.alerts >= g.Threshold
}

// see notes another region in which the principal of an incident is. It reports whether that is new.
func (g *Grouper) see(e *entry, region string) bool {
	list := e.otherRegions
	i, known := slices.BinarySearch(list, region)
	if known || len(list) >= g.share.most(incident.MaxRegions) {
		return false
	}
	e.otherRegions = slices.Insert(list, i, region)
	g.grow(e, regionsSize(region))
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
func (e *entry) nextDue(g *policy.Incidents) instant {
	due := e.closeAt(g)
	if !e.created && e.reached(g) {
		return 1 // long ago: the threshold was lowered
	}
	if e.closedAt != 0 {
		due = e.closedAt.add(g.Grace)
	}
	if e.created && e.unsent {
		due = min(due, e.sent.add(g.Update))
	}
	return due
}

// closeAt returns the time after which the entry closes.
func (e *entry) closeAt(g *policy.Incidents) instant {
	quiet := e.lastArrival.add(g.Quiet)
	if e.kind == kindLate {
		return quiet
	}
	return max(quiet, instantOf(time.Unix(e.end, 0)))
}
