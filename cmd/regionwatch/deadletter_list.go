package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/broker/check"
	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/deadletters"
	"github.com/regionwatch/regionwatch/internal/display"
)

func newDeadLetterListCommand() *cobra.Command {
	format, acls := cli.NewChoice("table", "json"), new(aclFlags)
	cmd := &cobra.Command{
		Use:   "list",
		Short: "Count dead letters by reason, origin, time and shape",
		Long: "Count dead letters by reason, by the partition that their record was read from, by the time that they were\n" +
			"written at and by the shape that was recognized before the fault. A letter in parts counts once. Memory\n" +
			"does not grow with the topic.",
		Example: "  regionwatch deadletter list --brokers kafka-1:9092 --since 24h\n" +
			"  regionwatch deadletter list --brokers kafka-1:9092 --reason truncated,syntax --format json",
		Args: cli.NoArguments,
	}
	flags := addLetterFlags(cmd)
	format.AddTo(cmd, "format", "form of the counts")
	acls.addTo(cmd, "the command")
	cli.AddSettings(cmd, append(config.Reach(), "config", "dead-letter-topic", "max-batch-bytes")...)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return listLetters(cmd, flags, acls, format.String()) }
	return cmd
}

func listLetters(cmd *cobra.Command, flags *letterFlags, acls *aclFlags, format string) error {
	s, err := cli.ReadSomeSettings(cmd, "brokers")
	if err != nil {
		return cli.Mistake(err)
	}
	selection, err := flags.selection()
	if err != nil {
		return err
	}
	if acls.wanted {
		return acls.printLetters(cmd, format, s, check.Letters{})
	}
	ctx, stop := stopLetters(cmd)
	defer stop()
	topic, closeBar, err := letterTopic(ctx, s, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	tally, err := countLetters(ctx, &topic, &selection, uint64(flags.limit.Value))
	closeBar()
	if err != nil {
		return letterError(ctx, err)
	}
	if format == "json" {
		return writeTallyJSON(cmd.OutOrStdout(), s.DeadLetterTopic, tally)
	}
	return writeTally(cmd.OutOrStdout(), s.DeadLetterTopic, tally)
}

// countLetters counts those that are selected, a limit of 0 is none.
func countLetters(ctx context.Context, topic *deadletters.Topic, selection *deadletters.Selection, limit uint64) (*deadletters.Tally, error) {
	tally := new(deadletters.Tally)
	err := topic.Read(ctx, selection.Since, func(r *kgo.Record) error {
		if tally.Add(r, selection) && tally.Letters == limit {
			return deadletters.ErrEnough
		}
		return nil
	})
	return tally, err
}

// writeTally writes the form for people. All names in it come from the topic.
func writeTally(w io.Writer, topic string, t *deadletters.Tally) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "dead letters\t%s in %s%s\n", display.Number(t.Letters), display.Text(topic), spanText(t))
	fmt.Fprintf(table, "alerted\t%s of them are of records that raised alerts all the same\n", display.Number(t.Alerted))
	fmt.Fprintf(table, "replays\t%s of them are of records that had been replayed; %s records of the topic have been\n", display.Number(t.Again), display.Number(t.Replayed))
	if t.Unreadable > 0 {
		fmt.Fprintf(table, "no letters\t%s records of the topic are none\n", display.Number(t.Unreadable))
	}
	writeCounts(table, "by reason", t.Reasons.Most(), t.Reasons.Others)
	writeCounts(table, "by origin topic", t.Topics.Most(), t.Topics.Others)
	writeCounts(table, "by origin partition", t.Partitions.Most(), t.Partitions.Others)
	times, others, unit := timeCounts(t)
	writeCounts(table, "by "+unit+" (UTC)", times, others)
	writeCounts(table, "by shape", t.Shapes.Most(), t.Shapes.Others)
	return table.Flush()
}

func spanText(t *deadletters.Tally) string {
	if t.Letters == 0 {
		return ""
	}
	return fmt.Sprintf(", written %s to %s", t.First.UTC().Format(time.RFC3339), t.Last.UTC().Format(time.RFC3339))
}

// maxRows bounds the rows of one table of counts; the form for programs has all.
const maxRows = 50

func writeCounts(w io.Writer, title string, counts []display.Count, others uint64) {
	for i, c := range counts {
		if i >= maxRows {
			others += c.Count
			continue
		}
		name := display.Text(c.Name)
		if name == "" {
			name = "(none)"
		}
		if i > 0 {
			title = ""
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", title, display.Fit(name, min(utf8.RuneCountInString(name), 60)), display.Number(c.Count))
	}
	if others > 0 {
		fmt.Fprintf(w, "\tothers\t%s\n", display.Number(others))
	}
}

// maxHours is up to how many hours are told one by one; beyond them there are days.
const maxHours = 48

func timeCounts(t *deadletters.Tally) (counts []display.Count, others uint64, unit string) {
	hours := t.Hours.ByName()
	if len(hours) <= maxHours {
		return hours, t.Hours.Others, "hour"
	}
	for _, h := range hours {
		day := h.Name[:len("2006-01-02")]
		if n := len(counts); n > 0 && counts[n-1].Name == day {
			counts[n-1].Count += h.Count
			continue
		}
		counts = append(counts, display.Count{Name: day, Count: h.Count})
	}
	return counts, t.Hours.Others, "day"
}

// writeTallyJSON writes the form for programs: one object. Names are added, never changed.
func writeTallyJSON(w io.Writer, topic string, t *deadletters.Tally) error {
	encoder := display.NewEncoder(w)
	return encoder.Encode(struct {
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
		topic, t.Letters, timeOrNone(t.First), timeOrNone(t.Last), t.Alerted, t.Again, t.Replayed, t.Unreadable,
		t.Reasons.Most(), t.Topics.Most(), t.Partitions.Most(), t.Hours.ByName(), t.Shapes.Most(),
	})
}

func timeOrNone(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
