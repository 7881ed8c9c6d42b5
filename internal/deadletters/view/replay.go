package view

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/regionwatch/regionwatch/internal/deadletters"
	"github.com/regionwatch/regionwatch/internal/display"
)

// planJSON is a record that would be replayed, in JSON.
type planJSON struct {
	Letter place           `json:"letter"`
	Origin place           `json:"origin"`
	Reason string          `json:"reason"`
	Writes []display.Count `json:"writes"` // records by topic
}

// Plan returns a function that writes a record that would be replayed, in a format, "table" or "json".
func Plan(w io.Writer, format string) func(*deadletters.Plan) error {
	encoder := display.NewEncoder(w)
	return func(p *deadletters.Plan) error {
		counts := make(map[string]uint64)
		for _, r := range p.Records {
			counts[r.Topic]++
		}
		writes := byTopic(counts)
		if format == "json" {
			return encoder.Encode(planJSON{place(p.Letter.Place), place(p.Letter.Origin), p.Letter.Reason, writes})
		}
		line := fmt.Sprintf("%d:%d  %s  %s ->", p.Letter.Place.Partition, p.Letter.Place.Offset, p.Letter.Origin, p.Letter.Reason)
		if len(writes) == 0 {
			line += " nothing to write"
		}
		for _, write := range writes {
			line += fmt.Sprintf(" %s %s", display.Number(write.Count), write.Name)
		}
		_, err := fmt.Fprintln(w, display.Text(line))
		return err
	}
}

func byTopic(counts map[string]uint64) []display.Count {
	list := []display.Count{}
	for _, topic := range slices.Sorted(maps.Keys(counts)) {
		list = append(list, display.Count{Name: topic, Count: counts[topic]})
	}
	return list
}

// Replay writes the summary of a replay, real or dry, in a format, "table" or "json".
func Replay(w io.Writer, format string, s *deadletters.Summary, to deadletters.Destination, dryRun bool) error {
	if format == "json" {
		return replayJSON(w, s, dryRun)
	}
	did, wrote, readable, unreadable := "replayed", "written", "readable now", "still unreadable"
	if dryRun {
		did, wrote = "to replay", "to write"
	}
	table := display.NewTable(w)
	row := func(name string, n uint64, noun, text string) {
		if n > 0 {
			table.Row(name, display.Plural(n, noun)+text)
		}
	}
	table.Row(did, fmt.Sprintf("%s, to the %s", display.Plural(s.Replayed, "record"), to))
	if to == deadletters.ToDecision && s.Replayed > 0 {
		table.Row(readable, display.Plural(s.Readable, "record"))
		row(unreadable, s.StillUnreadable, "record", "; each becomes a new dead letter")
	}
	table.Row(wrote, display.List(writtenTo(s)))
	row("already", s.Already, "letter", " of records replayed before, or just now for another letter")
	row("refused", s.Refused, "letter", " of records whose replays failed as often as --max-replays allows")
	row("foreign", s.Foreign, "letter", " of other input topics than the settings name: "+foreignText(&s.Foreigners))
	row("partial", s.Partial, "letter", " with only part of a record, whose whole was not found")
	row("too large", s.TooLarge, "record", " larger than the topic allows")
	row("failed", s.Failed, "record", " that cannot be replayed")
	row("incomplete", s.Incomplete, "record", " of whose letter parts are missing")
	row("not letters", s.Unreadable, "record", " of the dead-letter topic that cannot be read as dead letters")
	if s.More {
		table.Row("limit", "reached; there may be more")
	}
	return table.Flush()
}

// replayJSON writes one JSON object. Names are added, never changed.
func replayJSON(w io.Writer, s *deadletters.Summary, dryRun bool) error {
	return display.NewEncoder(w).Encode(struct {
		DryRun          bool            `json:"dryRun"`
		Replayed        uint64          `json:"replayed"`
		Readable        uint64          `json:"readable"`
		StillUnreadable uint64          `json:"stillUnreadable"`
		Written         []display.Count `json:"written"`
		Already         uint64          `json:"already"`
		Refused         uint64          `json:"refused"`
		Foreign         uint64          `json:"foreign"`
		Foreigners      []display.Count `json:"foreignTopics"`
		Partial         uint64          `json:"partial"`
		TooLarge        uint64          `json:"tooLarge"`
		Failed          uint64          `json:"failed"`
		Incomplete      uint64          `json:"incomplete"`
		Unreadable      uint64          `json:"unreadable"`
		More            bool            `json:"more"`
	}{
		dryRun, s.Replayed, s.Readable, s.StillUnreadable, byTopic(s.Written), s.Already, s.Refused, s.Foreign, s.Foreigners.Most(), s.Partial,
		s.TooLarge, s.Failed, s.Incomplete, s.Unreadable, s.More,
	})
}

func writtenTo(s *deadletters.Summary) (parts []string) {
	for _, c := range byTopic(s.Written) {
		parts = append(parts, display.Number(c.Count)+" to "+c.Name)
	}
	return parts
}

// foreignText names the topics of foreign letters, a few of them.
func foreignText(topics *display.Counter) string {
	const most = 5
	var names []string
	for i, c := range topics.Most() {
		if i == most {
			names = append(names, "others")
			break
		}
		names = append(names, fmt.Sprintf("%s (%s)", c.Name, display.Number(c.Count)))
	}
	return display.List(names)
}
