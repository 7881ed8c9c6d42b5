package deadletters

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/deadletter"
	"github.com/regionwatch/regionwatch/schema/alert"
)

// Tally counts letters. Its memory does not grow with their number: each [Counter] is bounded. Make it with
// [NewTally].
type Tally struct {
	Letters    uint64 // selected ones; one in parts counts once
	Again      uint64 // of these, letters of a record that had been replayed
	Alerted    uint64 // of these, letters of a record that raised alerts all the same
	Replayed   uint64 // records that the topic's markers note as replayed, whatever is selected
	Unreadable uint64 // records of the topic that are no letters
	First      time.Time
	Last       time.Time
	Reasons    *Counter
	Topics     *Counter // by origin
	Partitions *Counter // by origin, as TOPIC:PARTITION
	Shapes     *Counter
	Hours      *Counter // by time of writing, in UTC, as in [HourLayout]
}

// HourLayout is how an hour is written in Tally.Hours; its first ten characters are the day.
const HourLayout = "2006-01-02T15:00Z"

// NewTally returns an empty tally.
func NewTally() *Tally {
	return &Tally{
		Reasons: newCounter(), Topics: newCounter(), Partitions: newCounter(), Shapes: newCounter(), Hours: newCounter(),
	}
}

// Add counts a record of the topic, where it is the first of a letter that is selected, and reports whether.
func (t *Tally) Add(r *kgo.Record, s *Selection) bool {
	if deadletter.IsMarker(r) {
		n, _ := strconv.ParseUint(string(r.Headers[0].Value), 10, 31) // 0 where it does not say
		t.Replayed += n
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
	t.Reasons.add(l.Reason)
	t.Topics.add(l.Origin.Topic)
	t.Partitions.add(l.Origin.Topic + ":" + strconv.Itoa(int(l.Origin.Partition)))
	t.Shapes.add(l.Shape)
	t.Hours.add(l.Time.UTC().Format(HourLayout))
}

// Counter counts by name. Beyond a number of names it counts the new ones together.
type Counter struct {
	Others uint64 // under names that found no place
	counts map[string]uint64
}

// The bounds of a counter: a year of hours has its place, and a name that nobody reads in full has not.
const (
	maxNames     = 10_000
	maxNameBytes = 300
)

func newCounter() *Counter { return &Counter{counts: make(map[string]uint64)} }

func (c *Counter) add(name string) {
	name = alert.CutText(name, maxNameBytes)
	if _, known := c.counts[name]; !known && len(c.counts) >= maxNames {
		c.Others++
		return
	}
	c.counts[name]++
}

// Count is how often a name was counted.
type Count struct {
	Name  string `json:"name"`
	Count uint64 `json:"count"`
}

// Most returns the counts, the largest first; equal ones by name.
func (c *Counter) Most() []Count {
	list := c.ByName()
	slices.SortStableFunc(list, func(a, b Count) int { return cmp.Compare(b.Count, a.Count) })
	return list
}

// ByName returns the counts in the order of their names.
func (c *Counter) ByName() []Count {
	list := make([]Count, 0, len(c.counts))
	for _, name := range slices.Sorted(maps.Keys(c.counts)) {
		list = append(list, Count{name, c.counts[name]})
	}
	return list
}
