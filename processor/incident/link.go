package incident

import (
	"hash/maphash"
	"time"

	"github.com/google/uuid"

	"github.com/regionwatch/regionwatch/schema/incident"
)

// link links a new incident to others: to that of the same key in the windows before and after, and to those of the
// same principal in other regions.
func (g *Grouper) link(e *entry, at time.Time) {
	if e.kind == kindLate {
		return
	}
	w, k := e.window(), e.key()
	windows := e.account.schedule
	if e.overflow {
		windows = days
	}
	before := incident.ID(&k, windows.window(w.Start.Add(-time.Second)).Start)
	if o := g.entries[before]; o != nil && o.created || g.gone.has(before) {
		e.continues = before
	}
	if o := g.entries[incident.ID(&k, w.End)]; o != nil && o.created && o.continues == uuid.Nil {
		o.continues = e.id
		g.touch(o)
	}
	if e.hasActor() {
		g.linkRegions(e, at)
	}
}

// linkRegions links a new incident to those of the same principal in other regions.
func (g *Grouper) linkRegions(e *entry, at time.Time) {
	for o := g.actors[e.actorHash()]; o != nil; o = o.sibling {
		if o.actorKey() != e.actorKey() {
			continue
		}
		e.see(o.region)
		if o.see(e.region) {
			g.because(o, at, escalatedRegion, e.region)
			g.touch(o)
		}
	}
	g.addSibling(e)
}

func (g *Grouper) addSibling(e *entry) {
	k := e.actorHash()
	e.sibling = g.actors[k]
	g.actors[k] = e
}

// unlink removes an entry from those of its principal.
func (g *Grouper) unlink(e *entry) {
	k := e.actorHash()
	o := g.actors[k]
	switch {
	case o != e:
		for o.sibling != e {
			o = o.sibling
		}
		o.sibling = e.sibling
	case e.sibling == nil:
		delete(g.actors, k)
	default:
		g.actors[k] = e.sibling
	}
	e.sibling = nil
}

// touch notes that an incident changed without an alert.
func (g *Grouper) touch(e *entry) {
	e.unsent = true
	g.change(e)
	settings := g.o.Settings(e.account.id)
	g.timers.set(e, e.nextDue(&settings))
}

func (e *entry) hasActor() bool { return e.kind == kindIncident && e.created }

func (e *entry) actorHash() uint64 { return maphash.Comparable(seed, e.actorKey()) }

func (e *entry) actorKey() actorKey { return actorKey{e.rule, e.account.id, e.actor, e.start} }

// gone remembers incidents whose grace has ended, up to a limit, and how many late incidents each has had.
type gone struct {
	late  map[uuid.UUID]int
	order []uuid.UUID
}

func (g *gone) has(id uuid.UUID) bool { _, ok := g.late[id]; return ok }

// remember records the end of an incident. A late one counts for the incident that it belongs to.
func (g *Grouper) remember(e *entry) {
	id := e.id
	if e.kind == kindLate {
		if id = e.lateFor; !g.gone.has(id) {
			return
		}
		g.gone.late[id]++
	} else {
		g.gone.late[id] = 0
		g.gone.order = append(g.gone.order, id)
		g.share.addGone(1)
	}
	g.saveGone(id)
	if !g.share.of.hasGone() && len(g.gone.order) > 0 {
		g.forgetGone()
	}
}

// forgetGone forgets the incident whose grace ended first.
func (g *Grouper) forgetGone() {
	oldest := g.gone.order[0]
	g.gone.order = g.gone.order[1:]
	g.share.addGone(-1)
	delete(g.gone.late, oldest)
	g.dropGone(oldest)
}
