package deadletters

import (
	"errors"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/deadletter"
)

// inParts has a processor write a letter in parts, and returns the value and the parts.
func (s *scene) inParts() (value string, parts []*kgo.Record) {
	s.t.Helper()
	s.limit(letterTopic, "30000")
	value = `{"bad ` + noise(100_000)
	s.Produce(&kgo.Record{Topic: inputTopic, Value: []byte(value)})
	s.run(0)
	if parts = s.ReadAll(letterTopic); len(parts) < 3 {
		s.t.Fatalf("%d parts", len(parts))
	}
	return value, parts
}

// A letter in parts is found by the offset of any of them, whatever stands before, with what else there is of its record.
//
// Guard: Letter reads the partition from its start where the offset is that of a part.
func TestFindByAnyPart(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	before := letterRecord(inputTopic, 1, 7)
	s.Produce(before)
	value, _ := s.inParts()
	topic := s.topic()
	var parts []*kgo.Record
	for _, r := range s.ReadAll(letterTopic) {
		if l, err := deadletter.Parse(r); err == nil && l.Parts > 0 {
			parts = append(parts, r)
		}
	}
	f := func(at int) {
		t.Helper()
		r := parts[at]
		found, err := topic.Letter(t.Context(), r.Partition, r.Offset)
		if err != nil {
			t.Errorf("part %d: %v", at+1, err)
			return
		}
		if l := found.Letter; string(l.Value) != value || len(l.Offsets) != len(parts) || l.Place.Offset != parts[0].Offset || len(found.Others) != 0 || found.Marker != nil {
			t.Errorf("part %d: %d bytes at %s in %d parts, %d others", at+1, len(l.Value), l.Place, len(l.Offsets), len(found.Others))
		}
	}
	f(0)
	f(1)
	f(len(parts) - 1)
	found, err := topic.OfRecord(t.Context(), deadletter.Place{Topic: inputTopic})
	if err != nil || string(found.Letter.Value) != value {
		t.Errorf("by its record: %v", err)
	}
	whole := letterRecord(inputTopic, 0, 0) // the same record once more
	whole.Partition = parts[0].Partition
	s.Produce(whole)
	s.mustReplay(2, toInput)
	found, err = topic.Letter(t.Context(), parts[1].Partition, parts[1].Offset)
	if err != nil || found.Marker == nil || found.Marker.To != "input" || len(found.Others) != 1 {
		t.Errorf("%v, %+v", err, found)
	}
}

// What stands at an offset may be no letter: then the error says what it is.
func TestFindNothing(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	_, parts := s.inParts()
	other := (parts[0].Partition + 1) % 2
	copied := func(r *kgo.Record) *kgo.Record {
		return &kgo.Record{Topic: letterTopic, Partition: other, Value: r.Value, Headers: r.Headers}
	}
	s.Produce(copied(parts[0]))
	s.Produce(copied(parts[2]))
	s.Produce(&kgo.Record{Topic: letterTopic, Partition: other, Value: []byte("x")})
	s.mustReplay(1, toInput)
	topic, marker := s.topic(), int64(len(parts))
	f := func(partition int32, offset int64, want string) {
		t.Helper()
		if found, err := topic.Letter(t.Context(), partition, offset); !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), want) {
			t.Errorf("%d:%d: %+v, %v, want %q", partition, offset, found, err, want)
		}
	}
	f(other, 0, "parts of it are missing")
	f(other, 1, "parts of it are missing")
	f(other, 2, "it does not have the headers of a dead letter")
	f(other, 3, "the partition holds the offsets 0 to 2")
	f(other, -1, "the partition holds the offsets 0 to 2")
	f(2, 0, "the topic has the partitions 0 to 1")
	f(parts[0].Partition, marker, "the record notes replays")
	if _, err := topic.OfRecord(t.Context(), deadletter.Place{Topic: inputTopic, Offset: 1}); !errors.Is(err, ErrNotFound) {
		t.Errorf("%v", err)
	}
}

// A letter of which parts are missing is counted, unless another letter has its record whole.
//
// Guard: incomplete, and without in Run.
func TestReplayIncomplete(t *testing.T) {
	t.Parallel()
	full := newScene(t)
	value, parts := full.inParts()
	s := newScene(t)
	put := func(records ...*kgo.Record) {
		for _, r := range records {
			s.Produce(&kgo.Record{Topic: letterTopic, Value: r.Value, Headers: r.Headers})
		}
	}
	put(parts[0])
	if a := s.mustReplay(0, toInput); a.Incomplete != 1 {
		t.Errorf("the end is missing: %+v", a)
	}
	put(parts[2])
	if a := s.mustReplay(0, toInput); a.Incomplete != 1 || a.Whole() == nil {
		t.Errorf("%+v, %v", a, a.Whole())
	}
	if a := s.mustReplay(0, toInput, func(r *Replay) { r.Selection.OriginOffset = Range{1, 9} }); a.Incomplete != 0 || a.Whole() != nil {
		t.Errorf("of another record: %+v", a)
	}
	put(parts...)
	if a := s.mustReplay(1, toInput); a.Incomplete != 0 || a.Whole() != nil {
		t.Errorf("written again: %+v", a)
	}
	if got := s.ReadAll(inputTopic); len(got) != 1 || string(got[0].Value) != value {
		t.Errorf("%d records", len(got))
	}
}

// Names are literal, patterns are not: the origin of a letter must not choose where a replay goes.
//
// Guard: newInputs tells names from patterns.
func TestInputs(t *testing.T) {
	f := func(isPattern bool, input, topic string, want bool) {
		t.Helper()
		o := newScene(t).o
		o.InputTopics, o.InputPattern = []string{"other", input}, isPattern
		in, err := newInputs(&o)
		if err != nil {
			t.Fatal(err)
		}
		if got := in.has(topic); got != want {
			t.Errorf("%s of %s, pattern %t: %t", topic, input, isPattern, got)
		}
	}
	f(false, "a.b", "a.b", true)
	f(false, "a.b", "axb", false)
	f(false, "a.b", "a.bc", false)
	f(true, "^a.b$", "axb", true)
	f(true, `^a\.b$`, "axb", false)
	f(true, `^a\.b$`, "a.b", true)
	f(true, "^a.b$", "axbc", false)
}

// A replay under a pattern goes to the topics that match it, and takes literal text literally.
func TestReplayOfPattern(t *testing.T) {
	t.Parallel()
	s := newScene(t, seedTopic("trail.eu"), seedTopic("trailxeu"))
	s.Produce(letterRecord("trail.eu", 0, 1), letterRecord("trailxeu", 0, 1), letterRecord("trail.us", 0, 1))
	s.o.InputTopics, s.o.InputPattern = []string{`^trail\..*`}, true
	a := s.mustReplay(1, toInput)
	if a.Written["trail.eu"] != 1 || a.Foreign != 1 || a.Failed != 1 || !errors.Is(a.Whole(), ErrNoInput) {
		t.Errorf("%+v, %v", a, a.Whole())
	}
	if n := s.EndOfAll("trailxeu"); n != 0 {
		t.Errorf("%d records in a topic that the pattern does not match", n)
	}
}

// Of the other letters about a record, up to a bound are listed.
func TestOthersBound(t *testing.T) {
	t.Parallel()
	for _, n := range []int{maxOthers, maxOthers + 1} {
		s := newScene(t)
		for range n + 1 {
			s.Produce(letterRecord(inputTopic, 0, 0))
		}
		topic := s.topic()
		found, err := topic.OfRecord(t.Context(), deadletter.Place{Topic: inputTopic})
		if err != nil || len(found.Others) != maxOthers {
			t.Errorf("%d others: %d are listed, %v", n, len(found.Others), err)
		}
	}
}
