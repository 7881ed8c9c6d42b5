package incident

import (
	"math"
	"slices"

	"github.com/google/uuid"

	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/incident"
)

// The limits on what a state record can hold.
const (
	maxText   = 1 << 10 // bytes of a text of an alert
	maxWindow = 1 << 32 // seconds
	maxCount  = math.MaxInt64
	// The seconds since 1970 of the years 0 to 9999, which JSON can write.
	leastSecond, mostSecond = -62_167_219_200, 253_402_300_799
	// maxRemembered is far more ids than any incident remembers, and few enough to count their chunks.
	maxRemembered = 1 << 30
)

// decodeEntry reads the value of the state record of an entry, all but its ids, and the id of its account.
func decodeEntry(value []byte, n names, e *entry) (accountID string, err error) {
	r := newReader(value, n)
	e.record = record{}
	e.kind, e.activity = kind(r.byte(byte(kindLate))), activity(r.byte(byte(closing)))
	e.severity = severity(r.byte(byte(len(alert.Severities) - 1)))
	r.flags(5, &e.storm, &e.overflow, &e.created, &e.unsent, &e.estimated)
	accountID = r.name(maxText)
	e.partition = int32(r.number(math.MaxInt32))
	e.rule = r.name(maxText)
	if e.storm {
		e.crowd = &crowd{}
	} else {
		e.region, e.actor, e.actorType = r.name(maxText), r.text(maxText), r.name(maxText)
		e.actorName = r.endOf(e.actor, maxName)
	}
	if e.kind == kindStorm && !e.storm || e.kind == kindIncident && e.storm || e.overflow && e.kind != kindStorm {
		r.fail()
	}
	e.start = r.signed(leastSecond, mostSecond)
	e.end = e.start + int64(r.number(maxWindow))
	if e.end <= e.start || e.end > mostSecond {
		r.fail()
	}
	r.history(e)
	r.counts(e)
	e.facts = r.name(maxFacts)
	r.links(e)
	return accountID, r.end()
}

// history reads what appendHistory wrote.
func (r *reader) history(e *entry) {
	e.firstSeen, e.lastSeen = r.instant(), r.instant()
	e.sent, e.lastArrival, e.closedAt = r.instant(), r.instant(), r.instant()
	e.revision = r.number(maxCount)
	e.escalations = make([]escalation, r.number(incident.MaxEscalations))
	for i := range e.escalations {
		e.escalations[i] = escalation{r.instant(), reason(r.byte(byte(escalatedRegion))), r.name(maxDetail)}
	}
}

// counts reads what appendCounts wrote.
func (r *reader) counts(e *entry) {
	e.alerts = r.number(maxCount)
	e.failed, e.partial, e.salvaged = r.number(e.alerts), r.number(e.alerts), r.number(e.alerts)
	e.remembered = int(r.number(min(e.alerts, maxRemembered)))
	switch {
	case !e.estimated && uint64(e.remembered) != e.alerts, e.estimated && e.remembered > 0:
		r.fail()
	case e.estimated:
		e.firstIDs = r.ids(int(r.byte(incident.MaxAlertIDs)))
	}
	r.tally(&e.actions, maxActions)
	r.tally(&e.sources, maxSources)
	r.tally(&e.agents, maxAgents)
	if e.crowd != nil {
		r.tally(&e.crowd.regions, incident.MaxRegions)
		r.tally(&e.crowd.principals, maxPrincipals)
	}
}

func (r *reader) ids(n int) []uuid.UUID {
	var list []uuid.UUID
	for range n {
		list = append(list, r.id())
	}
	return list
}

// tally reads a list of up to most names.
func (r *reader) tally(t *tally, most int) {
	n := r.number(uint64(most)<<1 | 1)
	t.more = n&1 != 0
	t.list = make([]named, n>>1)
	for i := range t.list {
		c := &t.list[i]
		c.name, c.alerts = r.name(maxName), r.number(maxCount)
		c.succeeded = r.number(c.alerts)
		c.severity = severity(r.byte(byte(len(alert.Severities) - 1)))
	}
}

// links reads what appendLinks wrote.
func (r *reader) links(e *entry) {
	for range r.number(incident.MaxRegions) {
		e.otherRegions = append(e.otherRegions, r.name(maxText))
	}
	if !slices.IsSorted(e.otherRegions) {
		r.fail()
	}
	var continues bool
	if r.flags(1, &continues); continues {
		if e.continues = r.id(); e.continues == uuid.Nil {
			r.fail()
		}
	}
	if e.kind == kindLate {
		e.lateFor = r.id()
	}
}

// decodeSchedule reads the value of the state record of an account.
func decodeSchedule(value []byte) (schedule, error) {
	r := newReader(value, nil)
	n := r.byte(maxSegments)
	s := make(schedule, n)
	for i := range s {
		s[i] = segment{From: r.signed(leastSecond, mostSecond), Window: int64(r.number(maxWindow))}
		if s[i].Window == 0 || i > 0 && s[i].From <= s[i-1].From {
			r.fail()
		}
	}
	if n == 0 {
		r.fail()
	}
	return s, r.end()
}

// decodeGone reads the value of the state record of an incident whose grace has ended.
func decodeGone(value []byte) (late int, accountID string, err error) {
	r := newReader(value, nil)
	late = int(r.number(math.MaxInt32))
	accountID = r.text(maxText)
	return late, accountID, r.end()
}
