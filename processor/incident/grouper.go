// Package incident groups alerts into incidents: one thing to look at for all alerts of a principal in a region of an
// account within a window of time.
//
// It guarantees: every distinct alert is in exactly one incident; the alert alone decides which, so that any order and
// any speed give the same members and counts; a repeated alert counts once, as long as its incident is remembered; no
// alert is dropped, and memory is bounded: beyond the limit on incidents alerts roll up into storms, and beyond the
// limit on remembered ids counts become estimates, which the incident says.
//
// It is pure: no Kafka, no clock, no I/O, no goroutines. A [Grouper] holds the state of one partition of alerts, is
// given the time, and belongs to one goroutine at a time. Its state can be written as records and restored.
package incident

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/incident"
)

// Grouper groups the alerts of one partition. It belongs to one goroutine at a time. Make it with [New].
type Grouper struct {
	o         Options
	clock     time.Time // stream time
	entries   map[uuid.UUID]*entry
	accounts  map[string]*account
	actors    map[uint64]*entry // the first of the incidents of one actorKey, by its hash
	overflows []*entry          // storms of the partition
	gone      gone
	timers    timers
	names     names
	share     share
	counts    Counts

	out     []*incident.Incident
	changed []*entry
	state   []StateRecord // apart from those of changed
}

// actorKey is a principal and a window.
type actorKey struct {
	rule, account, actor string
	start                int64
}

// New returns an empty Grouper.
func New(o Options) *Grouper {
	o = o.withDefaults()
	return &Grouper{
		o: o, entries: make(map[uuid.UUID]*entry), accounts: make(map[string]*account), actors: make(map[uint64]*entry),
		gone: gone{ended: make(map[uuid.UUID]ended)}, names: make(names), share: share{of: o.Budget},
	}
}

// Release gives back what the Grouper has of its Budget. What the Grouper does after it is of no use.
func (g *Grouper) Release() { g.share.release() }

// Counts returns how alerts were counted.
func (g *Grouper) Counts() Counts { return g.counts }

// Size returns how many incidents and alert ids are remembered.
func (g *Grouper) Size() (incidents, ids int) { return len(g.entries), int(g.share.ids) }

// Add adds an alert, which came in a record with that timestamp. The caller ensures that no timestamp is far ahead of
// the clock; Add limits the event's time itself. What has to be written collects until [Grouper.Flush].
func (g *Grouper) Add(f *alert.Facts, stamp time.Time) {
	g.Advance(stamp)
	g.counts.Read++
	at := eventTime(f, stamp)
	settings := g.o.Settings(f.Account)
	e := g.find(f, at, &settings)
	if e.ids.has(&f.ID) {
		g.counts.Repeated++
		return
	}
	e.ids.add(&f.ID)
	g.boundIDs(e)
	g.count(e, f, at)
	g.escalate(e, f, at, &settings)
	e.lastArrival = g.now()
	e.unsent = true
	g.tell(e, at, &settings)
	g.change(e)
	g.timers.set(e, e.nextDue(&settings))
}

// eventTime returns the time that decides the window: at most an hour after the timestamp of the event's record, which may be
// an hour after that of the alert's. It depends on the alert alone if the alert has its record's
// timestamp, so a repeated alert gets the same.
func eventTime(f *alert.Facts, stamp time.Time) time.Time {
	latest := stamp
	if !f.Stamp.IsZero() && f.Stamp.Before(stamp.Add(maxAhead)) {
		latest = f.Stamp
	}
	switch ahead := latest.Add(maxAhead); {
	case f.Time.IsZero():
		return latest.UTC()
	case f.Time.After(ahead):
		return ahead.UTC()
	}
	return f.Time
}

// tell counts an alert, and creates the incident when it has enough.
func (g *Grouper) tell(e *entry, at time.Time, settings *policy.Incidents) {
	switch {
	case e.kind == kindLate:
		g.counts.Late++
	case e.created:
		g.counts.Counted++
	default:
		g.counts.Below++
	}
	if !e.created && e.reached(settings) {
		g.create(e, at)
	}
}

// create makes an entry an incident, for good: a threshold that is raised later does not change that.
func (g *Grouper) create(e *entry, at time.Time) {
	if e.kind != kindLate {
		g.counts.Counted += e.alerts
		g.counts.Below -= e.alerts
	}
	e.created, e.hurry, e.sent = true, true, g.now()
	e.closedAt = 0 // below the threshold nothing was closed
	g.link(e, at)
}

// Reconsider makes what is due by changed settings due now: incidents whose threshold was lowered, and ends that come
// earlier. Without it, such an incident waits for its next alert.
func (g *Grouper) Reconsider() {
	for _, e := range g.timers {
		settings := g.o.Settings(e.account.id)
		e.due = e.nextDue(&settings)
	}
	g.timers.init()
}

// boundIDs keeps the remembered ids within their limits.
func (g *Grouper) boundIDs(e *entry) {
	if e.ids.sketch != nil {
		return
	}
	g.share.addIDs(1)
	if n := e.ids.len(); n > g.o.ExactIDs || n > smallSet && !g.share.of.hasIDs() {
		g.estimate(e)
	}
}

// estimate replaces the ids of an entry by a sketch.
func (g *Grouper) estimate(e *entry) {
	g.share.addIDs(-e.ids.len())
	e.firstIDs = e.ids.first(incident.MaxAlertIDs)
	e.ids.estimate()
	g.share.addSketch(e.ids.sketchSize())
}

// change notes that the entry must be written.
func (g *Grouper) change(e *entry) {
	if !e.changed {
		e.changed = true
		g.changed = append(g.changed, e)
	}
}

// maxDue is how many entries a durable Grouper acts on between two calls of Flush: all that they write is in memory at
// once, and in one transaction. At the end of a window everything is due together. All Groupers of a Budget act on maxDueOfAll,
// and each on a few.
const (
	maxDue      = 2000
	maxDueOfAll = 5 * maxDue
	fewDue      = maxDue / 20
)

// mayAct reports whether to act on one more that is due.
func (g *Grouper) mayAct() bool {
	return g.share.due < fewDue || g.share.due < maxDue && g.share.of.due.Load() < maxDueOfAll
}

// Advance moves the clock forward, never back, and does what is due: updates, closing, forgetting. With Options.Durable
// it does at most 2,000 things until the next [Grouper.Flush], fewer if others of its Budget do; the rest stays due.
func (g *Grouper) Advance(clock time.Time) {
	if !clock.After(g.clock) {
		return
	}
	g.clock = clock.UTC()
	for e := g.timers.next(g.now()); e != nil && g.mayAct(); e = g.timers.next(g.now()) {
		settings := g.o.Settings(e.account.id)
		g.act(e, &settings)
		if g.o.Durable {
			g.share.addDue(1)
		}
	}
}

func (g *Grouper) now() instant { return instantOf(g.clock) }

// act does what is due for an entry.
func (g *Grouper) act(e *entry, settings *policy.Incidents) {
	switch {
	case e.closedAt != 0 && g.now() > e.closedAt.add(settings.Grace):
		g.forget(e)
		return
	case !e.created && e.reached(settings):
		g.create(e, e.lastSeen.time())
		g.change(e)
	case e.closedAt == 0 && g.now() > e.closeAt(settings):
		if e.hurry { // Close alone tells nobody of it
			g.write(e, update)
		}
		e.closedAt = g.now()
		if e.created {
			g.write(e, closing)
		}
		g.change(e)
	case e.created && e.unsent && g.now() >= e.sent.add(settings.Update):
		g.change(e) // Flush writes it
	}
	g.timers.set(e, max(e.nextDue(settings), g.now())) // the settings may have changed: wait until the clock moves on
}

// Flush returns the incidents to write now, in the order in which they changed. The caller owns them.
func (g *Grouper) Flush() []*incident.Incident {
	g.trimGone()
	for _, e := range g.changed {
		if e.hurry || g.isDue(e) {
			g.write(e, update)
		}
	}
	if !g.o.Durable {
		for _, e := range g.changed {
			e.changed = false
		}
		clear(g.changed)
		g.changed = g.changed[:0]
	}
	out := g.out
	g.out = nil
	g.share.addDue(-int(g.share.due))
	return out
}

// isDue reports whether an incident has changed and its update interval is over.
func (g *Grouper) isDue(e *entry) bool {
	return e.created && e.unsent && g.now() > e.sent.add(g.o.Settings(e.account.id).Update)
}

// write adds the incident to those to write. Its first activity is Create.
func (g *Grouper) write(e *entry, a activity) {
	if e.revision == 0 && a == update {
		a = create
	}
	e.revision++
	e.activity = a
	e.unsent, e.hurry, e.sent = false, false, g.now()
	g.out = append(g.out, e.snapshot())
}

// All returns every incident as it is, the most important first, without changing anything.
func (g *Grouper) All() []*incident.Incident {
	var list []*incident.Incident
	for _, e := range g.entries {
		if e.created {
			list = append(list, e.snapshot())
		}
	}
	slices.SortFunc(list, Compare)
	return list
}
