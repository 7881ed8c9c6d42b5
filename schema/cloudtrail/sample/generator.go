// Package sample makes sample CloudTrail: records full of realistic events, in all the shapes in which events travel,
// some of them damaged on purpose. Tests, benchmarks, the demo and the generate command use it.
//
// It guarantees: the same [Options] give the same bytes on every machine. Each record comes with the truth about it, so
// that readers can be checked against exact counts ([Truth]). Accounts, names and addresses are those reserved for
// documentation; no event is a copy of a real one.
//
// The package starts no goroutines. A [Generator] belongs to one goroutine at a time.
//
// To add an API call, add a row to reads.go or writes.go; an identity, to identities.go; an
// envelope, to envelopes.go; a compression, to encoders.go; a kind of damage, to damage.go.
package sample

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"time"
)

// readsInUnusedShare is the share of events that only read in an unused region: near misses.
const readsInUnusedShare = 0.01

// Generator makes an endless sequence of records. Make it with [New]; it belongs to one goroutine at a time.
type Generator struct {
	options  Options
	random   *rand.Rand
	accounts []string
	calls    catalogue
	layers   layering

	made   uint64 // events
	single bool   // the record has at most one event
	record Record
	text   []byte // the record's
	scene  scene
	truth  Truth
}

// New returns a generator. The error names every fault of the options.
func New(o Options) (*Generator, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("making samples: %w", err)
	}
	return &Generator{
		options:  o,
		random:   rand.New(rand.NewPCG(o.Seed, 0x726567696f6e7761)), //nolint:gosec // it must be reproducible
		accounts: AccountIDs(o.Accounts),
		calls:    newCatalogue(),
	}, nil
}

// Truth returns the truth about all records so far. The caller owns it.
func (g *Generator) Truth() Truth {
	t := g.truth
	t.Regions = make(map[string]Tally, len(g.truth.Regions))
	for region, tally := range g.truth.Regions {
		t.Regions[region] = tally
	}
	return t
}

// NextSingle makes a record with at most one event, whatever its shape. It is valid until the next call.
func (g *Generator) NextSingle() *Record {
	g.single = true
	defer func() { g.single = false }()
	return g.Next()
}

// Next makes a record. It is valid until the next call.
func (g *Generator) Next() *Record {
	r := &g.record
	r.Shape = g.options.Shapes[g.random.IntN(len(g.options.Shapes))]
	r.Account = pick(g.random, g.accounts)
	r.Events = r.Events[:0]
	r.Damage = DamageNone
	if g.chance(g.options.DamagedShare) {
		r.Damage = Damage(1 + g.random.IntN(int(damageCount)-1))
	}
	g.layers.victim, g.layers.cut = g.chooseVictim(), false
	g.layers.scene = scene{
		account: r.Account, region: g.options.Regions[0],
		time: g.options.Start.Add(time.Duration(g.made) * g.options.Interval).UTC(),
	}
	g.text = g.appendLayer(g.text[:0], 0)
	r.Value = g.text
	g.truth.Add(r)
	return r
}

// chooseVictim chooses which event of the record is damaged; negative for none.
func (g *Generator) chooseVictim() int {
	switch g.record.Damage {
	case DamageNone, DamageGarbage:
		return -1
	case DamageTruncated: // a cut record ends in its last event
		return g.events() - 1
	default:
		return g.random.IntN(g.events())
	}
}

// newEvent decides the next event's id, its region, and whether it reads or writes.
func (g *Generator) newEvent() *Event {
	o := &g.options
	g.record.Events = append(g.record.Events, Event{ID: g.nextID(), Account: g.record.Account, ReadOnly: Read})
	e := &g.record.Events[len(g.record.Events)-1]
	switch {
	case g.chance(o.MatchShare):
		e.Region, e.ReadOnly = pick(g.random, o.UnusedRegions), Write
	case len(o.UnusedRegions) > 0 && g.chance(readsInUnusedShare):
		e.Region = pick(g.random, o.UnusedRegions)
	default:
		e.Region = pick(g.random, o.Regions)
		if g.chance(writeShare) {
			e.ReadOnly = Write
		}
	}
	return e
}

// nextID returns a unique eventID: the free bits of the UUID hold the event's number, mixed one to one.
func (g *Generator) nextID() (id [36]byte) {
	g.made++
	x := g.made + g.options.Seed*0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	x ^= x >> 31
	noise := g.random.Uint64()
	appendUUID(id[:0], x&^0xffff|noise&0xffff, noise&^0xffff|x&0xffff)
	return id
}

func (g *Generator) chance(share float64) bool { return share > 0 && g.random.Float64() < share }

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// AccountIDs returns n account ids made of three digits four times each, as in AWS's documentation: 111122223333 is the
// first.
func AccountIDs(n int) []string {
	const first, step, all = 23, 331, MaxAccounts // step and all have no common divisor, so no id repeats
	ids := make([]string, 0, n)
	for i := range n {
		var id []byte
		for _, digit := range fmt.Append(nil, 100+(first+i*step)%all) {
			id = append(id, bytes.Repeat([]byte{digit}, 4)...)
		}
		ids = append(ids, string(id))
	}
	return ids
}
