package deadletter

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// at is a time with milliseconds.
var at = time.UnixMilli(1_700_000_000_123).UTC()

// What is encoded is what is parsed, every field of it, and the fields that a letter leaves out.
func TestEncodeAndParse(t *testing.T) {
	f := func(r *kgo.Record, fault Fault, want Letter) {
		t.Helper()
		e := Encoder{Topic: "dead"}
		e.Begin(r)
		records := e.Encode(&fault).Records(1 << 20)
		if len(records) != 1 {
			t.Fatalf("%d records", len(records))
		}
		got, err := Parse(records[0])
		if err != nil {
			t.Fatal(err)
		}
		want.Place, want.Offsets, want.LastOffset = Place{Topic: "dead"}, []int64{0}, -1
		if !reflect.DeepEqual(*got, want) {
			t.Errorf("\ngot  %+v\nwant %+v", *got, want)
		}
		if _, said := headerOf(records[0], HeaderReplays); said != (want.Replays > 0) {
			t.Errorf("%d replays, and a header about them: %t", want.Replays, said)
		}
		if !got.First() {
			t.Error("it is not the first of its parts")
		}
	}
	own := headersOf("a=b", "dead-letter-part=7", "replay-count=3")
	f(&kgo.Record{Topic: "in", Partition: 12, Offset: 1 << 40, Timestamp: at, Key: []byte("k"), Value: []byte("value"), Headers: own},
		Fault{Reason: "syntax", Err: errors.New("byte 3"), Index: 13, Shape: "gzip > records", Alerted: 14, AlertID: "id", Count: 15, Piece: []byte("lu"), Offset: 1},
		Letter{
			Origin: Place{"in", 12, 1 << 40}, Timestamp: at, Reason: "syntax", Error: "byte 3", Index: 13, Shape: "gzip > records", Alerted: 14,
			AlertID: "id", Count: 15, Byte: 3, Replays: 3, Key: []byte("k"), Value: []byte("value"), Headers: own,
		})
	f(&kgo.Record{Topic: "in", Headers: []kgo.RecordHeader{}},
		Fault{Reason: "syntax", Offset: -1},
		Letter{Origin: Place{Topic: "in"}, Reason: "syntax", Count: 1, Byte: -1, Headers: []kgo.RecordHeader{}})
	f(&kgo.Record{Topic: "in", Headers: []kgo.RecordHeader{}},
		Fault{Reason: "syntax", Index: -1, Count: 2},
		Letter{Origin: Place{Topic: "in"}, Reason: "syntax", Index: -1, Count: 2, Headers: []kgo.RecordHeader{}})
	f(&kgo.Record{Topic: "in", Headers: headersOf("replay-count=1")},
		Fault{Reason: "syntax", Offset: -1},
		Letter{Origin: Place{Topic: "in"}, Reason: "syntax", Count: 1, Byte: -1, Replays: 1, Headers: headersOf("replay-count=1")})
}

// A letter about a batch says from where to where it reaches, and has no record's key and headers.
func TestEncodeBatch(t *testing.T) {
	for holds, value := range map[string][]byte{HoldsBatch: []byte("batch"), HoldsSource: nil} {
		records := EncodeBatch("dead", Place{"in", 12, 1234}, 5678, &Fault{Reason: ReasonBatchTooLarge, Index: -1, Offset: -1}, value, holds).Records(1 << 20)
		l, err := Parse(records[0])
		if err != nil || len(records) != 1 || l.Origin != (Place{"in", 12, 1234}) || l.LastOffset != 5678 || l.Holds != holds ||
			l.Reason != ReasonBatchTooLarge || !bytes.Equal(l.Value, value) || len(l.Headers) != 0 || !l.Timestamp.IsZero() {
			t.Errorf("%d records, %v: %+v", len(records), err, l)
		}
	}
}

// The first letter of a record has all of it, however large; the next ones have all of it while they stay small together,
// then their pieces, then nothing.
//
// Guard: choose.
func TestChoose(t *testing.T) {
	f := func(size, piece int, want ...string) {
		t.Helper()
		value := bytes.Repeat([]byte("x"), size)
		e := Encoder{Topic: "dead"}
		for range 2 { // Begin starts over
			e.Begin(&kgo.Record{Topic: "in", Value: value})
			for i, holds := range want {
				d := e.Encode(&Fault{Reason: "syntax", Piece: value[:piece]})
				got, _ := headerOf(d.whole, HeaderHolds)
				if got != holds || len(d.whole.Value) != map[string]int{"": size, HoldsPiece: piece}[holds] {
					t.Errorf("%d bytes, letter %d holds %q of %d bytes, want %q", size, i, got, len(d.whole.Value), holds)
				}
			}
		}
	}
	f(maxValues+1, maxValues-1, "", HoldsPiece, HoldsNothing)
	f(maxValues/2, maxValues/2, "", "", HoldsPiece, HoldsPiece, HoldsNothing)
	f(maxValues/2+1, maxValues/2, "", HoldsPiece, HoldsPiece, HoldsNothing)
}

// The first part of the value is the one that counts a letter: not a later part, nor key and headers before it.
func TestFirst(t *testing.T) {
	for _, c := range []struct {
		part  int
		holds string
		want  bool
	}{{0, "", true}, {1, "", true}, {1, HoldsPiece, true}, {2, "", false}, {1, HoldsFrame, false}, {2, HoldsFrame, false}} {
		if got := (&Letter{Part: c.part, Holds: c.holds}).First(); got != c.want {
			t.Errorf("%+v: %t", c, got)
		}
	}
}

// A replayed record is as it came, with the replay headers behind. The place where it was first read stays; what others
// have written about replays does not.
func TestReplayed(t *testing.T) {
	f := func(l Letter, want ...string) {
		t.Helper()
		l.Origin, l.Timestamp, l.Key, l.Value = Place{"in", 12, 1234}, at, []byte("k"), []byte("v")
		r := l.Replayed()
		var got []string
		for _, h := range r.Headers {
			got = append(got, h.Key+"="+string(h.Value))
		}
		if fmt.Sprint(got) != fmt.Sprint(want) || r.Topic != "in" || r.Partition != 12 || r.Offset != 1234 || !r.Timestamp.Equal(at) ||
			string(r.Key) != "k" || string(r.Value) != "v" {
			t.Errorf("%s %d %d\ngot  %q\nwant %q", r.Topic, r.Partition, r.Offset, got, want)
		}
	}
	here := []string{"replay-topic=in", "replay-partition=12", "replay-offset=1234", "replay-timestamp=2023-11-14T22:13:20.123Z"}
	first := []string{"replay-topic=first", "replay-partition=1", "replay-offset=2", "replay-timestamp=t"}
	f(Letter{}, append(here[:4:4], "replay-count=1")...)
	f(Letter{Headers: headersOf("a=b", "a=c")}, append(append([]string{"a=b", "a=c"}, here...), "replay-count=1")...)
	f(Letter{Replays: 2, Headers: headersOf(append(first[:4:4], "a=b", "replay-count=2")...)}, append(append([]string{"a=b"}, first...), "replay-count=3")...)
	f(Letter{Replays: 2, Headers: headersOf("replay-count=2")}, append(here[:4:4], "replay-count=3")...) // it does not say where
	f(Letter{Headers: headersOf(first...)}, append(here[:4:4], "replay-count=1")...)                     // it was never replayed
	f(Letter{Replays: 1, Headers: headersOf(first[0], "replay-count=1")}, first[0], "replay-count=2")    // part of it
	if _, ok := (&Letter{}).FirstOrigin(); ok {
		t.Error("a first origin of a letter that has none")
	}
	if place, ok := (&Letter{Headers: headersOf(first...)}).FirstOrigin(); !ok || place != "first:1:2" {
		t.Errorf("%q, %t", place, ok)
	}
}

// Neighbours go to neighbours, whatever the number of digits. What lacks the headers of a letter is none.
func TestPartitionerNumbers(t *testing.T) {
	p := Partitioner("dead").ForTopic("dead")
	to := func(partition string) int {
		return p.Partition(&kgo.Record{Headers: headersOf(HeaderTopic+"=in", HeaderPartition+"="+partition)}, 64)
	}
	for i := range 130 {
		if got, want := to(fmt.Sprint(i+1)), (to(fmt.Sprint(i))+1)%64; got != want {
			t.Errorf("partition %d goes to %d, want %d", i+1, got, want)
		}
	}
	for _, headers := range [][]string{{HeaderTopic + "=in"}, {"a=b", HeaderPartition + "=1"}, {HeaderTopic + "=in", "a=b"}} {
		if got := p.Partition(&kgo.Record{Partition: 4095, Headers: headersOf(headers...)}, 4096); got != 4095 {
			t.Errorf("%q goes to %d", headers, got)
		}
	}
	if Partitioner("dead").ForTopic("other") == p {
		t.Error("other topics are partitioned like dead letters")
	}
	if !p.RequiresConsistency(nil) {
		t.Error("a letter does not wait for its partition")
	}
}

// A marker is recognized by its first header.
func TestIsMarker(t *testing.T) {
	for want, lists := range map[bool][][]string{
		true:  {{MarkerHeader + "=1"}, {MarkerHeader + "=1", "a=b"}},
		false: {nil, {"a=b"}, {"a=b", MarkerHeader + "=1"}},
	} {
		for _, headers := range lists {
			if got := IsMarker(&kgo.Record{Headers: headersOf(headers...)}); got != want {
				t.Errorf("%q: %t", headers, got)
			}
		}
	}
	if _, err := ParseMarker(&kgo.Record{Partition: 3, Offset: 42, Value: []byte("{")}); err == nil || !strings.HasPrefix(err.Error(), "reading marker 3:42: ") {
		t.Errorf("%v", err)
	}
}

// A marker keeps the records of each input partition apart.
func TestMarkerOfSeveralPartitions(t *testing.T) {
	letters := []*Letter{{Origin: Place{"in", 1, 7}}, {Origin: Place{"in", 2, 8}}, {Origin: Place{"in", 2, 7}, Replays: 1}, {Origin: Place{"in", 2, 9}}}
	m, err := ParseMarker(NewMarker("dead", 0, "input", at, letters))
	if err != nil || len(m.Records) != 3 || !m.At.Equal(at) {
		t.Fatalf("%+v, %v", m, err)
	}
	for _, l := range letters {
		if !m.Marks(l) {
			t.Errorf("%s is not marked", l.Origin)
		}
	}
	for _, l := range []*Letter{{Origin: Place{"in", 1, 8}}, {Origin: Place{"in", 2, 7}}, {Origin: Place{"in", 2, 8}, Replays: 1}, {Origin: Place{"other", 1, 7}}} {
		if m.Marks(l) {
			t.Errorf("%s with %d replays is marked", l.Origin, l.Replays)
		}
	}
}

// What fits into a batch by Room has its size by Size.
func TestSizeAndRoom(t *testing.T) {
	for _, n := range []int{0, 1, 1000} {
		r := &kgo.Record{Key: make([]byte, n), Value: make([]byte, 3*n), Headers: headersOf(strings.Repeat("a", n) + "=" + strings.Repeat("b", n))}
		if got := Room(r, Size(r)); got != 3*n {
			t.Errorf("room for %d bytes in a batch of the size of %d", got, 3*n)
		}
		if least := 6*n + 1; Size(r) <= least {
			t.Errorf("%d bytes hold %d", Size(r), least)
		}
	}
}
