package incident

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
)

// Restorer makes a Grouper from state records. Make it with [NewRestorer]; it belongs to one goroutine at a time. What it
// reads counts against the Budget at once.
type Restorer struct {
	// Of an incident, whose records come in any order, the Grouper has what was read: an entry, without an account before
	// its own record was read, with chunk 0 and the sketch. Its timers have every entry, in the order of their first records.
	g         *Grouper
	last      *entry                          // whose record came last: those of an incident often follow each other
	more      map[uuid.UUID]map[uint32][]byte // the other chunks, of the few that have more than one
	estimates map[uuid.UUID]*estimate         // instead of the chunks of those for whose ids there was no room
}

// NewRestorer returns a Restorer that has read nothing.
func NewRestorer(o Options) *Restorer {
	return &Restorer{g: New(o), more: make(map[uuid.UUID]map[uint32][]byte), estimates: make(map[uuid.UUID]*estimate)}
}

// Release gives back what it has of the Budget, if it is not to finish.
func (r *Restorer) Release() { r.g.Release() }

// errTorn is the error of a state whose records do not match each other.
var errTorn = errors.New("the state is inconsistent: it must be rebuilt from the alerts")

// Record takes the next record of the state topic. It copies what it keeps.
func (r *Restorer) Record(key, value []byte) error {
	if err := r.record(key, value); err != nil {
		return fmt.Errorf("restoring state record %s: %w", describe(key), err)
	}
	return nil
}

func (r *Restorer) record(key, value []byte) error {
	if len(key) == 0 {
		return errors.New("it has no key")
	}
	if key[0] == stateAccount {
		return r.account(key[1:], value)
	}
	rest := key[1:]
	if len(rest) < len(uuid.UUID{}) {
		return errors.New("its key is unknown")
	}
	id := uuid.UUID(rest[:16])
	switch rest = rest[16:]; {
	case key[0] == stateChunk && len(rest) == 4:
		return r.chunk(id, binary.BigEndian.Uint32(rest), value)
	case len(rest) > 0:
	case key[0] == stateEntry:
		return r.entry(id, value)
	case key[0] == stateSketch:
		return r.sketch(id, value)
	case key[0] == stateGone:
		return r.gone(id, value)
	}
	return errors.New("its key is unknown")
}

// of returns the incident as read so far.
func (r *Restorer) of(id uuid.UUID) *entry {
	if r.last != nil && r.last.id == id {
		return r.last
	}
	e := r.g.entries[id]
	if e == nil {
		e = &entry{id: id}
		r.g.entries[id] = e
		r.g.timers.Push(e)
		r.g.share.addIncidents(1)
	}
	r.last = e
	return e
}

// drop forgets an incident.
func (r *Restorer) drop(e *entry) {
	g := r.g
	r.dropIDs(e)
	g.share.addIncidents(-1)
	g.timers.Swap(e.timer-1, len(g.timers)-1)
	g.timers.Pop()
	delete(g.entries, e.id)
	r.last = nil
}

// accountOf returns the account of an entry, whose own record may come later.
func (r *Restorer) accountOf(id string) *account {
	a := r.g.accounts[id]
	if a == nil {
		a = &account{id: id, buckets: make(map[int64]*bucket)}
		r.g.accounts[id] = a
	}
	return a
}

func (r *Restorer) account(id, value []byte) (err error) {
	a := r.accountOf(string(id))
	if a.schedule = nil; len(value) > 0 {
		a.schedule, err = decodeSchedule(value)
	}
	return err
}

func (r *Restorer) gone(id uuid.UUID, value []byte) error {
	if len(value) == 0 {
		delete(r.g.gone.ended, id)
		return nil
	}
	late, accountID, err := decodeGone(value)
	if err != nil {
		return err
	}
	if !r.g.gone.has(id) {
		r.g.gone.order = append(r.g.gone.order, id)
	}
	r.g.gone.ended[id] = ended{r.accountOf(accountID), late}
	return nil
}

func (r *Restorer) entry(id uuid.UUID, value []byte) error {
	if len(value) == 0 {
		return r.dropEntry(id)
	}
	e := r.of(id)
	accountID, err := decodeEntry(value, r.g.names, e)
	if err != nil {
		return err
	}
	e.account = r.accountOf(accountID)
	if a := e.account; e.facts != "" && e.facts != a.facts {
		a.facts = e.facts
	} else if e.facts != "" {
		e.facts = a.facts // one copy for all incidents of an account
	}
	return nil
}

// dropEntry forgets a deleted incident. Its tombstone is written after those of its chunks.
func (r *Restorer) dropEntry(id uuid.UUID) error {
	e := r.g.entries[id]
	if e == nil {
		return nil
	}
	if r.hasIDs(e) {
		return errTorn
	}
	r.drop(e)
	return nil
}

// Finish returns the Grouper, after the last record. Every remembered id that an incident names must have been read, and
// every incident that ids belong to.
func (r *Restorer) Finish() (*Grouper, error) {
	g := r.g
	for i := 0; i < len(g.timers); {
		e := g.timers[i]
		if e.account == nil && !r.hasIDs(e) {
			r.drop(e) // which puts another one here
			continue
		}
		if e.account == nil || e.account.schedule == nil || r.finishIDs(e) != nil {
			g.Release()
			return nil, fmt.Errorf("restoring incident %s: %w", e.id, errTorn)
		}
		r.enter(e)
		i++
	}
	*r = Restorer{}
	g.timers.init()
	g.finishGone()
	for _, a := range g.accounts {
		g.share.addDetail(a.size())
		g.leaveAccount(a)
	}
	return g, nil
}

// finishGone leaves the incidents whose grace has ended, in their order, that were not deleted later. If there are too many,
// Flush forgets them in steps.
func (g *Grouper) finishGone() {
	known := make(map[uuid.UUID]bool, len(g.gone.ended))
	g.gone.order = slices.DeleteFunc(g.gone.order, func(id uuid.UUID) bool {
		drop := known[id] || !g.gone.has(id)
		known[id] = true
		return drop
	})
	g.share.addGone(len(g.gone.order))
	for _, e := range g.gone.ended {
		e.account.ended++
	}
}

// enter adds a restored entry.
func (r *Restorer) enter(e *entry) {
	g := r.g
	g.enter(e, e.account)
	g.grow(e, e.size())
	if a := e.account; a.detail == 0 || a.facts != e.facts {
		g.setFacts(a, e.facts)
	}
	if e.hasActor() {
		g.addSibling(e)
	}
	if seen := max(e.lastArrival, e.sent, e.closedAt).time(); seen.After(g.clock) {
		g.clock = seen
	}
	settings := g.o.Settings(e.account.id)
	e.due = e.nextDue(&settings)
	switch {
	case e.kind == kindLate:
		g.counts.Late += e.alerts
	case e.created:
		g.counts.Counted += e.alerts
	default:
		g.counts.Below += e.alerts
	}
	g.counts.Read += e.alerts
}
