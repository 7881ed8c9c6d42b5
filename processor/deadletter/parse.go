package deadletter

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/schema/alert"
)

// Letter is one dead letter, or one of its parts. Anyone who can write to the dead-letter topic chooses all text in
// it; anyone who can write to the input topic chooses key, value, headers and error. Key, value and headers are
// the parsed record's own memory, unless the letter was joined from parts.
type Letter struct {
	Place Place     // in the dead-letter topic; of the first part
	Time  time.Time // when it was written

	Origin     Place     // of the record that could not be read, or of the first of a batch
	LastOffset int64     // of a batch that was set aside as a whole; -1 in letters about one record
	Timestamp  time.Time // of that record; zero if the letter does not say
	Reason     string    // a short stable code, see cloudtrail.Reason
	Error      string    // for people
	Index      int       // of the damaged event in the record, or -1
	Shape      string    // what was recognized before the fault
	Alerted    int       // how many alerts the record raised in spite of the fault
	AlertID    string    // of the partial alert for the damaged event; empty if there is none
	Count      int       // how many faults this letter stands for
	Byte       int       // of Value, at which reading stopped; -1 if the letter does not say
	Replays    int       // how often the record had been replayed
	Holds      string    // empty, or one of the Holds constants
	Part       int       // from 1; 0 if the letter is one record
	Parts      int       // 0 if the letter is one record

	Key     []byte
	Value   []byte
	Headers []kgo.RecordHeader // the source record's own
	Offsets []int64            // of all its parts, in the partition of Place
}

// First reports whether l is a letter in one record, or the first of the records with its value.
func (l *Letter) First() bool { return l.Part <= 1 && l.Holds != HoldsFrame }

// maxOwnHeaders bounds where the last of a letter's own headers is looked for.
const maxOwnHeaders = 32

// Parse reads a record of the dead-letter topic. The error says why it is not a dead letter.
func Parse(r *kgo.Record) (*Letter, error) {
	ours, theirs, err := split(r.Headers)
	if err != nil {
		return nil, err
	}
	f := fields{ours: ours}
	l := &Letter{
		Place: Place{r.Topic, r.Partition, r.Offset}, Time: r.Timestamp,
		Origin: Place{
			Topic:     f.text(HeaderTopic, true),
			Partition: int32(f.number(HeaderPartition, true, 0, math.MaxInt32)),
			Offset:    f.number(HeaderOffset, true, 0, math.MaxInt64),
		},
		LastOffset: f.number(HeaderLastOffset, false, 0, math.MaxInt64),
		Timestamp:  f.time(HeaderTimestamp),
		Reason:     f.text(HeaderReason, true),
		Error:      f.text(HeaderError, false),
		Index:      int(f.number(HeaderIndex, false, 0, math.MaxInt32)),
		Shape:      f.text(HeaderShape, false),
		Alerted:    int(max(f.number(HeaderAlerted, false, 0, math.MaxInt32), 0)),
		AlertID:    f.text(HeaderAlertID, false),
		Count:      int(max(f.number(HeaderCount, false, 0, math.MaxInt32), 1)),
		Byte:       int(f.number(HeaderByte, false, 0, math.MaxInt32)),
		Replays:    int(max(f.number(HeaderReplays, false, 0, MaxReplays), 0)),
		Holds:      f.text(HeaderHolds, false),
		Part:       int(max(f.number(HeaderPart, false, 1, maxParts), 0)),
		Parts:      int(max(f.number(HeaderParts, false, 1, maxParts), 0)),
		Key:        r.Key, Value: r.Value, Headers: theirs, Offsets: []int64{r.Offset},
	}
	if f.err == nil && (l.Part > l.Parts || (l.Part == 0) != (l.Parts == 0)) {
		f.err = fmt.Errorf("it says that it is part %d of %d", l.Part, l.Parts)
	}
	return l, f.err
}

// split tells a letter's own headers from those of its record, by place: the record's may have the same names. The
// numbers of a part come after both.
func split(headers []kgo.RecordHeader) (ours, theirs []kgo.RecordHeader, err error) {
	for i, h := range headers[:min(len(headers), maxOwnHeaders)] {
		if !strings.HasPrefix(h.Key, "dead-letter-") {
			break
		}
		if h.Key != HeaderHeaders {
			continue
		}
		n, err := strconv.Atoi(string(h.Value))
		if rest := len(headers) - i - 1; err != nil || n < 0 || n > rest || rest-n > 2 {
			return nil, nil, fmt.Errorf("header %s: %s, but %d headers follow", h.Key, quote(string(h.Value)), rest)
		}
		end := i + 1 + n
		return append(headers[:i:i], headers[end:]...), headers[i+1 : end : end], nil
	}
	return nil, nil, errors.New("it does not have the headers of a dead letter")
}

// fields reads headers and keeps the first mistake.
type fields struct {
	ours []kgo.RecordHeader
	err  error
}

func (f *fields) text(key string, required bool) string {
	value, _ := find(f.ours, key)
	if value == "" && required && f.err == nil {
		f.err = fmt.Errorf("header %s is missing", key)
	}
	return value
}

// number returns -1 if there is none.
func (f *fields) number(key string, required bool, least, most int64) int64 {
	text := f.text(key, required)
	if text == "" {
		return -1
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if (err != nil || n < least || n > most) && f.err == nil {
		f.err = fmt.Errorf("header %s: %s is not a number from %d to %d", key, quote(text), least, most)
	}
	return n
}

// time returns the zero time if there is none: a letter with a bad time is still a letter.
func (f *fields) time(key string) time.Time {
	t, _ := time.Parse(time.RFC3339Nano, f.text(key, false))
	return t
}

// quote writes text from outside, shortened.
func quote(text string) string { return strconv.QuoteToASCII(alert.CutText(text, 60)) }
