package incident

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/axiomhq/hyperloglog"
	"github.com/google/uuid"

	"github.com/regionwatch/regionwatch/schema/incident"
)

// Restorer makes a Grouper from state records. Make it with [NewRestorer]; it belongs to one goroutine at a time.
type Restorer struct {
	g        *Grouper
	chunks   map[uuid.UUID]map[uint32][]byte
	sketches map[uuid.UUID]*hyperloglog.Sketch
}

// NewRestorer returns a Restorer that has read nothing.
func NewRestorer(o Options) *Restorer {
	return &Restorer{New(o), make(map[uuid.UUID]map[uint32][]byte), make(map[uuid.UUID]*hyperloglog.Sketch)}
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
		return r.account(string(key[1:]), value)
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

func (r *Restorer) account(id string, value []byte) error {
	if len(value) == 0 {
		delete(r.g.accounts, id)
		return nil
	}
	var s accountState
	if err := decode(value, &s); err != nil {
		return err
	}
	if len(s.Schedule) == 0 {
		return errors.New("it has no schedule")
	}
	for _, segment := range s.Schedule {
		if segment.Window <= 0 {
			return fmt.Errorf("a window is %d seconds long", segment.Window)
		}
	}
	r.g.accounts[id] = &account{id: id, schedule: s.Schedule, buckets: make(map[int64]*bucket)}
	return nil
}

func (r *Restorer) chunk(id uuid.UUID, n uint32, value []byte) error {
	if len(value) == 0 {
		delete(r.chunks[id], n)
		return nil
	}
	if len(value)%len(id) != 0 || len(value) > chunkIDs*len(id) {
		return fmt.Errorf("%d bytes are not 1 to %d alert ids", len(value), chunkIDs)
	}
	if r.chunks[id] == nil {
		r.chunks[id] = make(map[uint32][]byte)
	}
	r.chunks[id][n] = append([]byte(nil), value...)
	return nil
}

func (r *Restorer) sketch(id uuid.UUID, value []byte) error {
	delete(r.sketches, id)
	if len(value) == 0 {
		return nil
	}
	s := hyperloglog.New()
	if err := s.UnmarshalBinary(value); err != nil {
		return fmt.Errorf("reading a sketch: %w", err)
	}
	r.sketches[id] = s
	return nil
}

func (r *Restorer) gone(id uuid.UUID, value []byte) error {
	if len(value) == 0 {
		delete(r.g.gone.late, id)
		return nil
	}
	var s goneState
	if err := decode(value, &s); err != nil {
		return err
	}
	if !r.g.gone.has(id) {
		r.g.gone.order = append(r.g.gone.order, id)
	}
	r.g.gone.late[id] = s.Late
	return nil
}

func (r *Restorer) entry(id uuid.UUID, value []byte) error {
	delete(r.g.entries, id)
	if len(value) == 0 {
		return nil
	}
	var s entryState
	if err := decode(value, &s); err != nil {
		return err
	}
	if s.Incident.ID != id.String() || s.IDs < 0 || s.Incident.Window.End.IsZero() {
		return errTorn
	}
	if s.Incident.Kind == incident.KindLate {
		if _, err := uuid.Parse(s.Incident.LateFor); err != nil {
			return errTorn
		}
	}
	r.g.entries[id] = &entry{id: id, record: s.record}
	return nil
}

// Finish returns the Grouper, after the last record. Every remembered id that an incident names must have been read.
func (r *Restorer) Finish() (*Grouper, error) {
	g := r.g
	order := g.gone.order[:0]
	for _, id := range g.gone.order {
		if g.gone.has(id) {
			order = append(order, id)
		}
	}
	g.gone.order = order
	entries := g.entries
	g.entries = make(map[uuid.UUID]*entry, len(entries))
	for id, e := range entries {
		a := g.accounts[e.Key.Account]
		if a == nil || r.remember(e) != nil {
			return nil, fmt.Errorf("restoring incident %s: %w", id, errTorn)
		}
		r.enter(e, a)
	}
	return g, nil
}

// remember gives an entry its alert ids.
func (r *Restorer) remember(e *entry) error {
	if e.Estimated {
		if e.ids.sketch = r.sketches[e.id]; e.ids.sketch == nil {
			return errTorn
		}
		return nil
	}
	list := r.chunks[e.id]
	for n := range chunks(e.IDs) {
		chunk := list[uint32(n)]
		if chunk == nil {
			return errTorn
		}
		for ; len(chunk) > 0 && len(e.ids.ids) < e.IDs; chunk = chunk[16:] {
			id := uuid.UUID(chunk[:16])
			if e.ids.has(&id) {
				return errTorn
			}
			e.ids.add(&id)
		}
	}
	delete(r.chunks, e.id)
	if e.saved = len(e.ids.ids); e.saved != e.IDs {
		return errTorn
	}
	return nil
}

// enter adds a restored entry.
func (r *Restorer) enter(e *entry, a *account) {
	g := r.g
	g.enter(e, a)
	g.ids += len(e.ids.ids)
	if e.hasActor() {
		g.actors[e.actorKey()] = append(g.actors[e.actorKey()], e)
	}
	for _, seen := range []time.Time{e.LastArrival, e.Sent, e.ClosedAt} {
		if seen.After(g.clock) {
			g.clock = seen
		}
	}
	settings := g.o.Settings(e.Key.Account)
	g.timers.set(e, e.nextDue(&settings))
	switch {
	case e.Incident.Kind == incident.KindLate:
		g.counts.Late += e.Incident.Counts.Alerts
	case e.Created:
		g.counts.Counted += e.Incident.Counts.Alerts
	default:
		g.counts.Below += e.Incident.Counts.Alerts
	}
	g.counts.Read += e.Incident.Counts.Alerts
}
