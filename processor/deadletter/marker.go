package deadletter

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// MarkerHeader is the first header of a marker: a record of the dead-letter topic that notes what was replayed. Its
// value is the number of records; the record's value is a [Marker] as JSON. A letter's first header is another,
// whatever headers its record had, so no input can pass for a marker.
const MarkerHeader = "dead-letter-replayed"

// Marker notes records that were replayed in the transaction that wrote it.
type Marker struct {
	To      string         `json:"to"` // decision or input
	At      time.Time      `json:"at"`
	Records []MarkedOrigin `json:"records"`
}

// MarkedOrigin are records of one input partition that had been replayed equally often before.
type MarkedOrigin struct {
	Topic     string  `json:"topic"`
	Partition int32   `json:"partition"`
	Replays   int     `json:"replays"`
	Offsets   []int64 `json:"offsets"`
}

// Scope is what a record's offset counts within.
type Scope struct {
	Topic     string
	Partition int32
	Replays   int
}

// Scope returns the scope of the letter's record.
func (l *Letter) Scope() Scope { return Scope{l.Origin.Topic, l.Origin.Partition, l.Replays} }

// Scope returns the scope of the marked records.
func (o *MarkedOrigin) Scope() Scope { return Scope{o.Topic, o.Partition, o.Replays} }

// NewMarker returns the marker of letters that stand in one partition, for that partition.
func NewMarker(topic string, partition int32, to string, at time.Time, letters []*Letter) *kgo.Record {
	m := Marker{To: to, At: at.UTC().Truncate(time.Millisecond)}
	index := make(map[Scope]int)
	for _, l := range letters {
		s := l.Scope()
		i, known := index[s]
		if !known {
			i = len(m.Records)
			index[s] = i
			m.Records = append(m.Records, MarkedOrigin{Topic: s.Topic, Partition: s.Partition, Replays: s.Replays})
		}
		m.Records[i].Offsets = append(m.Records[i].Offsets, l.Origin.Offset)
	}
	value, _ := json.Marshal(m) // texts and numbers always encode
	return &kgo.Record{
		Topic: topic, Partition: partition, Value: value,
		Headers: []kgo.RecordHeader{header(MarkerHeader, strconv.Itoa(len(letters)))},
	}
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

// Marks reports whether the marker notes the letter's record.
func (m *Marker) Marks(l *Letter) bool {
	return slices.ContainsFunc(m.Records, func(o MarkedOrigin) bool {
		return o.Scope() == l.Scope() && slices.Contains(o.Offsets, l.Origin.Offset)
	})
}
