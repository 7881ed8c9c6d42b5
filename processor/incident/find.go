package incident

import (
	"cmp"
	"fmt"
	"slices"
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

// Place returns the key and the window of the incident that an alert belongs to, if it came in a record with that
// timestamp and its account's windows always had this length.
func Place(f *alert.Facts, stamp time.Time, settings *policy.Incidents) (incident.Key, incident.Window) {
	var s schedule
	s.change(settings.Window, stamp)
	return KeyOf(f, 0), s.window(eventTime(f, stamp))
}

// find returns the entry that an alert belongs to.
func (g *Grouper) find(f *alert.Facts, at time.Time, settings *policy.Incidents) *entry {
	k := KeyOf(f, g.o.Partition)
	a := g.account(f.Account, settings)
	if a == nil {
		return g.overflow(f, settings)
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
	return g.makeFor(f, a, id, &k, w, settings)
}

// makeFor returns a new entry for an alert whose incident is not known: that incident, or its replacement.
func (g *Grouper) makeFor(f *alert.Facts, a *account, id uuid.UUID, k *incident.Key, w incident.Window, settings *policy.Incidents) *entry {
	stormKey := incident.Key{Account: k.Account, Partition: k.Partition, Storm: true}
	stormID := incident.ID(&stormKey, w.Start)
	b := a.buckets[w.Start.Unix()]
	switch {
	case g.gone.has(stormID):
		return g.late(f, a, stormID, &stormKey, w)
	case len(g.entries) >= 2*g.o.MaxIncidents:
		return g.overflow(f, settings)
	case b != nil && b.entries >= g.o.MaxPerWindow, len(g.entries) >= g.o.MaxIncidents:
		return g.make(f, a, stormID, &stormKey, w, incident.KindStorm)
	}
	return g.make(f, a, id, k, w, incident.KindIncident)
}

// account returns the state of an account; nil if there are too many to track another.
func (g *Grouper) account(id string, settings *policy.Incidents) *account {
	a := g.accounts[id]
	if a == nil {
		if len(g.accounts) >= g.o.MaxIncidents || len(g.entries) >= 2*g.o.MaxIncidents {
			return nil
		}
		a = &account{id: id, buckets: make(map[int64]*bucket)}
		g.accounts[id] = a
	}
	if a.schedule.change(settings.Window, g.clock) {
		g.saveAccount(a)
	}
	return a
}

// overflow returns the entry for alerts of accounts beyond the limit: one storm of the partition, in the window of the
// clock, because event times may span any number of windows.
func (g *Grouper) overflow(f *alert.Facts, settings *policy.Incidents) *entry {
	k := incident.Key{Partition: g.o.Partition, Storm: true}
	var s schedule
	s.change(settings.Window, g.clock)
	w := s.window(g.clock)
	id := incident.ID(&k, w.Start)
	if e := g.entries[id]; e != nil {
		return e
	}
	a := g.accounts[""]
	if a == nil {
		a = &account{schedule: s, buckets: make(map[int64]*bucket)}
		g.accounts[""] = a
		g.saveAccount(a)
	}
	return g.make(f, a, id, &k, w, incident.KindStorm)
}

// late returns the entry for alerts that came after the grace of the incident of.
func (g *Grouper) late(f *alert.Facts, a *account, of uuid.UUID, k *incident.Key, w incident.Window) *entry {
	id := incident.LateID(of, g.gone.late[of]+1)
	if e := g.entries[id]; e != nil {
		return e
	}
	e := g.make(f, a, id, k, w, incident.KindLate)
	e.Incident.LateFor = of.String()
	return e
}

// make returns a new entry.
func (g *Grouper) make(f *alert.Facts, a *account, id uuid.UUID, k *incident.Key, w incident.Window, kind string) *entry {
	e := &entry{id: id}
	e.Key = *k
	e.Incident = incident.Incident{
		ID: id.String(), Status: incident.StatusOpen, Kind: kind, Severity: f.Severity, RuleID: f.RuleID,
		AccountID: k.Account, Region: k.Region, Window: w,
	}
	if k.Account == "" {
		partition := k.Partition
		e.Incident.Partition = &partition
	}
	if k.Storm {
		e.Incident.Severity = "Critical"
	} else {
		e.Incident.Principal = &incident.Principal{ID: f.Actor, Type: f.Principal.Type, Name: alert.CutText(f.Principal.Name, maxName)}
	}
	e.Incident.Title = title(&e.Incident)
	g.enter(e, a)
	return e
}

func title(i *incident.Incident) string {
	where := "account " + i.AccountID
	if i.AccountID == "" {
		where = fmt.Sprintf("partition %d, which names no account", *i.Partition)
	}
	if i.Principal == nil {
		return "Activity of many principals in unused regions of " + where
	}
	return fmt.Sprintf("Activity in unused region %s by %s in %s", cmp.Or(i.Region, "(none)"), i.Principal.Name, where)
}

// enter adds an entry to all indexes.
func (g *Grouper) enter(e *entry, a *account) {
	g.entries[e.id] = e
	e.account = a
	a.entries++
	if e.Incident.Kind == incident.KindLate {
		return
	}
	start := e.Incident.Window.Start.Unix()
	b := a.buckets[start]
	if b == nil {
		b = &bucket{}
		a.buckets[start] = b
	}
	b.entries++
	if e.Key.Storm {
		b.storm = e
	}
}

// leave removes it from them.
func (g *Grouper) leave(e *entry) {
	delete(g.entries, e.id)
	a, start := e.account, e.Incident.Window.Start.Unix()
	if b := a.buckets[start]; e.Incident.Kind != incident.KindLate {
		if b.entries--; b.entries == 0 {
			delete(a.buckets, start)
		} else if b.storm == e {
			b.storm = nil
		}
	}
	if a.entries--; a.entries == 0 {
		delete(g.accounts, a.id)
		g.dropAccount(a)
	}
	if k := e.actorKey(); e.hasActor() {
		list := slices.DeleteFunc(g.actors[k], func(o *entry) bool { return o == e })
		g.actors[k] = list
		if len(list) == 0 {
			delete(g.actors, k)
		}
	}
}

// forget ends an entry's grace. An incident's id is remembered, for alerts that are even later.
func (g *Grouper) forget(e *entry) {
	if e.Created && e.Unsent {
		g.write(e, incident.Update)
	}
	g.timers.set(e, time.Time{})
	g.leave(e)
	g.ids -= len(e.ids.ids)
	g.dropEntry(e)
	if e.Created {
		g.remember(e)
	}
}
