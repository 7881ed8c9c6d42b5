package deadletters

import (
	"math/bits"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/deadletter"
)

// ledger is the set of replayed records. It keeps one bit per record, in words of 64 offsets.
type ledger struct {
	words map[deadletter.Scope]map[int64]uint64
	bad   int // markers that cannot be read
}

func newLedger() *ledger { return &ledger{words: make(map[deadletter.Scope]map[int64]uint64)} }

// add adds a record.
func (g *ledger) add(s deadletter.Scope, offset int64) {
	words := g.words[s]
	if words == nil {
		words = make(map[int64]uint64)
		g.words[s] = words
	}
	words[offset>>6] |= 1 << (offset & 63)
}

func (g *ledger) has(s deadletter.Scope, offset int64) bool {
	return g.words[s][offset>>6]&(1<<(offset&63)) != 0
}

// without counts the records that are not in other.
func (g *ledger) without(other *ledger) (n uint64) {
	for s, words := range g.words {
		for word, set := range words {
			n += uint64(bits.OnesCount64(set &^ other.words[s][word]))
		}
	}
	return n
}

// read adds the records a marker names. It ignores other records of the topic.
func (g *ledger) read(r *kgo.Record) error {
	if !deadletter.IsMarker(r) {
		return nil
	}
	m, err := deadletter.ParseMarker(r)
	if err != nil {
		g.bad++
		return nil //nolint:nilerr // an unreadable marker is counted and must not stop the replay
	}
	for _, o := range m.Records {
		for _, offset := range o.Offsets {
			g.add(o.Scope(), offset)
		}
	}
	return nil
}
