package incident

import (
	"hash/maphash"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/regionwatch/regionwatch/schema/alert"
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
	for o := range g.of(e.actorKey()) {
		g.see(e, o.region)
		g.seeLater(o, e.region, at)
	}
	g.addSibling(e)
}

// escalatePrincipal tells the incidents of a principal that it is in another region, where its alerts are in a storm.
func (g *Grouper) escalatePrincipal(f *alert.Facts, at time.Time) {
	a := g.accounts[f.Account]
	if a == nil {
		return
	}
	for o := range g.of(actorKey{f.RuleID, f.Account, f.Actor, a.schedule.window(at).Start.Unix()}) {
		g.seeLater(o, g.names.of(f.Region), at)
	}
}

// seeLater notes a region for an incident that there was already.
func (g *Grouper) seeLater(e *entry, region string, at time.Time) {
	if g.see(e, region) {
		g.because(e, at, escalatedRegion, region)
		g.touch(e)
	}
}

// of returns the incidents of a principal in a window.
func (g *Grouper) of(k actorKey) iter.Seq[*entry] {
	return func(yield func(*entry) bool) {
		for o := g.actors[k.hash()]; o != nil; o = o.sibling {
			if o.actorKey() == k && !yield(o) {
				return
			}
		}
	}
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

func (e *entry) actorHash() uint64 { return e.actorKey().hash() }

func (k actorKey) hash() uint64 { return maphash.Comparable(seed, k) }

func (e *entry) actorKey() actorKey { return actorKey{e.rule, e.account.id, e.actor, e.start} }

// gone remembers incidents whose grace has ended, up to a limit.
type gone struct {
	ended map[uuid.UUID]ended
	order []uuid.UUID
}

// ended is an incident whose grace has ended.
type ended struct {
	account *account
	late    int // late incidents of it
}

func (g *gone) has(id uuid.UUID) bool { _, ok := g.ended[id]; return ok }

// remember records the end of an incident. A late one counts for the incident that it belongs to.
func (g *Grouper) remember(e *entry) {
	id := e.id
	if e.kind == kindLate {
		if id = e.lateFor; !g.gone.has(id) {
			return
		}
		was := g.gone.ended[id]
		g.gone.ended[id] = ended{was.account, was.late + 1}
	} else {
		g.gone.ended[id] = ended{account: e.account}
		g.gone.order = append(g.gone.order, id)
		e.account.ended++
		g.share.addGone(1)
	}
	g.saveGone(id)
	if !g.share.of.hasGone() {
		g.forgetGone()
	}
}

// trimGone keeps what was restored within the limit, in steps as Advance.
func (g *Grouper) trimGone() {
	for g.mayAct() && !g.share.of.hasGone() && len(g.gone.order) > 0 {
		g.forgetGone()
		if g.o.Durable {
			g.share.addDue(1)
		}
	}
}

// forgetGone forgets the incident whose grace ended first.
func (g *Grouper) forgetGone() {
	oldest := g.gone.order[0]
	g.gone.order = g.gone.order[1:]
	g.share.addGone(-1)
	a := g.gone.ended[oldest].account
	delete(g.gone.ended, oldest)
	g.dropGone(oldest)
	a.ended--
	g.leaveAccount(a)
}
