package deadletters

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/processor/deadletter"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// A tally counts letters by each of their properties.
func TestTallyCounts(t *testing.T) {
	at := func(hour int) time.Time { return time.Date(2026, 11, 28, hour, 30, 0, 0, time.UTC) }
	var tally Tally
	for _, l := range []*deadletter.Letter{
		{Reason: "syntax", Origin: deadletter.Place{Topic: "a", Partition: 12}, Shape: "ndjson", Time: at(2)},
		{Reason: "syntax", Origin: deadletter.Place{Topic: "a", Partition: 12}, Shape: "ndjson", Time: at(1), Replays: 1, Alerted: 1},
		{Reason: "too-large", Origin: deadletter.Place{Topic: "b", Partition: 1}, Shape: "records", Time: at(3).In(time.FixedZone("", 3600)), Alerted: 5},
	} {
		tally.count(l)
	}
	if tally.Letters != 3 || tally.Again != 1 || tally.Alerted != 2 || !tally.First.Equal(at(1)) || !tally.Last.Equal(at(3)) {
		t.Errorf("%+v", tally)
	}
	for want, counter := range map[string]*display.Counter{
		"[{syntax 2} {too-large 1}]": &tally.Reasons, "[{a 2} {b 1}]": &tally.Topics, "[{a:12 2} {b:1 1}]": &tally.Partitions,
		"[{ndjson 2} {records 1}]": &tally.Shapes, "[{2026-11-28T01:00Z 1} {2026-11-28T02:00Z 1} {2026-11-28T03:00Z 1}]": &tally.Hours,
	} {
		if counts, _ := counter.Top(9); fmt.Sprint(counts) != want {
			t.Errorf("got %v, want %s", counts, want)
		}
	}
}

// Markers tell how many records were replayed. What is neither marker nor letter is counted, what is not wanted is not.
func TestTallyAdds(t *testing.T) {
	var tally Tally
	all, others := everything(), everything()
	others.Reasons = []string{"too-large"}
	for _, n := range []string{"12", "2147483647", "2147483648", "x"} { // the last two are no counts
		if tally.Add(&kgo.Record{Headers: []kgo.RecordHeader{{Key: deadletter.MarkerHeader, Value: []byte(n)}}}, &all) {
			t.Errorf("the marker %s is a letter", n)
		}
	}
	first := letterRecord(inputTopic, 0, 0)
	if tally.Add(&kgo.Record{Value: []byte("x")}, &all) || tally.Add(first, &others) || !tally.Add(first, &all) {
		t.Errorf("%+v", tally)
	}
	if tally.Unreadable != 1 || tally.Letters != 1 || tally.Replayed != 12+1<<31-1 {
		t.Errorf("%+v", tally)
	}
}

// The reasons to choose from are all there are.
func TestReasons(t *testing.T) {
	names := Reasons()
	for r := range cloudtrail.Reason(cloudtrail.ReasonCount) {
		if known := slices.Contains(names, r.String()); known == (r == cloudtrail.ReasonNone) {
			t.Errorf("%s: %v", r, known)
		}
	}
	if want := cloudtrail.ReasonCount - 1 + 3; len(names) != want || !slices.Contains(names, deadletter.ReasonPanic) {
		t.Errorf("%d names, want %d: %q", len(names), want, names)
	}
}

// An extent is as long as what is left of it, and narrowed to what was written since a time.
func TestExtent(t *testing.T) {
	t.Parallel()
	if n := (extent{0: {3, 5}, 1: {7, 7}, 2: {9, 8}}).total(); n != 2 {
		t.Errorf("%d offsets, want 2", n)
	}
	s := newScene(t)
	s.Produce(letterRecord(inputTopic, 0, 0), letterRecord(inputTopic, 0, 1))
	topic := s.topic()
	for since, want := range map[time.Time]int64{{}: 2, time.Unix(1, 0): 2, time.Now().Add(time.Hour): 0} {
		if e, err := topic.committed(t.Context(), since); err != nil || e.total() != want {
			t.Errorf("since %v: %v, %v, want %d offsets", since, e, err, want)
		}
	}
	broken := errors.New("broken")
	topic.Client = func(...kgo.Opt) (*kgo.Client, error) { return nil, broken }
	all := everything()
	if tally, err := topic.Count(t.Context(), &all, 0); !errors.Is(err, broken) {
		t.Errorf("%+v, %v", tally, err)
	}
}
