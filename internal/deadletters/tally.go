package deadletters

import (
	"context"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/processor/deadletter"
)

// Tally counts letters in bounded memory. The zero value is ready to use.
type Tally struct {
	Letters    uint64 // selected ones; one in parts counts once
	Again      uint64 // of these, letters of a record that had been replayed
	Alerted    uint64 // of these, letters of a record that also raised alerts
	Replayed   uint64 // records the topic's markers note as replayed, whatever the selection
	Unreadable uint64 // records of the topic that are not letters
	First      time.Time
	Last       time.Time
	Reasons    display.Counter
	Topics     display.Counter // by origin
	Partitions display.Counter // by origin, as TOPIC:PARTITION
	Shapes     display.Counter
	Hours      display.Counter // by time of writing, in UTC, as in [HourLayout]
}

// HourLayout is the format of hours in Tally.Hours; the first ten characters are the day.
const HourLayout = "2006-01-02T15:00Z"

// Count counts the selected letters of the topic, up to limit; 0 means no limit.
func (t *Topic) Count(ctx context.Context, selection *Selection, limit uint64) (*Tally, error) {
	tally := new(Tally)
	err := t.Read(ctx, selection.Since, func(r *kgo.Record) error {
		if tally.Add(r, selection) && tally.Letters == limit {
			return ErrEnough
		}
		return nil
	})
	return tally, err
}

// Add counts a record of the topic if it is the first of a selected letter, and reports whether it did.
func (t *Tally) Add(r *kgo.Record, s *Selection) bool {
	if deadletter.IsMarker(r) {
		if n, err := strconv.ParseUint(string(r.Headers[0].Value), 10, 31); err == nil {
			t.Replayed += n
		}
		return false
	}
	l, err := deadletter.Parse(r)
	if err != nil {
		t.Unreadable++
		return false
	}
	if !l.First() || !s.Wants(l) {
		return false
	}
	t.count(l)
	return true
}

func (t *Tally) count(l *deadletter.Letter) {
	t.Letters++
	if l.Replays > 0 {
		t.Again++
	}
	if l.Alerted > 0 {
		t.Alerted++
	}
	if t.First.IsZero() || l.Time.Before(t.First) {
		t.First = l.Time
	}
	if l.Time.After(t.Last) {
		t.Last = l.Time
	}
	t.Reasons.Add(l.Reason)
	t.Topics.Add(l.Origin.Topic)
	t.Partitions.Add(l.Origin.Topic + ":" + strconv.Itoa(int(l.Origin.Partition)))
	t.Shapes.Add(l.Shape)
	t.Hours.Add(l.Time.UTC().Format(HourLayout))
}
