package deadletter

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

func headerOf(r *kgo.Record, key string) (string, bool) { return find(r.Headers, key) }

// A letter names the byte at which reading stopped, as long as the value has that byte.
func TestEncodeByte(t *testing.T) {
	f := func(want int, value, piece string, offset int) {
		t.Helper()
		e := Encoder{Topic: "dead"}
		e.Begin(&kgo.Record{Topic: "in", Value: []byte(value)})
		for _, r := range e.Encode(&Fault{Reason: "syntax", Index: -1, Piece: []byte(piece), Offset: offset}).Records(1 << 20) {
			l, err := Parse(r)
			if err != nil || l.Byte != want {
				t.Errorf("%q in %q: byte %d, %v, want %d", piece, value, l.Byte, err, want)
			}
		}
	}
	f(2, "{bad", "{bad", 2)
	f(8, "{good}\n{bad", "{bad", 1)
	f(4, "{bad", "{bad", 4)
	f(-1, "{bad", "{bad", 5)
	f(-1, "{bad", "{bad", -1)
	f(-1, "H4sIAAAA", "{bad", 2)
	f(-1, strings.Repeat("x", maxSearched)+"{bad", "{bad", 2)
}

// One record with the most faults that there can be becomes dead letters of a bounded size, and the first
// of them has the whole record.
//
// Guard: Encoder.choose.
func TestDeadLettersAreBounded(t *testing.T) {
	t.Parallel()
	source := &kgo.Record{Topic: "in", Value: bytes.Repeat([]byte("x"), 6<<20)}
	letters := Encoder{Topic: "dead"}
	letters.Begin(source)
	const faults = 64 // detection.MaxDeadLetters
	sum, holds := 0, map[string]int{}
	for i := range faults {
		d := &Fault{Index: i, Piece: source.Value[:1<<20], Count: 1}
		l := letters.Encode(d)
		sum += len(l.whole.Value)
		what, _ := headerOf(l.whole, HeaderHolds)
		if i == 0 && (what != "" || len(l.whole.Value) != len(source.Value)) {
			t.Errorf("the first holds %q of %d bytes", what, len(l.whole.Value))
		}
		holds[what]++
	}
	if most := len(source.Value) + 2*maxValues; sum > most {
		t.Errorf("%d bytes of dead letters of a record of %d, want at most %d", sum, len(source.Value), most)
	}
	if holds[HoldsPiece] == 0 || holds[HoldsNothing] == 0 {
		t.Errorf("holds %v, want pieces and then nothing", holds)
	}
}

// A letter that just fits is one record; a larger one is cut, each part with key and headers as long as these take at
// most half of it.
//
// Guard: Draft.Records.
func TestRecordsFit(t *testing.T) {
	const batchBytes = 16 << 10
	f := func(key, beyond int, framed bool) {
		t.Helper()
		e := Encoder{Topic: "dead"}
		source := &kgo.Record{Topic: "in", Key: make([]byte, key)}
		e.Begin(source)
		source.Value = make([]byte, Room(e.Encode(&Fault{Index: -1, Offset: -1}).whole, batchBytes)+beyond)
		e.Begin(source)
		records := e.Encode(&Fault{Index: -1, Offset: -1}).Records(batchBytes)
		if (len(records) > 1) != (beyond > 0) {
			t.Errorf("a key of %d bytes and a value %d bytes beyond the room are %d records", key, beyond, len(records))
		}
		for i, r := range records {
			if size := Size(r); size > batchBytes {
				t.Errorf("record %d of %d has %d bytes, want at most %d", i, len(records), size, batchBytes)
			}
		}
		if holds, _ := headerOf(records[0], HeaderHolds); (holds == HoldsFrame) != framed {
			t.Errorf("with a key of %d bytes the first record holds %q", key, holds)
		}
	}
	f(0, 0, false)
	f(0, 1, false)
	f(0, 100_000, false)
	f(batchBytes*3/5, 0, false)
	f(batchBytes*3/5, 1, true)
}

// A key and headers that leave no room go first in separate parts, without loss.
func TestDeadLetterFrame(t *testing.T) {
	t.Parallel()
	const batchBytes = 16 << 10
	source := &kgo.Record{
		Topic: "in", Key: []byte(noise(40_000)), Value: []byte(noise(50_000)),
		Headers: []kgo.RecordHeader{{Key: "h", Value: []byte(noise(30_000))}},
	}
	letters := Encoder{Topic: "dead"}
	letters.Begin(source)
	records := letters.Encode(&Fault{Index: -1, Err: errors.New("x")}).Records(batchBytes)
	byHolds := make(map[string][]*kgo.Record)
	for _, r := range records {
		if size := Size(r); size > batchBytes {
			t.Fatalf("a part of %d bytes, want at most %d", size, batchBytes)
		}
		holds, _ := headerOf(r, HeaderHolds)
		byHolds[holds] = append(byHolds[holds], r)
	}
	if got := join(t, byHolds[""]); got != string(source.Value) {
		t.Error("the value is not what it was")
	}
	var frame struct {
		Key     []byte
		Headers []struct{ Key, Value []byte }
	}
	if err := json.Unmarshal([]byte(join(t, byHolds[HoldsFrame])), &frame); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(frame.Key, source.Key) || len(frame.Headers) != 1 || !bytes.Equal(frame.Headers[0].Value, source.Headers[0].Value) {
		t.Error("the key and the headers are not what they were")
	}
}

// The bytes of every part are those of the value, for all sizes around the limits.
func TestPartsAreLossless(t *testing.T) {
	t.Parallel()
	for size := range 40 {
		r := &kgo.Record{Topic: "dead", Value: []byte(noise(size))}
		for room := -1; room < 12; room++ { // less than one byte is one
			cut := parts(r, room)
			if longest := len(cut[0].Value); longest > max(room, 1) {
				t.Fatalf("size %d in parts of %d: %d bytes", size, room, longest)
			}
			if got := join(t, cut); got != string(r.Value) {
				t.Fatalf("size %d in parts of %d: %q", size, room, got)
			}
		}
	}
}

// join puts the parts of one dead letter together. Where it was cut more than once the whole set with the
// most parts counts.
func join(t *testing.T, records []*kgo.Record) string {
	t.Helper()
	byTotal := make(map[int]map[int]string)
	for _, r := range records {
		part, ok := headerOf(r, HeaderPart)
		if !ok {
			return string(r.Value)
		}
		parts, _ := headerOf(r, HeaderParts)
		i, _ := strconv.Atoi(part)
		n, _ := strconv.Atoi(parts)
		if byTotal[n] == nil {
			byTotal[n] = make(map[int]string)
		}
		byTotal[n][i] = string(r.Value)
	}
	for n, set := range byTotal {
		if len(set) == n {
			var b strings.Builder
			for i := range n {
				b.WriteString(set[i+1])
			}
			return b.String()
		}
	}
	t.Fatalf("no set of parts is complete: %d records", len(records))
	return ""
}

// noise does not compress at all.
func noise(n int) string {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{}).Read(b) // never fails
	return string(b)
}
