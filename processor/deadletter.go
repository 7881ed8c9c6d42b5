package processor

import (
	"encoding/json"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/schema/alert"
)

// The headers that a dead letter has beside those of the record itself. Numbers are decimal text.
const (
	LetterTopic     = "dead-letter-topic"
	LetterPartition = "dead-letter-partition"
	LetterOffset    = "dead-letter-offset"
	LetterTimestamp = "dead-letter-timestamp" // RFC 3339 in UTC with milliseconds
	LetterReason    = "dead-letter-reason"    // a short stable code
	LetterError     = "dead-letter-error"     // for people
	LetterIndex     = "dead-letter-index"     // the damaged event's place in the record; absent where it is not in one
	LetterShape     = "dead-letter-shape"     // what was recognized before the fault
	LetterAlerted   = "dead-letter-alerted"   // how many alerts the record raised all the same
	LetterAlertID   = "dead-letter-alert-id"  // of the partial alert for the damaged event; absent if there is none
	LetterCount     = "dead-letter-count"     // how many faults this dead letter stands for
	// LetterHolds says what the value is where it is not the record's own: see the Holds constants.
	LetterHolds   = "dead-letter-holds"
	LetterReplays = "dead-letter-replays" // how often the record had been replayed; absent if never
	// LetterHeaders is the last of these headers: how many of the source record's own follow. Whoever can write
	// to the input chooses those, and may give them any of the names above: by their place they are told apart.
	LetterHeaders = "dead-letter-headers"
	// LetterPart and LetterParts number the records, from 1, that together hold one value that was too
	// large for one record: joined in order they are what LetterHolds says. They come after all others.
	LetterPart  = "dead-letter-part"
	LetterParts = "dead-letter-parts"
)

// The values of LetterHolds.
const (
	HoldsPiece   = "piece"   // only the part of the record's value that could not be read
	HoldsNothing = "nothing" // the first dead letter of the same topic, partition and offset has the value
	// HoldsFrame is the record's key and headers as JSON, {"key":base64,"headers":[{"key":base64,"value":base64}]},
	// where they are too large to stand in every part. The value follows in dead letters of its own.
	HoldsFrame = "key-and-headers"
)

// wholeBytes bounds what the dead letters of one record carry together, beyond the first, which always
// has the whole value: one record with many faults must not become many times its size.
const wholeBytes = 8 << 20

// maxErrorBytes bounds the error text: it may quote the input.
const maxErrorBytes = 1 << 10

// deadLetters makes the dead letters of one record.
type deadLetters struct {
	topic  string
	record *kgo.Record
	sent   int // bytes of values so far
	n      int
}

// letter is one dead letter, before it is known how many records it takes. The key, the headers and the
// value are the source record's own memory; only a piece is copied.
type letter struct {
	whole  *kgo.Record
	about  []kgo.RecordHeader // the headers of ours, but for those that differ between its records
	holds  string
	theirs []kgo.RecordHeader // the source record's
	resent bool               // in smaller parts than at first
}

// letter returns d as a dead letter of the record at hand.
func (l *deadLetters) letter(d *detection.DeadLetter) *letter {
	value, holds := l.choose(d)
	l.n++
	l.sent += len(value)
	made := &letter{about: describe(l.record, d), holds: holds, theirs: l.record.Headers}
	made.whole = &kgo.Record{Topic: l.topic, Key: l.record.Key, Value: value, Headers: made.headers(holds, made.theirs)}
	return made
}

// headers returns those of ours, and theirs after them.
func (l *letter) headers(holds string, theirs []kgo.RecordHeader) []kgo.RecordHeader {
	all := append(make([]kgo.RecordHeader, 0, len(l.about)+len(theirs)+4), l.about...)
	if holds != "" {
		all = append(all, header(LetterHolds, holds))
	}
	return append(append(all, header(LetterHeaders, strconv.Itoa(len(theirs)))), theirs...)
}

// choose returns what d carries: the whole value of its record while that stays small together.
func (l *deadLetters) choose(d *detection.DeadLetter) (value []byte, holds string) {
	switch {
	case l.n == 0 || l.sent+len(l.record.Value) <= wholeBytes:
		return l.record.Value, ""
	case l.sent+len(d.Piece) <= 2*wholeBytes:
		return append([]byte(nil), d.Piece...), HoldsPiece
	default:
		return nil, HoldsNothing
	}
}

// records returns the records that hold the letter: one, or as many parts as it takes. Where key and
// headers would take more than half of each part they go ahead, in parts of their own.
func (l *letter) records(limits *limits) []*kgo.Record {
	room := limits.value(l.whole)
	if len(l.whole.Value) <= room {
		return []*kgo.Record{l.whole}
	}
	if room -= partHeaders; room >= limits.batch(l.whole.Topic)/2 {
		return parts(l.whole, room)
	}
	frame := &kgo.Record{
		Topic:   l.whole.Topic,
		Value:   frameJSON(l.whole.Key, l.theirs),
		Headers: l.headers(HoldsFrame, nil),
	}
	bare := &kgo.Record{Topic: l.whole.Topic, Value: l.whole.Value, Headers: l.headers(l.holds, nil)}
	return append(
		parts(frame, limits.value(frame)-partHeaders),
		parts(bare, limits.value(bare)-partHeaders)...)
}

// partHeaders is the room that the two headers of a part take at most.
const partHeaders = 2 * (20 + len(LetterParts) + 10)

// parts cuts the value of r into records with at most room bytes of it each.
func parts(r *kgo.Record, room int) []*kgo.Record {
	room = max(room, 1)
	n := max((len(r.Value)+room-1)/room, 1)
	records := make([]*kgo.Record, n)
	for i := range records {
		part := *r
		part.Value = r.Value[i*room : min((i+1)*room, len(r.Value))]
		part.Headers = append(r.Headers[:len(r.Headers):len(r.Headers)],
			header(LetterPart, strconv.Itoa(i+1)), header(LetterParts, strconv.Itoa(n)))
		records[i] = &part
	}
	return records
}

// describe returns the headers that say where r came from and why it could not be read.
func describe(r *kgo.Record, d *detection.DeadLetter) []kgo.RecordHeader {
	headers := append(make([]kgo.RecordHeader, 0, 16),
		header(LetterTopic, r.Topic),
		header(LetterPartition, strconv.Itoa(int(r.Partition))),
		header(LetterOffset, strconv.FormatInt(r.Offset, 10)),
		header(LetterTimestamp, r.Timestamp.UTC().Format(timestampLayout)),
		header(LetterReason, d.Reason.String()),
		header(LetterError, errorText(d.Err)),
		header(LetterShape, d.Shape.String()),
		header(LetterAlerted, strconv.Itoa(d.Alerted)),
		header(LetterCount, strconv.Itoa(max(d.Count, 1))),
	)
	if d.Index >= 0 {
		headers = append(headers, header(LetterIndex, strconv.Itoa(d.Index)))
	}
	if d.AlertID != "" {
		headers = append(headers, header(LetterAlertID, d.AlertID))
	}
	if n := Replays(r.Headers); n > 0 {
		headers = append(headers, header(LetterReplays, strconv.Itoa(n)))
	}
	return headers
}

// timestampLayout is RFC 3339 with milliseconds.
const timestampLayout = "2006-01-02T15:04:05.000Z07:00"

func header(key, value string) kgo.RecordHeader {
	return kgo.RecordHeader{Key: key, Value: []byte(value)}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return alert.CutText(err.Error(), maxErrorBytes)
}

// frameJSON is what HoldsFrame describes.
func frameJSON(key []byte, headers []kgo.RecordHeader) []byte {
	type pair struct {
		Key   []byte `json:"key"`
		Value []byte `json:"value"`
	}
	frame := struct {
		Key     []byte `json:"key"`
		Headers []pair `json:"headers"`
	}{key, make([]pair, len(headers))}
	for i, h := range headers {
		frame.Headers[i] = pair{[]byte(h.Key), h.Value}
	}
	encoded, _ := json.Marshal(frame) // byte slices always encode
	return encoded
}
