package main

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/deadletters"
)

// letterFlags select dead letters.
type letterFlags struct {
	reasons         []string
	since, until    *cli.Parsed[time.Time]
	originTopics    []string
	originPartition *cli.Parsed[deadletters.Range]
	originOffset    *cli.Parsed[deadletters.Range]
	partition       *cli.Parsed[deadletters.Range]
	offset          *cli.Parsed[deadletters.Range]
	limit           *cli.Parsed[int64]
}

// addLetterFlags adds the selection flags to a command.
func addLetterFlags(cmd *cobra.Command) *letterFlags {
	f := &letterFlags{
		since: cli.NewPast(), until: cli.NewPast(), originPartition: newRange(math.MaxInt32), originOffset: newRange(math.MaxInt64),
		partition: newRange(math.MaxInt32), offset: newRange(math.MaxInt64), limit: cli.NewNumber("0", 0, math.MaxInt64),
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&f.reasons, "reason", nil, "only letters with these reasons (several with commas)")
	cli.CompleteList(cmd, "reason", ",", deadletters.Reasons())
	flags.Var(f.since, "since", "only letters written then or later (RFC 3339, or an age: 36h, 7d)")
	flags.Var(f.until, "until", "only letters written before (RFC 3339, or an age: 36h, 7d)")
	flags.StringSliceVar(&f.originTopics, "origin-topic", nil, "only letters of records from these topics (several with commas)")
	flags.Var(f.originPartition, "origin-partition", "only letters of records from these partitions (3, 3-7, 3-)")
	flags.Var(f.originOffset, "origin-offset", "only letters of records with these offsets (3, 3-7, 3-)")
	flags.Var(f.partition, "partition", "only letters in these partitions of the dead-letter topic (3, 3-7, 3-)")
	flags.Var(f.offset, "offset", "only letters with these offsets in the dead-letter topic (3, 3-7, 3-)")
	flags.Var(f.limit, "limit", "most letters; 0 is no limit")
	return f
}

// selection returns the selection that the flags describe.
func (f *letterFlags) selection() (deadletters.Selection, error) {
	for _, word := range f.reasons {
		if known := deadletters.Reasons(); !slices.Contains(known, word) {
			return deadletters.Selection{}, cli.Mistake(errors.New("flag --reason: " + strconv.Quote(word) + " is not known; allowed: " + strings.Join(known, ", ")))
		}
	}
	if since, until := f.since.Value, f.until.Value; !since.IsZero() && !until.IsZero() && !since.Before(until) {
		return deadletters.Selection{}, cli.Mistake(fmt.Errorf("flags --since, --until: %s is not before %s",
			since.UTC().Format(time.RFC3339), until.UTC().Format(time.RFC3339)))
	}
	return deadletters.Selection{
		Reasons: f.reasons, Since: f.since.Value, Until: f.until.Value, OriginTopics: f.originTopics,
		OriginPartition: f.originPartition.Value, OriginOffset: f.originOffset.Value,
		Partition: f.partition.Value, Offset: f.offset.Value,
	}, nil
}

// newRange returns a range of non-negative numbers. The default is all of them.
func newRange(most int64) *cli.Parsed[deadletters.Range] {
	return cli.NewParsed("", "range", func(text string) (deadletters.Range, error) { return deadletters.ParseRange(text, most) })
}
