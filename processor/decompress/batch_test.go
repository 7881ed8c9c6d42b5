package decompress

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// encode returns records as a batch holds them, each with an offset and a time of 7 and 1000 more than the one before.
func encode(values ...string) (encoded []byte) {
	for i, value := range values {
		r := kmsg.Record{TimestampDelta64: int64(1000 * i), OffsetDelta: int32(7 * i), Key: []byte("k"), Value: []byte(value),
			Headers: []kmsg.Header{{Key: "a", Value: []byte(value)}, {Key: "b"}}}
		body := r.AppendTo(nil)[1:] // without its length, which is 0
		encoded = append(binary.AppendVarint(encoded, int64(len(body))), body...)
	}
	return encoded
}

// read returns all records that a batch yields, and its error.
func read(h batchHeader, encoded []byte) (records []kgo.Record, err error) {
	b := &Batch{header: h}
	for r, err := range b.Each(&kgo.Record{Topic: "t", Partition: 3}, encoded) {
		if err != nil {
			return records, err
		}
		records = append(records, *r)
	}
	return records, nil
}

// Each record comes with its own offset, time, key, value and headers.
func TestEachRecord(t *testing.T) {
	f := func(h batchHeader, times ...int64) {
		t.Helper()
		records, err := read(h, encode("one", "", "three"))
		if err != nil || len(records) != len(times) {
			t.Fatalf("%d records, %v", len(records), err)
		}
		for i, r := range records {
			value := []string{"one", "", "three"}[i]
			headers := []kgo.RecordHeader{{Key: "a", Value: []byte(value)}, {Key: "b"}}
			got := []any{r.Topic, r.Partition, r.Offset, r.Timestamp.UnixMilli(), string(r.Key), string(r.Value), r.Headers}
			if diff := cmp.Diff([]any{"t", int32(3), 40 + 7*int64(i), times[i], "k", value, headers}, got); diff != "" {
				t.Errorf("record %d: %s", i, diff)
			}
		}
	}
	f(batchHeader{firstOffset: 40, firstTime: 5000, lastTime: 9000}, 5000, 6000, 7000)
	f(batchHeader{firstOffset: 40, firstTime: 5000, lastTime: 9000, attributes: logAppendTime}, 9000, 9000, 9000)
}

// Damage ends the iteration with an error after the records before it, wherever it is.
func TestEachRecordFailure(t *testing.T) {
	first := len(encode("one"))
	whole := encode("one", "two")
	f := func(encoded []byte, want int) {
		t.Helper()
		if records, err := read(batchHeader{}, encoded); !errors.Is(err, errEncoding) || len(records) != want {
			t.Errorf("%x: %d records, %v; want %d and an error", encoded, len(records), err, want)
		}
	}
	for cut := 1; cut < first; cut++ {
		f(whole[:cut], 0)
	}
	for cut := first + 1; cut < len(whole); cut++ {
		f(whole[:cut], 1)
	}
	f(append(bytes.Clone(whole), 2), 2)                                     // one byte more
	f(append(bytes.Clone(whole), 0), 2)                                     // a record of no bytes
	f(append(bytes.Clone(whole), 1), 2)                                     // of -1 bytes
	f(append(bytes.Clone(whole), strings.Repeat("\xff", 10)...), 2)         // a length without an end
	f(binary.AppendVarint(nil, 1<<30), 0)                                   // a length beyond the batch
	f([]byte{2 * 7, 0, 0, 0, 1, 1, 0xfe, 0x7f}, 0)                          // more headers than bytes
	f(append(bytes.Clone(whole), whole[:first-1]...), 2)                    // a cut record at the end
	f(append(binary.AppendVarint(nil, int64(first)), whole[1:first]...), 0) // longer than it is
}

// A record that claims more headers than it has ends at the first that is missing: their count is not believed.
//
// Guard: the check in the loop of decode.
func TestMissingHeaders(t *testing.T) {
	src := append([]byte{0, 0, 0, 1, 1, 100}, make([]byte, 2*25)...) // 50 headers, bytes for 25
	var r kgo.Record
	if new(Batch).decode(&r, src) || len(r.Headers) != 26 {
		t.Errorf("%d headers", len(r.Headers))
	}
}

func TestCountRecords(t *testing.T) {
	f := func(encoded []byte, want int) {
		t.Helper()
		if got := countRecords(encoded); got != want {
			t.Errorf("%x: %d records, want %d", encoded, got, want)
		}
	}
	f(nil, 0)
	f(encode("one"), 1)
	f(encode("one", "", "three"), 3)
	f(make([]byte, 100), 100) // of no bytes each: the client library allocates a record for each
	f([]byte{2, 0}, 1)
	f([]byte{2}, 0)
	f([]byte{1}, 0)
	f(append(encode("one", "two"), 0xff), 2)
}
