package processor

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/processor/processortest"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// A dead letter is the record as it came, and says where from and why.
func TestDeadLetterRecord(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 2)
	start(t, testOptions(c))
	at := time.Date(2026, 3, 4, 5, 6, 7, 8e6, time.UTC)
	c.Produce(&kgo.Record{
		Topic: inputTopic, Partition: 1, Key: []byte("key"), Value: []byte("bad"), Timestamp: at,
		Headers: []kgo.RecordHeader{{Key: "theirs", Value: []byte{0xff}}, {Key: "theirs", Value: nil}},
	})
	r := c.Read(deadLetterTopic, 1)[0]
	if string(r.Key) != "key" || string(r.Value) != "bad" {
		t.Errorf("key %q and value %q are not as they came", r.Key, r.Value)
	}
	for key, want := range map[string]string{
		LetterTopic: inputTopic, LetterPartition: "1", LetterOffset: "0", LetterTimestamp: "2026-03-04T05:06:07.008Z",
		LetterReason: "syntax", LetterError: "byte 0: bad", LetterAlerted: "0", LetterCount: "1", "theirs": "\xff",
	} {
		if got, ok := processortest.Header(r, key); !ok || got != want {
			t.Errorf("header %s is %q, want %q", key, got, want)
		}
	}
	for _, absent := range []string{LetterIndex, LetterAlertID, LetterHolds, LetterPart, LetterParts} {
		if got, ok := processortest.Header(r, absent); ok {
			t.Errorf("header %s is %q, want none", absent, got)
		}
	}
}

// A dead letter that is too large for its topic comes in parts that together are what came: whether the
// limit is known, or shows only when the broker rejects it.
//
// Guards: letter.records for the one, resize for the other.
func TestDeadLetterTooLarge(t *testing.T) {
	t.Parallel()
	for _, delivery := range []Delivery{AtLeastOnce, ExactlyOnce} {
		for name, told := range map[string]bool{"limit is told": true, "limit is refused": false} {
			t.Run(delivery.String()+", "+name, func(t *testing.T) {
				t.Parallel()
				c := newCluster(t, 1)
				topicLimit(t, c, deadLetterTopic, "30000")
				if !told {
					c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.DescribeConfigs}, Err: kerr.TopicAuthorizationFailed, Count: -1})
				}
				o := testOptions(c)
				o.Delivery, o.InstanceID = delivery, "one"
				r := start(t, o)
				value := "bad " + randomBytes(100_000)
				c.Produce(&kgo.Record{Topic: inputTopic, Key: []byte("key"), Value: []byte(value)})
				c.Eventually("committed", func() bool { return c.Committed(testGroup, inputTopic, 0) == 1 })
				r.mustStop()
				if got := join(t, c.ReadAll(deadLetterTopic)); got != value {
					t.Errorf("joined, the parts are %d bytes, want %d; or not the same", len(got), len(value))
				}
			})
		}
	}
}

// join puts the parts of one dead letter together. Where it was cut more than once the whole set with the
// most parts counts.
func join(t *testing.T, records []*kgo.Record) string {
	t.Helper()
	byTotal := make(map[int]map[int]string)
	for _, r := range records {
		part, ok := processortest.Header(r, LetterPart)
		if !ok {
			return string(r.Value)
		}
		parts, _ := processortest.Header(r, LetterParts)
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

// One record with the most faults that there can be becomes dead letters of a bounded size, and the first
// of them has the whole record.
//
// Guard: choose.
func TestDeadLettersAreBounded(t *testing.T) {
	t.Parallel()
	source := &kgo.Record{Topic: inputTopic, Value: bytes.Repeat([]byte("x"), 6<<20)}
	letters := deadLetters{topic: deadLetterTopic, record: source}
	sum, holds := 0, map[string]int{}
	for i := range detection.MaxDeadLetters {
		d := &detection.DeadLetter{Fault: cloudtrail.Fault{Index: i, Piece: source.Value[:1<<20]}, Count: 1}
		l := letters.letter(d)
		sum += len(l.whole.Value)
		what, _ := processortest.Header(l.whole, LetterHolds)
		if i == 0 && (what != "" || len(l.whole.Value) != len(source.Value)) {
			t.Errorf("the first holds %q of %d bytes", what, len(l.whole.Value))
		}
		holds[what]++
	}
	if most := len(source.Value) + 2*wholeBytes; sum > most {
		t.Errorf("%d bytes of dead letters of a record of %d, want at most %d", sum, len(source.Value), most)
	}
	if holds[HoldsPiece] == 0 || holds[HoldsNothing] == 0 {
		t.Errorf("holds %v, want pieces and then nothing", holds)
	}
}

// A key and headers that leave no room go ahead in parts of their own, and nothing of them is lost.
func TestDeadLetterFrame(t *testing.T) {
	t.Parallel()
	limits := newLimits(minRecordBytes)
	source := &kgo.Record{
		Topic: inputTopic, Key: []byte(randomBytes(40_000)), Value: []byte(randomBytes(50_000)),
		Headers: []kgo.RecordHeader{{Key: "h", Value: []byte(randomBytes(30_000))}},
	}
	letters := deadLetters{topic: deadLetterTopic, record: source}
	records := letters.letter(&detection.DeadLetter{Fault: cloudtrail.Fault{Index: -1, Err: errors.New("x")}}).records(limits)
	byHolds := make(map[string][]*kgo.Record)
	for _, r := range records {
		if size := batchOverhead + framing(r) + len(r.Value); size > minRecordBytes {
			t.Fatalf("a part of %d bytes, want at most %d", size, minRecordBytes)
		}
		holds, _ := processortest.Header(r, LetterHolds)
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
		r := &kgo.Record{Topic: deadLetterTopic, Value: []byte(randomBytes(size))}
		for room := 1; room < 12; room++ {
			cut := parts(r, room)
			if got := join(t, cut); got != string(r.Value) {
				t.Fatalf("size %d in parts of %d: %q", size, room, got)
			}
		}
	}
}

// randomBytes does not compress at all.
func randomBytes(n int) string {
	b := make([]byte, n)
	seed := uint64(88172645463325252)
	for i := range b {
		seed ^= seed << 13
		seed ^= seed >> 7
		seed ^= seed << 17
		b[i] = byte(seed >> 33)
	}
	return string(b)
}
