package incident

import (
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// StateRecord is a record of the state topic. The last one of a key counts; without a value the key is deleted.
type StateRecord struct {
	Key, Value []byte
}

// stateVersion is the version of the state's format.
const stateVersion = 1

// The first byte of a state record's key says what it holds.
const (
	stateEntry   = 'i' // then the id: an incident
	stateChunk   = 'c' // then the id and the chunk's number: up to 1,000 alert ids of 16 bytes
	stateSketch  = 's' // then the id: the sketch of its alert ids
	stateAccount = 'a' // then the account: how its time is divided into windows
	stateGone    = 'g' // then the id: an incident whose grace has ended
)

// keysWithID are the first bytes of keys that have an incident's id after it.
const keysWithID = "icsg"

// State returns the records that bring the state topic up to date: those that changed, and no others. Call it after
// [Grouper.Flush], and write its records in the same transaction as the incidents.
func (g *Grouper) State() []StateRecord {
	records := g.state
	g.state = nil
	for _, e := range g.changed {
		e.changed = false
		if g.entries[e.id] == e {
			records = e.appendState(records)
		}
	}
	clear(g.changed)
	g.changed = g.changed[:0]
	return records
}

// appendState appends the records of an entry: itself, and the chunks with new ids.
func (e *entry) appendState(records []StateRecord) []StateRecord {
	e.remembered, e.estimated = e.ids.len(), e.ids.sketch != nil
	if e.estimated {
		sketch, err := e.ids.sketch.MarshalBinary()
		if err != nil {
			panic("BUG: encoding a sketch: " + err.Error()) // it writes to memory
		}
		records = append(records, StateRecord{stateKey(stateSketch, e.id), sketch})
		records = e.appendTombstones(records) // the sketch has replaced them
	}
	for n := e.saved / chunkIDs; n < chunks(e.remembered) && e.saved < e.remembered; n++ {
		records = append(records, StateRecord{chunkKey(e.id, n), e.ids.chunk(n)})
	}
	e.saved = e.remembered
	return append(records, StateRecord{stateKey(stateEntry, e.id), e.encode()})
}

// appendTombstones appends tombstones for the written chunks.
func (e *entry) appendTombstones(records []StateRecord) []StateRecord {
	for n := range chunks(e.saved) {
		records = append(records, StateRecord{Key: chunkKey(e.id, n)})
	}
	return records
}

// drop notes a record to delete.
func (g *Grouper) drop(key []byte) { g.put(key, nil) }

// put notes a record to write.
func (g *Grouper) put(key, value []byte) {
	if g.o.Durable {
		g.state = append(g.state, StateRecord{key, value})
	}
}

func (g *Grouper) dropEntry(e *entry) {
	g.state = e.appendTombstones(g.state)
	g.drop(stateKey(stateSketch, e.id))
	g.drop(stateKey(stateEntry, e.id))
}

func (g *Grouper) saveAccount(a *account) { g.put(accountKey(a.id), a.schedule.encode()) }
func (g *Grouper) dropAccount(a *account) { g.drop(accountKey(a.id)) }

func (g *Grouper) saveGone(id uuid.UUID) {
	g.put(stateKey(stateGone, id), encodeGone(g.gone.ended[id]))
}
func (g *Grouper) dropGone(id uuid.UUID) { g.drop(stateKey(stateGone, id)) }

func stateKey(kind byte, id uuid.UUID) []byte { return append([]byte{kind}, id[:]...) }

func accountKey(id string) []byte { return append([]byte{stateAccount}, id...) }

func chunkKey(id uuid.UUID, n int) []byte {
	return binary.BigEndian.AppendUint32(stateKey(stateChunk, id), uint32(n))
}

// describe names a state record for people.
func describe(key []byte) string {
	if len(key) > len(uuid.UUID{}) && strings.IndexByte(keysWithID, key[0]) >= 0 {
		id := uuid.UUID(key[1:17])
		return string(key[:1]) + " " + id.String()
	}
	return strconv.Quote(string(key[:min(len(key), 40)]))
}
