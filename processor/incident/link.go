package incident

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/regionwatch/regionwatch/schema/incident"
)

// link links a new incident to others: to that of the same key in the windows before and after, and to those of the
// same principal in other regions.
func (g *Grouper) link(e *entry, at time.Time) {
	if e.Incident.Kind == incident.KindLate {
		return
	}
	w, s := e.Incident.Window, e.account.schedule
	before := incident.ID(&e.Key, s.window(w.Start.Add(-time.Second)).Start)
	if o := g.entries[before]; o != nil && o.Created || g.gone.has(before) {
		e.Incident.Continues = before.String()
	}
	if o := g.entries[incident.ID(&e.Key, w.End)]; o != nil && o.Created && o.Incident.Continues == "" {
		o.Incident.Continues = e.Incident.ID
		g.touch(o)
	}
	if !e.hasActor() {
		return
	}
	k := e.actorKey()
	for _, o := range g.actors[k] {
		e.see(o.Key.Region)
		if o.see(e.Key.Region) {
			o.because(at, incident.EscalatedRegion, e.Key.Region)
			g.touch(o)
		}
	}
	g.actors[k] = append(g.actors[k], e)
}

// touch notes that an incident changed without an alert.
func (g *Grouper) touch(e *entry) {
	e.Unsent = true
	g.change(e)
	settings := g.o.Settings(e.Key.Account)
	g.timers.set(e, e.nextDue(&settings))
}

func (e *entry) hasActor() bool { return e.Incident.Kind == incident.KindIncident && e.Created }

func (e *entry) actorKey() actorKey {
	return actorKey{e.Key.Rule, e.Key.Account, e.Key.Actor, e.Incident.Window.Start.Unix()}
}

// gone remembers incidents whose grace has ended, up to a limit, and how many late incidents each has had.
type gone struct {
	late  map[uuid.UUID]int
	order []uuid.UUID
}

func (g *gone) has(id uuid.UUID) bool { _, ok := g.late[id]; return ok }

// remember records the end of an incident. A late one counts for the incident that it belongs to.
func (g *Grouper) remember(e *entry) {
	id := e.id
	if e.Incident.Kind == incident.KindLate {
		id = uuid.MustParse(e.Incident.LateFor) // made by late
		if !g.gone.has(id) {
			return
		}
		g.gone.late[id]++
	} else {
		g.gone.late[id] = 0
		g.gone.order = append(g.gone.order, id)
	}
	g.saveGone(id)
	if len(g.gone.order) > g.o.MaxGone {
		oldest := g.gone.order[0]
		g.gone.order = g.gone.order[1:]
		delete(g.gone.late, oldest)
		g.dropGone(oldest)
	}
}

// sortIncidents sorts by importance.
func sortIncidents(list []*incident.Incident) { slices.SortFunc(list, Compare) }
