package deadletter

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/schema/alert"
)

// Fault is why a record, or a part of it, could not be read.
type Fault struct {
	Reason  string // a short stable code
	Err     error  // for people
	Index   int    // of the damaged event in the record; -1 outside of events
	Shape   string // what was recognized before the fault
	Alerted int    // how many alerts the record raised in spite of it
	AlertID string // of the partial alert for the damaged event; empty if there is none
	Count   int    // how many faults it stands for; 0 means 1
	Piece   []byte // the part that could not be read; copied where it is kept
	Offset  int    // where reading stopped, in bytes from the start of Piece
}

// maxValues bounds the values of one record's letters together, beyond the first, which always has the whole
// value: a record with many faults must not become many times its size.
const maxValues = 8 << 20

// maxErrorBytes bounds the error text: it may quote the input.
const maxErrorBytes = 1 << 10

// Encoder makes the dead letters of one record after another. Set Topic, the dead-letter topic, and call Begin
// before the first letter of each record.
type Encoder struct {
	Topic  string
	record *kgo.Record
	sent   int // bytes of values so far
	n      int
}

// Begin starts the letters of r.
func (e *Encoder) Begin(r *kgo.Record) { e.record, e.sent, e.n = r, 0, 0 }

// Draft is an encoded letter that is not yet cut into records. Key, headers and value are the source record's own
// memory; only a piece is copied.
type Draft struct {
	whole  *kgo.Record
	about  []kgo.RecordHeader // our headers, except those that differ between the letter's records
	holds  string
	theirs []kgo.RecordHeader // the source record's
}

// Encode returns f as a letter of the record that Begin named.
func (e *Encoder) Encode(f *Fault) *Draft {
	value, holds := e.choose(f)
	e.n++
	e.sent += len(value)
	d := &Draft{about: describe(e.record, f), holds: holds, theirs: e.record.Headers}
	if at := stoppedAt(value, holds, f); at >= 0 {
		d.about = append(d.about, header(HeaderByte, strconv.Itoa(at)))
	}
	d.whole = &kgo.Record{Topic: e.Topic, Key: e.record.Key, Value: value, Headers: d.headers(holds, d.theirs)}
	return d
}

// EncodeBatch returns a letter about a whole batch: from first, the place of its first record, to the offset last.
// value is the batch as holds says: HoldsBatch or HoldsSource. The draft keeps it.
func EncodeBatch(topic string, first Place, last int64, f *Fault, value []byte, holds string) *Draft {
	source := &kgo.Record{Topic: first.Topic, Partition: first.Partition, Offset: first.Offset}
	d := &Draft{about: append(describe(source, f), header(HeaderLastOffset, strconv.FormatInt(last, 10))), holds: holds}
	d.whole = &kgo.Record{Topic: topic, Value: value, Headers: d.headers(holds, nil)}
	return d
}

// maxSearched bounds the values in which the place of a piece is looked for.
const maxSearched = 1 << 20

// stoppedAt returns the byte of value at which reading stopped, or -1 if it stopped in text that is not there.
func stoppedAt(value []byte, holds string, f *Fault) int {
	switch {
	case f.Offset < 0 || f.Offset > len(f.Piece) || holds == HoldsNothing:
		return -1
	case holds == HoldsPiece:
		return f.Offset
	case len(value) > maxSearched:
		return -1
	}
	if at := bytes.Index(value, f.Piece); at >= 0 {
		return at + f.Offset
	}
	return -1
}

// headers returns ours and then theirs.
func (d *Draft) headers(holds string, theirs []kgo.RecordHeader) []kgo.RecordHeader {
	all := append(make([]kgo.RecordHeader, 0, len(d.about)+len(theirs)+4), d.about...)
	if holds != "" {
		all = append(all, header(HeaderHolds, holds))
	}
	return append(append(all, header(HeaderHeaders, strconv.Itoa(len(theirs)))), theirs...)
}

// choose returns what the letter carries: the record's whole value, while the letters stay small together.
func (e *Encoder) choose(f *Fault) (value []byte, holds string) {
	switch {
	case e.n == 0 || e.sent+len(e.record.Value) <= maxValues:
		return e.record.Value, ""
	case e.sent+len(f.Piece) <= 2*maxValues:
		return bytes.Clone(f.Piece), HoldsPiece
	default:
		return nil, HoldsNothing
	}
}

// Records returns the records that hold the letter, each in a batch of at most batchBytes: one, or as many parts
// as it takes. A key and headers that would take more than half of each part come first, in separate parts.
func (d *Draft) Records(batchBytes int) []*kgo.Record {
	room := Room(d.whole, batchBytes)
	if len(d.whole.Value) <= room {
		return []*kgo.Record{d.whole}
	}
	if room -= partHeaders; room >= batchBytes/2 {
		return parts(d.whole, room)
	}
	frame := &kgo.Record{
		Topic:   d.whole.Topic,
		Value:   frameJSON(d.whole.Key, d.theirs),
		Headers: d.headers(HoldsFrame, nil),
	}
	bare := &kgo.Record{Topic: d.whole.Topic, Value: d.whole.Value, Headers: d.headers(d.holds, nil)}
	return append(
		parts(frame, Room(frame, batchBytes)-partHeaders),
		parts(bare, Room(bare, batchBytes)-partHeaders)...)
}

// partHeaders is the most that the two headers of a part take.
const partHeaders = 2 * (20 + len(HeaderParts) + 10)

// parts cuts the value of r into records with at most room bytes of it each.
func parts(r *kgo.Record, room int) []*kgo.Record {
	room = max(room, 1)
	n := max((len(r.Value)+room-1)/room, 1)
	records := make([]*kgo.Record, n)
	for i := range records {
		part := *r
		part.Value = r.Value[i*room : min((i+1)*room, len(r.Value))]
		part.Headers = append(r.Headers[:len(r.Headers):len(r.Headers)],
			header(HeaderPart, strconv.Itoa(i+1)), header(HeaderParts, strconv.Itoa(n)))
		records[i] = &part
	}
	return records
}

// describe returns the headers that say where r came from and why it could not be read.
func describe(r *kgo.Record, f *Fault) []kgo.RecordHeader {
	headers := append(make([]kgo.RecordHeader, 0, 16),
		header(HeaderTopic, r.Topic),
		header(HeaderPartition, strconv.Itoa(int(r.Partition))),
		header(HeaderOffset, strconv.FormatInt(r.Offset, 10)),
	)
	if !r.Timestamp.IsZero() {
		headers = append(headers, header(HeaderTimestamp, r.Timestamp.UTC().Format(alert.TimestampLayout)))
	}
	headers = append(headers,
		header(HeaderReason, f.Reason),
		header(HeaderError, ErrorText(f.Err)),
		header(HeaderShape, f.Shape),
		header(HeaderAlerted, strconv.Itoa(f.Alerted)),
		header(HeaderCount, strconv.Itoa(max(f.Count, 1))),
	)
	if f.Index >= 0 {
		headers = append(headers, header(HeaderIndex, strconv.Itoa(f.Index)))
	}
	if f.AlertID != "" {
		headers = append(headers, header(HeaderAlertID, f.AlertID))
	}
	if n := Replays(r.Headers); n > 0 {
		headers = append(headers, header(HeaderReplays, strconv.Itoa(n)))
	}
	return headers
}

// ErrorText returns the text of err for people, bounded.
func ErrorText(err error) string {
	if err == nil {
		return ""
	}
	return alert.CutText(err.Error(), maxErrorBytes)
}

// frameJSON is what HoldsFrame describes.
func frameJSON(key []byte, headers []kgo.RecordHeader) []byte {
	frame := frameContents{Key: key, Headers: make([]framePair, len(headers))}
	for i, h := range headers {
		frame.Headers[i] = framePair{[]byte(h.Key), h.Value}
	}
	encoded, _ := json.Marshal(frame) // byte slices always encode
	return encoded
}

// frameContents is what HoldsFrame describes.
type frameContents struct {
	Key     []byte      `json:"key"`
	Headers []framePair `json:"headers"`
}

type framePair struct {
	Key   []byte `json:"key"`
	Value []byte `json:"value"`
}
