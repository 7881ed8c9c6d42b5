package incident

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/incident"
)

// KeyOf returns the key of the incident that an alert belongs to. Partition replaces a missing account.
func KeyOf(f *alert.Facts, partition int32) incident.Key {
	k := incident.Key{Rule: f.RuleID, Account: f.Account, Region: f.Region, Actor: f.Actor}
	if k.Account == "" {
		k.Partition = partition
	}
	return k
}

// Place returns the key and the window of the incident that an alert belongs to, if it came in a record of that partition
// with that timestamp and its account's windows always had this length.
func Place(f *alert.Facts, partition int32, stamp time.Time, settings *policy.Incidents) (incident.Key, incident.Window) {
	var s schedule
	s.change(settings.Window, stamp)
	return KeyOf(f, partition), s.window(eventTime(f, stamp))
}

// find returns the entry that an alert belongs to.
func (g *Grouper) find(f *alert.Facts, at time.Time, settings *policy.Incidents) *entry {
	k := KeyOf(f, g.o.Partition)
	if e := g.overflowOf(f); e != nil {
		return e
	}
	a := g.account(f.Account, settings)
	if a == nil {
		return g.overflow(f)
	}
	w := a.schedule.window(at)
	id := incident.ID(&k, w.Start)
	if e := g.entries[id]; e != nil {
		return e
	}
	b := a.buckets[w.Start.Unix()]
	switch {
	case g.gone.has(id):
		return g.late(f, a, id, &k, w)
	case b != nil && b.storm != nil:
		return b.storm // what went into it must be found there
	}
	e := g.makeFor(f, a, id, &k, w)
	g.leaveAccount(a) // if the alert overflowed
	return e
}

// makeFor returns a new entry for an alert whose incident is not known: that incident, or its replacement.
func (g *Grouper) makeFor(f *alert.Facts, a *account, id uuid.UUID, k *incident.Key, w incident.Window) *entry {
	stormKey := incident.Key{Account: k.Account, Partition: k.Partition, Storm: true}
	stormID := incident.ID(&stormKey, w.Start)
	b := a.buckets[w.Start.Unix()]
	switch {
	case g.gone.has(stormID):
		return g.late(f, a, stormID, &stormKey, w)
	case g.share.of.exhausted():
		return g.overflow(f)
	case b != nil && b.entries >= g.o.MaxPerWindow, g.share.of.crowded():
		return g.make(f, a, stormID, &stormKey, w, kindStorm)
	}
	return g.make(f, a, id, k, w, kindIncident)
}

// account returns the state of an account; nil if there is no room for another.
func (g *Grouper) account(id string, settings *policy.Incidents) *account {
	if g.accounts[id] == nil && g.share.of.exhausted() {
		return nil
	}
	return g.ensure(id, settings)
}

// ensure returns the state of an account.
func (g *Grouper) ensure(id string, settings *policy.Incidents) *account {
	a := g.accounts[id]
	if a == nil {
		a = &account{id: strings.Clone(id), buckets: make(map[int64]*bucket)}
		g.accounts[a.id] = a
		g.share.addDetail(a.size())
	}
	if a.schedule.change(settings.Window, g.clock) {
		g.saveAccount(a)
	}
	return a
}

// days are the windows of overflow storms, whatever those of accounts are.
var days = schedule{{Window: int64(24 * time.Hour / time.Second)}}

// overflow returns the entry for alerts that nothing else has room for: one storm of the partition, in the day of the
// clock, because event times may span any number of windows. If the clock is behind one that has ended, it is in the
// next day: an id is never used again.
func (g *Grouper) overflow(f *alert.Facts) *entry {
	k := incident.Key{Partition: g.o.Partition, Storm: true, Overflow: true}
	w := days.window(g.clock)
	id := incident.ID(&k, w.Start)
	for g.gone.has(id) {
		w = days.window(w.End)
		id = incident.ID(&k, w.Start)
	}
	if e := g.entries[id]; e != nil {
		return e
	}
	settings := g.o.Settings("")
	return g.make(f, g.ensure("", &settings), id, &k, w, kindStorm)
}

// overflowOf returns the storm of the partition that has the alert, or nil: there it counts, whatever room there is now.
func (g *Grouper) overflowOf(f *alert.Facts) *entry {
	for _, e := range g.overflows {
		if e.ids.has(&f.ID) {
			return e
		}
	}
	return nil
}

// late returns the entry for alerts that came after the grace of the incident of.
func (g *Grouper) late(f *alert.Facts, a *account, of uuid.UUID, k *incident.Key, w incident.Window) *entry {
	id := incident.LateID(of, g.gone.ended[of].late+1)
	if e := g.entries[id]; e != nil {
		return e
	}
	if g.share.of.exhausted() {
		return g.overflow(f)
	}
	e := g.make(f, a, id, k, w, kindLate)
	e.lateFor = of
	return e
}

// make returns a new entry.
func (g *Grouper) make(f *alert.Facts, a *account, id uuid.UUID, k *incident.Key, w incident.Window, kind kind) *entry {
	e := &entry{id: id}
	e.kind, e.severity, e.partition = kind, severityOf(f.Severity), k.Partition
	e.storm, e.overflow = k.Storm, k.Overflow
	e.start, e.end = w.Start.Unix(), w.End.Unix()
	e.rule = g.names.of(f.RuleID)
	if k.Storm {
		e.severity, e.crowd = worstSeverity, &crowd{}
	} else {
		e.region, e.actor = g.names.of(k.Region), strings.Clone(k.Actor)
		e.actorType, e.actorName = g.names.of(f.Principal.Type), strings.Clone(alert.CutText(f.Principal.Name, maxName))
	}
	g.share.addIncidents(1)
	g.enter(e, a)
	g.grow(e, e.size())
	return e
}

// enter adds an entry to all indexes.
func (g *Grouper) enter(e *entry, a *account) {
	g.entries[e.id] = e
	e.account = a
	a.entries++
	if e.overflow {
		g.overflows = append(g.overflows, e)
	}
	if !e.inWindow() {
		return
	}
	b := a.buckets[e.start]
	if b == nil {
		b = &bucket{}
		a.buckets[e.start] = b
	}
	b.entries++
	if e.storm {
		b.storm = e
	}
}

// inWindow reports whether the entry is one of those of a window of its account.
func (e *entry) inWindow() bool { return e.kind != kindLate && !e.overflow }

// leave removes it from them.
func (g *Grouper) leave(e *entry) {
	delete(g.entries, e.id)
	g.share.addIncidents(-1)
	g.overflows = slices.DeleteFunc(g.overflows, func(o *entry) bool { return o == e })
	a := e.account
	if b := a.buckets[e.start]; e.inWindow() {
		if b.entries--; b.entries == 0 {
			delete(a.buckets, e.start)
		} else if b.storm == e {
			b.storm = nil
		}
	}
	if a.entries--; a.entries == 0 {
		g.share.addDetail(-a.detail)
		a.facts, a.detail = "", 0
		g.leaveAccount(a)
	}
	if e.hasActor() {
		g.unlink(e)
	}
}

// leaveAccount forgets an account without entries, once none of those that have ended is remembered either: the windows
// of late alerts must be those of their incidents.
func (g *Grouper) leaveAccount(a *account) {
	if a.entries == 0 && a.ended == 0 {
		delete(g.accounts, a.id)
		g.share.addDetail(-a.size())
		g.dropAccount(a)
	}
}

// forget ends an entry's grace. An incident's id is remembered, for alerts that are even later.
func (g *Grouper) forget(e *entry) {
	if e.created && e.unsent {
		g.write(e, update)
	}
	g.timers.remove(e)
	if e.created {
		g.remember(e)
	}
	g.leave(e)
	g.share.addIDs(-e.ids.len())
	g.share.addSketch(-e.ids.sketchSize())
	g.share.addDetail(-e.detail)
	g.dropEntry(e)
}
