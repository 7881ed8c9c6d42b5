package deadletter

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/schema/alert"
)

// Place is where a record stands.
type Place struct {
	Topic     string
	Partition int32
	Offset    int64
}

// String writes the place as TOPIC:PARTITION:OFFSET.
func (p Place) String() string { return fmt.Sprintf("%s:%d:%d", p.Topic, p.Partition, p.Offset) }

// Letter is one dead letter, or one of its parts. All text in it may be chosen by whoever can write to the
// dead-letter topic; key, value, headers and error by whoever can write to the input topic. Key, value and
// headers are the read record's own memory, unless the letter was put together from parts.
type Letter struct {
	Place Place     // where it stands in the dead-letter topic; of several parts the first
	Time  time.Time // when it was written

	Origin    Place     // of the record that could not be read
	Timestamp time.Time // of that record; zero where the letter does not say
	Reason    string    // a short stable code, see cloudtrail.Reason
	Error     string    // for people
	Index     int       // the damaged event's place in the record, or -1
	Shape     string    // what was recognized before the fault
	Alerted   int       // how many alerts the record raised all the same
	AlertID   string    // of the partial alert for the damaged event; empty if there is none
	Count     int       // how many faults this letter stands for
	Replays   int       // how often the record had been replayed
	Holds     string    // empty, or one of processor's Holds constants
	Part      int       // from 1; 0 where the letter is in one record
	Parts     int       // 0 where the letter is in one record

	Key     []byte
	Value   []byte
	Headers []kgo.RecordHeader // the record's own
	Offsets []int64            // of all of its parts, in the partition of Place
}

// maxOwnHeaders bounds where the last of a letter's own headers is looked for.
const maxOwnHeaders = 32

// Parse reads a record of the dead-letter topic. The error says why it is no dead letter.
func Parse(r *kgo.Record) (*Letter, error) {
	ours, theirs, err := split(r.Headers)
	if err != nil {
		return nil, err
	}
	f := fields{ours: ours}
	l := &Letter{
		Place: Place{r.Topic, r.Partition, r.Offset}, Time: r.Timestamp,
		Origin: Place{
			Topic:     f.text(processor.LetterTopic, true),
			Partition: int32(f.number(processor.LetterPartition, true, 0, math.MaxInt32)),
			Offset:    f.number(processor.LetterOffset, true, 0, math.MaxInt64),
		},
		Timestamp: f.time(processor.LetterTimestamp),
		Reason:    f.text(processor.LetterReason, true),
		Error:     f.text(processor.LetterError, false),
		Index:     int(f.number(processor.LetterIndex, false, 0, math.MaxInt32)),
		Shape:     f.text(processor.LetterShape, false),
		Alerted:   int(max(f.number(processor.LetterAlerted, false, 0, math.MaxInt32), 0)),
		AlertID:   f.text(processor.LetterAlertID, false),
		Count:     int(max(f.number(processor.LetterCount, false, 0, math.MaxInt32), 1)),
		Replays:   int(max(f.number(processor.LetterReplays, false, 0, processor.MaxReplays), 0)),
		Holds:     f.text(processor.LetterHolds, false),
		Part:      int(max(f.number(processor.LetterPart, false, 1, maxParts), 0)),
		Parts:     int(max(f.number(processor.LetterParts, false, 1, maxParts), 0)),
		Key:       r.Key, Value: r.Value, Headers: theirs, Offsets: []int64{r.Offset},
	}
	if f.err == nil && (l.Part > l.Parts || (l.Part == 0) != (l.Parts == 0)) {
		f.err = fmt.Errorf("it says that it is part %d of %d", l.Part, l.Parts)
	}
	return l, f.err
}

// split tells a letter's own headers from those of its record, by their places: the record's may have the same
// names. What comes after them are the numbers of a part.
func split(headers []kgo.RecordHeader) (ours, theirs []kgo.RecordHeader, err error) {
	for i, h := range headers[:min(len(headers), maxOwnHeaders)] {
		if !strings.HasPrefix(h.Key, "dead-letter-") {
			break
		}
		if h.Key != processor.LetterHeaders {
			continue
		}
		n, err := strconv.Atoi(string(h.Value))
		if rest := len(headers) - i - 1; err != nil || n < 0 || n > rest || rest-n > 2 {
			return nil, nil, fmt.Errorf("header %s: %s, where %d headers follow", h.Key, quote(string(h.Value)), rest)
		}
		end := i + 1 + n
		return append(headers[:i:i], headers[end:]...), headers[i+1 : end : end], nil
	}
	return nil, nil, errors.New("it has not the headers of a dead letter")
}

// fields reads headers and keeps the first mistake.
type fields struct {
	ours []kgo.RecordHeader
	err  error
}

func (f *fields) text(key string, required bool) string {
	for _, h := range f.ours {
		if h.Key == key {
			return string(h.Value)
		}
	}
	if required && f.err == nil {
		f.err = fmt.Errorf("header %s: is missing", key)
	}
	return ""
}

// number returns -1 where there is none.
func (f *fields) number(key string, required bool, least, most int64) int64 {
	text := f.text(key, required)
	if text == "" {
		return -1
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if (err != nil || n < least || n > most) && f.err == nil {
		f.err = fmt.Errorf("header %s: %s is no number from %d to %d", key, quote(text), least, most)
	}
	return n
}

func (f *fields) time(key string) time.Time {
	t, _ := time.Parse(time.RFC3339Nano, f.text(key, false)) // without it, or with a bad one, the letter still is one
	return t
}

// quote writes text from outside, shortened.
func quote(text string) string { return strconv.QuoteToASCII(alert.CutText(text, 60)) }
