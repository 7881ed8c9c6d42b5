package deadletters

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/deadletter"
)

// What the processor writes is what is read, also where the record has headers that look like ours.
func TestParseOfProcessor(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	own := []kgo.RecordHeader{
		{Key: "dead-letter-holds", Value: []byte("nothing")}, {Key: "dead-letter-alert-id", Value: []byte("forged")},
		{Key: deadletter.MarkerHeader, Value: []byte("1")},
	}
	at := time.UnixMilli(1_700_000_000_123)
	s.Produce(&kgo.Record{Topic: inputTopic, Partition: 1, Key: []byte("key"), Value: []byte("{bad"), Headers: own, Timestamp: at})
	s.run(0)
	letters := s.letters()
	if len(letters) != 1 {
		t.Fatalf("%d letters", len(letters))
	}
	l := letters[0]
	if l.Origin != (deadletter.Place{Topic: inputTopic, Partition: 1}) || !l.Timestamp.Equal(at) || l.Holds != "" || l.AlertID != "" || string(l.Key) != "key" ||
		string(l.Value) != "{bad" || len(l.Headers) != 3 || l.Reason != "syntax" || l.Error == "" {
		t.Errorf("%+v", l)
	}
}

func TestSelection(t *testing.T) {
	at := time.Unix(1000, 0)
	l := &deadletter.Letter{Place: deadletter.Place{Topic: "dead", Partition: 1, Offset: 7}, Origin: deadletter.Place{Topic: "in", Partition: 3, Offset: 42}, Reason: "syntax", Time: at}
	f := func(want bool, change func(*Selection)) {
		t.Helper()
		s := everything()
		change(&s)
		if got := s.Wants(l); got != want {
			t.Errorf("%+v: %v, want %v", s, got, want)
		}
	}
	f(true, func(*Selection) {})
	f(true, func(s *Selection) { s.Reasons = []string{"truncated", "syntax"} })
	f(false, func(s *Selection) { s.Reasons = []string{"truncated"} })
	f(true, func(s *Selection) { s.Since = at })
	f(false, func(s *Selection) { s.Since = at.Add(1) })
	f(false, func(s *Selection) { s.Until = at })
	f(true, func(s *Selection) { s.Until = at.Add(1) })
	f(true, func(s *Selection) { s.OriginTopics = []string{"other", "in"} })
	f(false, func(s *Selection) { s.OriginTopics = []string{"other"} })
	f(true, func(s *Selection) { s.OriginPartition = Range{3, 3} })
	f(false, func(s *Selection) { s.OriginPartition = Range{4, 9} })
	f(false, func(s *Selection) { s.OriginOffset = Range{0, 41} })
	f(false, func(s *Selection) { s.Partition = Range{0, 0} })
	f(false, func(s *Selection) { s.Offset = Range{8, 9} })
}

// A range of numbers may begin with the last one, and not after it.
func TestParseRange(t *testing.T) {
	all := All()
	for text, want := range map[string]Range{"": all, "3": {3, 3}, "0-9": {0, 9}, "9": {9, 9}, "9-": {9, all.To}, "-2": {0, 2}, "5-5": {5, 5}, "3-99": {3, 99}} {
		if got, err := ParseRange(text, 9); err != nil || got != want {
			t.Errorf("%q: %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"10", "10-", "5-4", "-", "a", "a-5", "0-b", "1-b", "1-2-3"} {
		if got, err := ParseRange(text, 9); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
	if got, err := ParseRange("12-34", 99); err != nil || got != (Range{12, 34}) {
		t.Errorf("%v, %v", got, err)
	}
}

// Whatever could not be replayed, and however much of it, is an error.
func TestWholeCountsAll(t *testing.T) {
	for i, a := range []Summary{
		{Partial: 1}, {TooLarge: 1}, {Failed: 1}, {Incomplete: 1}, {Partial: 1, TooLarge: 1}, {Partial: 1, Failed: 1}, {Partial: 1, Incomplete: 1},
		{TooLarge: 1, Failed: 1}, {TooLarge: 1, Incomplete: 1}, {Failed: 1, Incomplete: 1},
	} {
		if a.Whole() == nil {
			t.Errorf("%d: no error", i)
		}
	}
}

// Where all can be read, the place is that of the time of writing, if it is within the value.
func TestRereadPlace(t *testing.T) {
	value := []byte(event("a"))
	for at, known := range map[int]bool{-1: false, 0: true, len(value): true, len(value) + 1: false} {
		r := Reread(&deadletter.Letter{Value: value, Byte: at}, 0)
		if (r.Stop != nil) != known || known && (r.Stop.At != at || r.Stop.Now) || r.Faults > 0 {
			t.Errorf("at %d: %+v", at, r)
		}
	}
}

// The ledger holds what markers note and nothing else, and counts markers that cannot be read.
func TestLedger(t *testing.T) {
	a := &deadletter.Letter{Origin: deadletter.Place{Topic: "in", Partition: 3, Offset: 42}}
	b := &deadletter.Letter{Origin: deadletter.Place{Topic: "in", Partition: 3, Offset: 105}}
	again := &deadletter.Letter{Origin: a.Origin, Replays: 1}
	r := deadletter.NewMarker("dead", 2, "input", time.Unix(5, 0), []*deadletter.Letter{a, b})
	bad := &kgo.Record{Headers: []kgo.RecordHeader{{Key: deadletter.MarkerHeader, Value: []byte("1")}}, Value: []byte("{")}
	g := newLedger()
	for _, r := range []*kgo.Record{r, bad, letterRecord("in", 3, 43)} {
		if err := g.read(r); err != nil {
			t.Fatal(err)
		}
	}
	for offset := range int64(200) {
		if want := offset == 42 || offset == 105; g.has(a.Scope(), offset) != want {
			t.Errorf("offset %d: noted: %v", offset, !want)
		}
	}
	if g.has(again.Scope(), 42) || g.bad != 1 || g.without(newLedger()) != 2 || g.without(g) != 0 {
		t.Errorf("%+v", g)
	}
}

// What is shown are whole rows: two before the byte, its own and the next.
func TestAround(t *testing.T) {
	piece := bytes.Repeat([]byte("x"), 100)
	for at, want := range map[int]string{-1: "0 0-32", 0: "0 0-32", 47: "47 0-64", 48: "48 16-80", 63: "63 16-80", 100: "100 64-100", 101: "100 64-100"} {
		s := around(piece, at)
		if got := fmt.Sprintf("%d %d-%d", s.At, s.From, s.From+len(s.Around)); got != want || s.Length != 100 {
			t.Errorf("%d: %s, want %s", at, got, want)
		}
	}
}

// What was skipped is listed up to a bound.
func TestRereadSkips(t *testing.T) {
	for _, n := range []int{maxSkips - 1, maxSkips, maxSkips + 1} {
		r := Reread(&deadletter.Letter{Value: []byte(strings.Repeat(`{"Records":[]}`+"\n", n))}, 0)
		if len(r.Skipped) != min(n, maxSkips) {
			t.Errorf("%d of %d are listed", len(r.Skipped), n)
		}
	}
}

func TestReread(t *testing.T) {
	f := func(want, value string, at, index int) {
		t.Helper()
		r := Reread(&deadletter.Letter{Value: []byte(value), Byte: at, Index: index}, 0)
		got := fmt.Sprintf("%d events, %d faults", r.Events, r.Faults)
		if s := r.Stop; s != nil {
			got += fmt.Sprintf(", %v %s %d/%d %q", s.Now, s.Reason, s.At, s.Length, s.Around[s.At-s.From:])
		}
		if got != want {
			t.Errorf("%q:\ngot  %s\nwant %s", value, got, want)
		}
	}
	f(`1 events, 0 faults`, event("a"), -1, 0)
	f(`1 events, 0 faults, false  24/117 "eventID\":\"a\",\"awsRegion\""`, event("a"), 24, 0)
	f(`1 events, 0 faults`, event("a"), 999999, 0)
	f(`0 events, 1 faults, true truncated 5/5 ""`, `{"bad`, -1, -1)
	f(`2 events, 2 faults, true syntax 1/7 "worse\n"`, event("a")+"\n{bad\n"+event("b")+"\n{worse\n", -1, 3)
	// Of several faults the one that the letter is about is shown; where none is, the first.
	f(`2 events, 2 faults, true syntax 1/5 "bad\n"`, event("a")+"\n{bad\n"+event("b")+"\n{worse\n", -1, 1)
	f(`2 events, 2 faults, true syntax 1/5 "bad\n"`, event("a")+"\n{bad\n"+event("b")+"\n{worse\n", -1, 9)
	f(`2 events, 2 faults, true syntax 1/5 "bad\n"`, event("a")+"\n{bad\n"+event("b")+"\n{worse\n", 3, 9) // now counts, not then
	f(`2 events, 2 faults, true trailing-bytes 0/6 "first "`, event("a")+" first "+event("b")+" second ", -1, -1)
}
