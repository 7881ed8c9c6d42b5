package deadletters

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/regionwatch/regionwatch/processor/deadletter"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// Range is an inclusive range of whole numbers. The zero value contains only 0; see [All].
type Range struct{ From, To int64 }

// All returns the range of all numbers from 0.
func All() Range { return Range{0, math.MaxInt64} }

// ParseRange parses a range of numbers from 0 that begins at most at most: 3, 3-7, 3- or -7. An empty text means all numbers.
func ParseRange(text string, most int64) (Range, error) {
	r := All()
	first, last, isRange := strings.Cut(text, "-")
	if !isRange {
		last = first
	}
	var err, lastErr error
	if first != "" {
		r.From, err = strconv.ParseInt(first, 10, 64)
	}
	if last != "" {
		r.To, lastErr = strconv.ParseInt(last, 10, 64)
	}
	if err != nil || lastErr != nil || text == "-" || r.From > r.To || r.From > most {
		return r, errors.New("is not a range; allowed: 3, 3-7, 3- or -7")
	}
	return r, nil
}

// Reasons returns the reasons a dead letter can have.
func Reasons() (names []string) {
	for r := cloudtrail.ReasonNone + 1; int(r) < cloudtrail.ReasonCount; r++ {
		names = append(names, r.String())
	}
	return append(names, deadletter.ReasonBatchTooLarge, deadletter.ReasonPanic, deadletter.ReasonNotAlert)
}

// Holds reports whether n is in the range.
func (r Range) Holds(n int64) bool { return r.From <= n && n <= r.To }

// Selection selects letters. Each field narrows it. Create it with [Everything].
type Selection struct {
	Reasons         []string  // any of them; none means all
	Since           time.Time // written then or later; zero means no bound
	Until           time.Time // written before; zero means no bound
	OriginTopics    []string  // any of them; none means all
	OriginPartition Range
	OriginOffset    Range
	Partition       Range // of the dead-letter topic
	Offset          Range // in the dead-letter topic
}

// Wants reports whether a letter is selected. For a letter in parts, the first part decides.
func (s *Selection) Wants(l *deadletter.Letter) bool {
	switch {
	case len(s.Reasons) > 0 && !slices.Contains(s.Reasons, l.Reason),
		!s.Since.IsZero() && l.Time.Before(s.Since),
		!s.Until.IsZero() && !l.Time.Before(s.Until),
		len(s.OriginTopics) > 0 && !slices.Contains(s.OriginTopics, l.Origin.Topic),
		!s.OriginPartition.Holds(int64(l.Origin.Partition)),
		!s.OriginOffset.Holds(l.Origin.Offset),
		!s.Partition.Holds(int64(l.Place.Partition)),
		!s.Offset.Holds(l.Place.Offset):
		return false
	}
	return true
}
