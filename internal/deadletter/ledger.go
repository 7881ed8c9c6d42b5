package deadletter

import (
	"encoding/json"
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// MarkerHeader is the first header of a record of the dead-letter topic that is no letter but notes what was
// replayed. Its value is the number of records; the record's value is a [Marker] as JSON. The first header of a
// letter is another, whatever headers its record had, so nothing that is read can pass for a marker.
const MarkerHeader = "dead-letter-replayed"

// Marker notes records that were replayed in the transaction that wrote it.
type Marker struct {
	To      string         `json:"to"` // where to: a Destination's name
	At      time.Time      `json:"at"`
	Records []MarkedOrigin `json:"records"`
}

// MarkedOrigin are records of one input partition that had been replayed as often before.
type MarkedOrigin struct {
	Topic     string  `json:"topic"`
	Partition int32   `json:"partition"`
	Replays   int     `json:"replays"`
	Offsets   []int64 `json:"offsets"`
}

// IsMarker reports whether a record of the dead-letter topic is a marker.
func IsMarker(r *kgo.Record) bool { return len(r.Headers) > 0 && r.Headers[0].Key == MarkerHeader }

// ParseMarker reads a marker.
func ParseMarker(r *kgo.Record) (*Marker, error) {
	var m Marker
	if err := json.Unmarshal(r.Value, &m); err != nil {
		return nil, fmt.Errorf("reading marker %d:%d: %w", r.Partition, r.Offset, err)
	}
	return &m, nil
}

// Names reports whether the marker notes the record that l is about.
func (m *Marker) Names(l *Letter) bool {
	return slices.ContainsFunc(m.Records, func(o MarkedOrigin) bool {
		return o.scope() == l.scope() && slices.Contains(o.Offsets, l.Origin.Offset)
	})
}

// newMarker notes what letters of one partition are about, in that partition.
func newMarker(topic string, partition int32, to string, at time.Time, letters []*Letter) *kgo.Record {
	m := Marker{To: to, At: at.UTC().Truncate(time.Millisecond)}
	index := make(map[scope]int)
	for _, l := range letters {
		s := l.scope()
		i, known := index[s]
		if !known {
			i = len(m.Records)
			index[s] = i
			m.Records = append(m.Records, MarkedOrigin{Topic: s.topic, Partition: s.partition, Replays: s.replays})
		}
		m.Records[i].Offsets = append(m.Records[i].Offsets, l.Origin.Offset)
	}
	value, _ := json.Marshal(m) // texts and numbers always encode
	return &kgo.Record{
		Topic: topic, Partition: partition, Value: value,
		Headers: []kgo.RecordHeader{{Key: MarkerHeader, Value: []byte(strconv.Itoa(len(letters)))}},
	}
}

// scope is what a record's offset counts within.
type scope struct {
	topic     string
	partition int32
	replays   int
}

func (l *Letter) scope() scope { return scope{l.Origin.Topic, l.Origin.Partition, l.Replays} }

func (o *MarkedOrigin) scope() scope { return scope{o.Topic, o.Partition, o.Replays} }

// ledger knows which records were replayed. It keeps a bit for each, in words of 64 offsets.
type ledger struct {
	words map[scope]map[int64]uint64
	bad   int // markers that cannot be read
}

func newLedger() *ledger { return &ledger{words: make(map[scope]map[int64]uint64)} }

// add notes a record and reports whether it is new.
func (g *ledger) add(s scope, offset int64) bool {
	words := g.words[s]
	if words == nil {
		words = make(map[int64]uint64)
		g.words[s] = words
	}
	word, bit := offset>>6, uint64(1)<<(offset&63)
	if words[word]&bit != 0 {
		return false
	}
	words[word] |= bit
	return true
}

func (g *ledger) has(s scope, offset int64) bool {
	return g.words[s][offset>>6]&(1<<(offset&63)) != 0
}

// without counts the records that other has not.
func (g *ledger) without(other *ledger) (n uint64) {
	for s, words := range g.words {
		for word, set := range words {
			n += uint64(bits.OnesCount64(set &^ other.words[s][word]))
		}
	}
	return n
}

// read notes what a marker says. Other records of the topic say nothing.
func (g *ledger) read(r *kgo.Record) error {
	if !IsMarker(r) {
		return nil
	}
	m, err := ParseMarker(r)
	if err != nil {
		g.bad++
		return nil //nolint:nilerr // a marker that cannot be read is counted; it must not keep the others from being replayed
	}
	for _, o := range m.Records {
		for _, offset := range o.Offsets {
			g.add(o.scope(), offset)
		}
	}
	return nil
}
