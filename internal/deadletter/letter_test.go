package deadletter

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor"
)

// headersOf makes headers of NAME=VALUE.
func headersOf(pairs ...string) (headers []kgo.RecordHeader) {
	for _, p := range pairs {
		key, value, _ := strings.Cut(p, "=")
		headers = append(headers, kgo.RecordHeader{Key: key, Value: []byte(value)})
	}
	return headers
}

// ours are the headers that every letter has, and more.
func ours(more ...string) []string {
	return append([]string{"dead-letter-topic=in", "dead-letter-partition=3", "dead-letter-offset=42", "dead-letter-reason=syntax"}, more...)
}

func TestParseSuccess(t *testing.T) {
	f := func(want string, pairs ...string) {
		t.Helper()
		l, err := Parse(&kgo.Record{Topic: "dead", Partition: 1, Offset: 7, Headers: headersOf(pairs...)})
		if err != nil {
			t.Errorf("%q: %v", pairs, err)
			return
		}
		var own []string
		for _, h := range l.Headers {
			own = append(own, h.Key+"="+string(h.Value))
		}
		got := fmt.Sprintf("%s %s index %d alerted %d %q count %d replays %d holds %q part %d/%d own %q",
			l.Origin, l.Reason, l.Index, l.Alerted, l.AlertID, l.Count, l.Replays, l.Holds, l.Part, l.Parts, own)
		if got != want {
			t.Errorf("%q:\ngot  %s\nwant %s", pairs, got, want)
		}
	}
	f(`in:3:42 syntax index -1 alerted 0 "" count 1 replays 0 holds "" part 0/0 own []`, ours("dead-letter-headers=0")...)
	f(`in:3:42 syntax index 2 alerted 5 "id" count 9 replays 1 holds "piece" part 2/3 own ["a=b"]`,
		ours("dead-letter-index=2", "dead-letter-alerted=5", "dead-letter-alert-id=id", "dead-letter-count=9", "dead-letter-replays=1",
			"dead-letter-holds=piece", "dead-letter-headers=1", "a=b", "dead-letter-part=2", "dead-letter-parts=3")...)
	// What the record brought does not count, whatever it is called.
	f(`in:3:42 syntax index -1 alerted 0 "" count 1 replays 0 holds "" part 0/0 own ["dead-letter-holds=nothing" "dead-letter-part=1" "dead-letter-headers=0" "dead-letter-topic=x"]`,
		ours("dead-letter-headers=4", "dead-letter-holds=nothing", "dead-letter-part=1", "dead-letter-headers=0", "dead-letter-topic=x")...)
	f(`in:3:42 syntax index -1 alerted 0 "" count 1 replays 0 holds "" part 1/2 own ["dead-letter-part=7" "dead-letter-parts=9"]`,
		ours("dead-letter-headers=2", "dead-letter-part=7", "dead-letter-parts=9", "dead-letter-part=1", "dead-letter-parts=2")...)
}

func TestParseFailure(t *testing.T) {
	f := func(want string, pairs ...string) {
		t.Helper()
		_, err := Parse(&kgo.Record{Headers: headersOf(pairs...)})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", pairs, err, want)
		}
	}
	f("has not the headers of a dead letter")
	f("has not the headers of a dead letter", "a=b")
	f("has not the headers of a dead letter", ours()...)
	f("has not the headers of a dead letter", "a=b", "dead-letter-headers=0")
	f("header dead-letter-topic: is missing", "dead-letter-headers=0")
	f("header dead-letter-offset: is missing", "dead-letter-topic=in", "dead-letter-partition=3", "dead-letter-headers=0")
	f(`header dead-letter-headers: "1", where 0 headers follow`, ours("dead-letter-headers=1")...)
	f(`header dead-letter-headers: "0", where 3 headers follow`, ours("dead-letter-headers=0", "a=", "b=", "c=")...)
	f(`header dead-letter-headers: "-1"`, ours("dead-letter-headers=-1")...)
	f(`header dead-letter-index: "\x1b[2J" is no number from 0`, ours("dead-letter-index=\x1b[2J", "dead-letter-headers=0")...)
	f(`header dead-letter-replays: "9999999999" is no number`, ours("dead-letter-replays=9999999999", "dead-letter-headers=0")...)
	f("part 3 of 2", ours("dead-letter-headers=0", "dead-letter-part=3", "dead-letter-parts=2")...)
	f("part 1 of 0", ours("dead-letter-headers=0", "dead-letter-part=1")...)
	f("is no number from 1", ours("dead-letter-headers=0", "dead-letter-part=1", "dead-letter-parts=99999999")...)
	many := make([]string, 1000)
	for i := range many {
		many[i] = "dead-letter-x=y"
	}
	f("has not the headers", append(many, "dead-letter-headers=0")...)
}

// What the processor writes is what is read, also where the record has headers that look like ours.
func TestParseOfProcessor(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	own := headersOf("dead-letter-holds=nothing", "dead-letter-alert-id=forged", "dead-letter-replayed=1")
	at := time.UnixMilli(1_700_000_000_123)
	s.Produce(&kgo.Record{Topic: inputTopic, Partition: 1, Key: []byte("key"), Value: []byte("{bad"), Headers: own, Timestamp: at})
	s.run(0)
	letters := s.letters()
	if len(letters) != 1 {
		t.Fatalf("%d letters", len(letters))
	}
	l := letters[0]
	if l.Origin != (Place{inputTopic, 1, 0}) || !l.Timestamp.Equal(at) || l.Holds != "" || l.AlertID != "" || string(l.Key) != "key" ||
		string(l.Value) != "{bad" || len(l.Headers) != 3 || l.Reason != "syntax" || l.Error == "" {
		t.Errorf("%+v", l)
	}
}

func TestSelection(t *testing.T) {
	at := time.Unix(1000, 0)
	l := &Letter{Place: Place{"dead", 1, 7}, Origin: Place{"in", 3, 42}, Reason: "syntax", Time: at}
	f := func(want bool, change func(*Selection)) {
		t.Helper()
		s := Everything()
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

// A marker names what it notes and nothing else, and one that cannot be read is counted.
func TestLedger(t *testing.T) {
	a := &Letter{Origin: Place{"in", 3, 42}}
	b := &Letter{Origin: Place{"in", 3, 105}}
	again := &Letter{Origin: Place{"in", 3, 42}, Replays: 1}
	r := newMarker("dead", 2, "input", time.Unix(5, 0), []*Letter{a, b})
	if !IsMarker(r) || r.Partition != 2 {
		t.Errorf("%+v", r)
	}
	if _, err := Parse(r); err == nil {
		t.Error("a marker is taken for a letter")
	}
	m, err := ParseMarker(r)
	if err != nil || !m.Names(a) || !m.Names(b) || m.Names(again) || m.Names(&Letter{Origin: Place{"in", 2, 42}}) {
		t.Errorf("%v, %+v", err, m)
	}
	g := newLedger()
	for _, r := range []*kgo.Record{r, {Headers: headersOf("dead-letter-replayed=1"), Value: []byte("{")}, letterRecord("in", 3, 43)} {
		if err := g.read(r); err != nil {
			t.Fatal(err)
		}
	}
	for offset := range int64(200) {
		if want := offset == 42 || offset == 105; g.has(a.scope(), offset) != want {
			t.Errorf("offset %d: noted: %v", offset, !want)
		}
	}
	if g.has(again.scope(), 42) || g.bad != 1 || g.without(newLedger()) != 2 || g.without(g) != 0 {
		t.Errorf("%+v", g)
	}
	if processor.LetterTopic == MarkerHeader {
		t.Error("a marker has a letter's first header")
	}
}

// The memory of a tally is bounded, however many names the topic holds.
func TestTallyIsBounded(t *testing.T) {
	c := newCounter()
	for i := range 2 * maxNames {
		c.add(fmt.Sprint(i, strings.Repeat("x", 2*maxNameBytes)))
	}
	if len(c.counts) != maxNames || c.Others != maxNames {
		t.Errorf("%d names and %d others", len(c.counts), c.Others)
	}
	for name := range c.counts {
		if len(name) > maxNameBytes {
			t.Fatalf("a name of %d bytes", len(name))
		}
	}
	if c.Most()[0].Count != 1 {
		t.Error("counted wrong")
	}
}
