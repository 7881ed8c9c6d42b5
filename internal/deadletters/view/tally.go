package view

import (
	"fmt"
	"io"
	"time"

	"github.com/regionwatch/regionwatch/internal/deadletters"
	"github.com/regionwatch/regionwatch/internal/display"
)

// Tally writes the counts of a topic in a format, "table" or "json".
func Tally(w io.Writer, format, topic string, t *deadletters.Tally) error {
	if format == "json" {
		return tallyJSON(w, topic, t)
	}
	span := ""
	if t.Letters > 0 {
		span = fmt.Sprintf(", written %s to %s", display.Time(t.First), display.Time(t.Last))
	}
	display.Sentence(w, display.Plural(t.Letters, "dead letter")+" in "+display.Text(topic)+span)
	if t.Alerted > 0 {
		fmt.Fprintf(w, "%s from records that raised alerts despite the fault\n", display.Number(t.Alerted))
	}
	fmt.Fprintf(w, "%s of the topic replayed so far, %s from replays that failed\n", display.Plural(t.Replayed, "record"), display.Plural(t.Again, "letter"))
	if t.Unreadable > 0 {
		fmt.Fprintf(w, "%s of the topic that cannot be read as dead letters\n", display.Plural(t.Unreadable, "record"))
	}
	table := display.NewTable(w)
	const rows = 50 // JSON has all
	table.Counts("by reason", &t.Reasons, rows)
	table.Counts("by origin topic", &t.Topics, rows)
	table.Counts("by origin partition", &t.Partitions, rows)
	times, unit := timeCounts(&t.Hours)
	table.CountRows("by "+unit+" (UTC)", times, t.Hours.Others)
	table.Counts("by shape", &t.Shapes, rows)
	return table.Flush()
}

// maxHours is the most hours to list; beyond that, days are listed.
const maxHours = 48

func timeCounts(c *display.Counter) (counts []display.Count, unit string) {
	hours := c.ByName()
	if len(hours) <= maxHours {
		return hours, "hour"
	}
	for _, h := range hours {
		day := h.Name[:len("2006-01-02")]
		if n := len(counts); n > 0 && counts[n-1].Name == day {
			counts[n-1].Count += h.Count
			continue
		}
		counts = append(counts, display.Count{Name: day, Count: h.Count})
	}
	return counts, "day"
}

// tallyJSON writes one JSON object. Names are added, never changed.
func tallyJSON(w io.Writer, topic string, t *deadletters.Tally) error {
	return display.NewEncoder(w).Encode(struct {
		Topic      string          `json:"topic"`
		Letters    uint64          `json:"letters"`
		First      *time.Time      `json:"first,omitempty"`
		Last       *time.Time      `json:"last,omitempty"`
		Alerted    uint64          `json:"alerted"`
		Again      uint64          `json:"again"`
		Replayed   uint64          `json:"replayed"`
		Unreadable uint64          `json:"unreadable"`
		Reasons    []display.Count `json:"reasons"`
		Topics     []display.Count `json:"topics"`
		Partitions []display.Count `json:"partitions"`
		Hours      []display.Count `json:"hours"`
		Shapes     []display.Count `json:"shapes"`
	}{
		topic, t.Letters, orNil(t.First), orNil(t.Last), t.Alerted, t.Again, t.Replayed, t.Unreadable,
		t.Reasons.Most(), t.Topics.Most(), t.Partitions.Most(), t.Hours.ByName(), t.Shapes.Most(),
	})
}
