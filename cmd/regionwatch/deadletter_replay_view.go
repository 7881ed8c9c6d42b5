package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/regionwatch/regionwatch/internal/deadletters"
	"github.com/regionwatch/regionwatch/internal/display"
)

// shownPlan is the form for programs of a record that would be replayed.
type shownPlan struct {
	Letter shownPlace      `json:"letter"`
	Origin shownPlace      `json:"origin"`
	Reason string          `json:"reason"`
	Writes []display.Count `json:"writes"` // records by topic
}

func newShownPlan(p *deadletters.Plan) *shownPlan {
	counts := make(map[string]uint64)
	for _, r := range p.Records {
		counts[r.Topic]++
	}
	return &shownPlan{shownPlace(p.Letter.Place), shownPlace(p.Letter.Origin), p.Letter.Reason, byTopic(counts)}
}

func byTopic(counts map[string]uint64) []display.Count {
	list := []display.Count{}
	for _, topic := range slices.Sorted(maps.Keys(counts)) {
		list = append(list, display.Count{Name: topic, Count: counts[topic]})
	}
	return list
}

// writeAccount says what became of the letters that were selected.
func (f *replayFlags) writeAccount(w io.Writer, a *deadletters.Summary) error {
	if f.format.String() == "json" {
		return display.NewEncoder(w).Encode(struct {
			DryRun     bool            `json:"dryRun"`
			Replayed   uint64          `json:"replayed"`
			Written    []display.Count `json:"written"`
			Already    uint64          `json:"already"`
			Refused    uint64          `json:"refused"`
			Foreign    uint64          `json:"foreign"`
			Foreigners []display.Count `json:"foreignTopics"`
			Partial    uint64          `json:"partial"`
			TooLarge   uint64          `json:"tooLarge"`
			Failed     uint64          `json:"failed"`
			Incomplete uint64          `json:"incomplete"`
			Unreadable uint64          `json:"unreadable"`
			More       bool            `json:"more"`
		}{
			f.dryRun, a.Replayed, byTopic(a.Written), a.Already, a.Refused, a.Foreign, a.Foreigners.Most(), a.Partial, a.TooLarge, a.Failed,
			a.Incomplete, a.Unreadable, a.More,
		})
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	did, wrote := "replayed", "written"
	if f.dryRun {
		did, wrote = "to replay", "to write"
	}
	fmt.Fprintf(table, "%s\t%s records, to the %s\n", did, display.Number(a.Replayed), f.to.String())
	fmt.Fprintf(table, "%s\t%s\n", wrote, writtenText(a))
	row := func(name string, n uint64, text string) {
		if n > 0 {
			fmt.Fprintf(table, "%s\t%s %s\n", name, display.Number(n), text)
		}
	}
	row("already", a.Already, "letters of records that were replayed before, or just now by another letter")
	row("refused", a.Refused, "letters of records that were replayed and failed as often as --max-replays allows")
	row("foreign", a.Foreign, "letters of records that are not of the input topic of the settings, but of "+foreignText(&a.Foreigners))
	row("partial", a.Partial, "letters that hold only a part of their record, whose whole was not found")
	row("too large", a.TooLarge, "records that the topic does not take")
	row("failed", a.Failed, "records of which no replay can be made")
	row("incomplete", a.Incomplete, "records with a letter of which parts are missing")
	row("no letters", a.Unreadable, "records of the dead-letter topic that are none")
	if a.More {
		fmt.Fprintf(table, "limit\tis reached, there may be more\n")
	}
	return table.Flush()
}

func writtenText(a *deadletters.Summary) string {
	var parts []string
	for _, c := range byTopic(a.Written) {
		parts = append(parts, display.Number(c.Count)+" to "+display.Text(c.Name))
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}

// foreignText names the topics of foreign letters.
func foreignText(topics *display.Counter) string {
	var names []string
	for i, c := range topics.Most() {
		if i == maxForeign {
			names = append(names, "others")
			break
		}
		names = append(names, fmt.Sprintf("%s (%s)", display.Text(c.Name), display.Number(c.Count)))
	}
	return strings.Join(names, ", ")
}

// maxForeign bounds how many foreign topics are named.
const maxForeign = 5
