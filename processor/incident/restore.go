package incident

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/axiomhq/hyperloglog"
	"github.com/google/uuid"
)

// Restorer makes a Grouper from state records. Make it with [NewRestorer]; it belongs to one goroutine at a time. It has
// nothing of the Budget before [Restorer.Finish].
type Restorer struct {
	// Of an incident, whose records come in any order, the Grouper has what was read: an entry, without an account before
	// its own record was read, with chunk 0 and the sketch.
	g    *Grouper
	more map[uuid.UUID]map[uint32][]uuid.UUID // the other chunks, of the few that have more than one
}

// NewRestorer returns a Restorer that has read nothing.
func NewRestorer(o Options) *Restorer {
	return &Restorer{New(o), make(map[uuid.UUID]map[uint32][]uuid.UUID)}
}

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
	e := r.g.entries[id]
	if e == nil {
		e = &entry{id: id}
		r.g.entries[id] = e
	}
	return e
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

func (r *Restorer) chunk(id uuid.UUID, n uint32, value []byte) error {
	e := r.of(id)
	if len(value)%len(id) != 0 || len(value) > chunkIDs*len(id) {
		return fmt.Errorf("%d bytes are not 1 to %d alert ids", len(value), chunkIDs)
	}
	switch {
	case n == 0:
		e.ids.last = readChunk(e.ids.last, value)
	case len(value) == 0:
		delete(r.more[id], n)
	default:
		if r.more[id] == nil {
			r.more[id] = make(map[uint32][]uuid.UUID)
		}
		r.more[id][n] = readChunk(r.more[id][n], value)
	}
	return nil
}

// readChunk returns the ids of a chunk, in the memory of the one that it replaces if they fit.
func readChunk(replaced []uuid.UUID, value []byte) []uuid.UUID {
	n := len(value) / len(uuid.UUID{})
	if cap(replaced) < n {
		replaced = make([]uuid.UUID, n)
	}
	ids := replaced[:n]
	for i := range ids {
		ids[i] = uuid.UUID(value[16*i:])
	}
	return ids
}

// sketchLimit is more than the bytes of any sketch.
const sketchLimit = 64 << 10

func (r *Restorer) sketch(id uuid.UUID, value []byte) error {
	e := r.of(id)
	e.ids.sketch = nil
	if len(value) == 0 {
		return nil
	}
	if len(value) > sketchLimit {
		return fmt.Errorf("%d bytes are not a sketch", len(value))
	}
	s := hyperloglog.New()
	if err := s.UnmarshalBinary(value); err != nil {
		return fmt.Errorf("reading a sketch: %w", err)
	}
	e.ids.sketch, e.ids.large = s, len(value) >= largeSketch
	return nil
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
	if r.hasIDs(id) {
		return errTorn
	}
	delete(r.g.entries, id)
	delete(r.more, id)
	return nil
}

// hasIDs reports whether alert ids of the incident were read, and not deleted.
func (r *Restorer) hasIDs(id uuid.UUID) bool {
	e := r.g.entries[id]
	return len(r.more[id]) > 0 || e != nil && (len(e.ids.last) > 0 || e.ids.sketch != nil)
}

// Finish returns the Grouper, after the last record. Every remembered id that an incident names must have been read, and
// every incident that ids belong to.
func (r *Restorer) Finish() (*Grouper, error) {
	g := r.g
	g.timers = make(timers, 0, len(g.entries))
	for id, e := range g.entries {
		if e.account == nil && !r.hasIDs(id) {
			delete(g.entries, id)
			continue
		}
		if e.account == nil || e.account.schedule == nil || r.finish(e) != nil {
			g.Release()
			return nil, fmt.Errorf("restoring incident %s: %w", id, errTorn)
		}
		r.enter(e)
	}
	r.more = nil
	g.timers.init()
	r.finishGone()
	for _, a := range g.accounts {
		g.share.addDetail(a.size())
		g.leaveAccount(a)
	}
	return g, nil
}

// finishGone leaves the incidents whose grace has ended, in their order, that were not deleted later. If there are too many,
// Flush forgets them in steps.
func (r *Restorer) finishGone() {
	g := r.g
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

// finish completes the alert ids of an entry.
func (r *Restorer) finish(e *entry) error {
	sketch, large, first := e.ids.sketch, e.ids.large, e.ids.last
	e.ids = idSet{}
	if e.estimated {
		if e.ids.sketch, e.ids.large = sketch, large; sketch == nil {
			return errTorn
		}
		return nil
	}
	for n := range chunks(e.remembered) {
		chunk := first
		if n > 0 {
			chunk = r.more[e.id][uint32(n)]
		}
		want := min(chunkIDs, e.remembered-n*chunkIDs)
		if len(chunk) < want {
			return errTorn
		}
		e.ids.fill(chunk[:want])
	}
	if e.saved = e.remembered; !e.ids.finish() {
		return errTorn
	}
	return nil
}

// enter adds a restored entry.
func (r *Restorer) enter(e *entry) {
	g := r.g
	g.enter(e, e.account)
	g.share.addIDs(e.ids.len())
	g.share.addSketch(e.ids.sketchSize())
	if e.ids.len() > smallSet && !g.share.of.hasRestored() {
		g.estimate(e)
		g.change(e)
	}
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
	g.timers.push(e, e.nextDue(&settings))
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
