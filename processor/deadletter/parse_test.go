package deadletter

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// headersOf makes headers of NAME=VALUE.
func headersOf(pairs ...string) (headers []kgo.RecordHeader) {
	for _, p := range pairs {
		key, value, _ := strings.Cut(p, "=")
		headers = append(headers, kgo.RecordHeader{Key: key, Value: []byte(value)})
	}
	return headers
}

// ours returns the headers that every letter has, and more.
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
	// Each number may be its largest.
	f(fmt.Sprintf(`in:3:42 syntax index %d alerted 0 "" count 1 replays %d holds "" part 2/%d own []`, math.MaxInt32, MaxReplays, maxParts),
		ours(fmt.Sprintf("dead-letter-index=%d", math.MaxInt32), fmt.Sprintf("dead-letter-replays=%d", MaxReplays), "dead-letter-headers=0",
			"dead-letter-part=2", fmt.Sprintf("dead-letter-parts=%d", maxParts))...)
	// Each number may be its smallest.
	f(`in:0:0 syntax index 0 alerted 0 "" count 1 replays 0 holds "" part 1/1 own []`,
		"dead-letter-topic=in", "dead-letter-partition=0", "dead-letter-offset=0", "dead-letter-reason=syntax", "dead-letter-last-offset=0",
		"dead-letter-index=0", "dead-letter-alerted=0", "dead-letter-count=0", "dead-letter-byte=0", "dead-letter-replays=0",
		"dead-letter-headers=0", "dead-letter-part=1", "dead-letter-parts=1")
	// The record's own headers do not count, whatever their names.
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
	f("does not have the headers of a dead letter")
	f("does not have the headers of a dead letter", "a=b")
	f("does not have the headers of a dead letter", ours()...)
	f("does not have the headers of a dead letter", "a=b", "dead-letter-headers=0")
	f("header dead-letter-topic is missing", "dead-letter-headers=0")
	f("header dead-letter-offset is missing", "dead-letter-topic=in", "dead-letter-partition=3", "dead-letter-headers=0")
	f(`header dead-letter-headers: "1", but 0 headers follow`, ours("dead-letter-headers=1")...)
	f(`header dead-letter-headers: "0", but 3 headers follow`, ours("dead-letter-headers=0", "a=", "b=", "c=")...)
	f(`header dead-letter-headers: "-1"`, ours("dead-letter-headers=-1")...)
	f(`header dead-letter-index: "\x1b[2J" is not a number from 0`, ours("dead-letter-index=\x1b[2J", "dead-letter-headers=0")...)
	f(`header dead-letter-replays: "9999999999" is not a number`, ours("dead-letter-replays=9999999999", "dead-letter-headers=0")...)
	f("part 3 of 2", ours("dead-letter-headers=0", "dead-letter-part=3", "dead-letter-parts=2")...)
	f("part 1 of 0", ours("dead-letter-headers=0", "dead-letter-part=1")...)
	f("is not a number from 1", ours("dead-letter-headers=0", "dead-letter-part=1", "dead-letter-parts=99999999")...)
	many := make([]string, 1000)
	for i := range many {
		many[i] = "dead-letter-x=y"
	}
	f("does not have the headers", append(many, "dead-letter-headers=0")...)
}

// A marker marks its letters and nothing else, and no letter's headers make one.
func TestMarker(t *testing.T) {
	a := &Letter{Origin: Place{"in", 3, 42}}
	b := &Letter{Origin: Place{"in", 3, 105}}
	again := &Letter{Origin: Place{"in", 3, 42}, Replays: 1}
	r := NewMarker("dead", 2, "input", time.Unix(5, 0), []*Letter{a, b})
	if !IsMarker(r) || r.Partition != 2 {
		t.Errorf("%+v", r)
	}
	if _, err := Parse(r); err == nil {
		t.Error("a marker is taken for a letter")
	}
	m, err := ParseMarker(r)
	if err != nil || !m.Marks(a) || !m.Marks(b) || m.Marks(again) || m.Marks(&Letter{Origin: Place{"in", 2, 42}}) {
		t.Errorf("%v, %+v", err, m)
	}
	if HeaderTopic == MarkerHeader {
		t.Error("a marker has a letter's first header")
	}
}
