package cloudtrail

import (
	"errors"
	"runtime"
	"strings"
	"testing"
)

// ignore is a sink that lets everything pass.
type ignore struct{ events int }

func (s *ignore) Event(*Event) error { s.events++; return nil }
func (*ignore) Skip(Kind, Chain)     {}
func (*ignore) Fault(*Fault) error   { return nil }

// A record without damage allocates nothing once the decoder has its buffers, whatever it is wrapped in.
func TestDecodeAllocatesNothing(t *testing.T) {
	list := `{"Records":[` + strings.Repeat(paris+",", 99) + tokyo + `]}`
	for name, record := range map[string]string{
		"event": paris, "records": list, "array": `[` + paris + `,` + tokyo + `]`, "ndjson": paris + "\n" + tokyo + "\n",
		"eventbridge": bridge("AWS API Call via CloudTrail", paris), "cloudwatch-logs": logs("DATA_MESSAGE", paris, tokyo),
		"sns": sns(list), "sqs": `{"Records":[` + sqs(sns(paris)) + `]}`, "lookup": `{"CloudTrailEvent":` + quote(paris) + `}`,
		"firehose": `{"records":[{"data":"` + toBase64(paris) + `"}]}`, "shipper": `{"message":` + quote(paris) + `}`,
		"connect": `{"payload":` + paris + `}`, "confluent": "\x00\x00\x00\x00\x01" + paris, "string": quote(paris),
		"base64": toBase64(list), "empty": "", "notice": `{"s3Bucket":"b","s3ObjectKey":[]}`,
	} {
		d, sink, value := NewDecoder(0), new(ignore), []byte(record)
		got := testing.AllocsPerRun(20, func() {
			if err := d.Decode(value, sink); err != nil {
				t.Error(err)
			}
		})
		if got != 0 {
			t.Errorf("%s: %v allocations", name, got)
		}
	}
}

// A gzipped log file that fits the buffer that is kept allocates nothing that grows with it.
func TestDecompressingReusesBuffers(t *testing.T) {
	for shape, pack := range compressors {
		value := []byte(pack(`{"Records":[` + strings.Repeat(paris+",", 2000) + tokyo + `]}`))
		d, sink := NewDecoder(0), new(ignore)
		if err := d.Decode(value, new(ignore)); err != nil { // makes the buffers
			t.Fatal(err)
		}
		bytes := allocated(func() {
			for range 20 {
				if err := d.Decode(value, sink); err != nil {
					t.Fatal(err)
				}
			}
		})
		if sink.events != 20*2001 {
			t.Fatalf("%s: %d events", shape, sink.events)
		}
		// Pools drop some of what they keep, and under the race detector they do so at random.
		if size := uint64(2001 * len(paris)); bytes > 4*size {
			t.Errorf("%s: 20 files of %d bytes allocated %d", shape, size, bytes)
		}
	}
}

// allocated returns how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// Records of 10 MB, of one event and of many, need no extra memory.
func TestLargeRecords(t *testing.T) {
	const size = 10 << 20
	big := strings.Replace(paris, `"cli"`, `"`+strings.Repeat("A", size)+`"`, 1)
	many := `{"Records":[` + strings.Repeat(paris+",", size/len(paris)) + tokyo + `]}`
	for _, record := range []struct {
		text   string
		events int
	}{{big, 1}, {many, size/len(paris) + 1}, {big + "\n" + tokyo, 2}, {strings.Repeat(paris+"\n", size/len(paris)), size / len(paris)}} {
		d, sink, value := NewDecoder(0), new(ignore), []byte(record.text)
		bytes := allocated(func() {
			if err := d.Decode(value, sink); err != nil {
				t.Fatal(err)
			}
		})
		if sink.events != record.events || bytes > 1<<20 {
			t.Errorf("%.30q…: %d events, want %d; %d bytes allocated", record.text, sink.events, record.events, bytes)
		}
	}
	// Quoted, it is unquoted once.
	d, sink, value := NewDecoder(3*size), new(ignore), []byte(sns(many))
	bytes := allocated(func() {
		if err := d.Decode(value, sink); err != nil {
			t.Fatal(err)
		}
	})
	if sink.events != size/len(paris)+1 || bytes > 6*size {
		t.Errorf("quoted: %d events; %d bytes allocated", sink.events, bytes)
	}
}

// Heavy is asked once, before a record takes much memory, whatever it is packed in; its error stops the record.
//
// Guards: weigh in charge, in inflateTo and for a zstd window.
func TestHeavyIsAsked(t *testing.T) {
	f := func(name string, want int, value []byte) {
		t.Helper()
		asked := 0
		d := NewDecoder(0)
		d.Heavy = func() error { asked++; return nil }
		for range 2 { // it is asked for each record
			if err := d.Decode(value, &counting{}); err != nil {
				t.Fatal(err)
			}
		}
		if asked != 2*want {
			t.Errorf("%s: asked %d times for two records, want %d", name, asked, 2*want)
		}
		d.Heavy = func() error { return errHeavy }
		if err := d.Decode(value, &counting{}); (err == errHeavy) != (want > 0) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	blank := strings.Repeat(" ", HeavyBytes)
	f("small", 0, []byte("{}"))
	f("just so much", 0, []byte("{}"+blank[2:]))
	f("one byte more", 1, []byte("{}"+blank[1:]))
	f("its own bytes", 1, []byte("{}"+blank))
	f("gzip", 1, []byte(compress("{}"+blank)))
	f("gzip, small", 0, []byte(compress("{}")))
	f("quoted", 1, []byte(`{"message":"`+strings.Repeat(" ", HeavyBytes*2/3)+`{}"}`))
	f("a window of 64 MiB", 1, []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x80, 0x01, 0x00, 0x00})
}

// The bound itself is no more than the bound.
func TestWeigh(t *testing.T) {
	d := NewDecoder(0)
	d.left, d.Heavy = d.maxBytes, func() error { return errHeavy }
	if d.weigh(HeavyBytes) != nil || d.weigh(HeavyBytes+1) != errHeavy {
		t.Error("the bound is another one")
	}
}

var errHeavy = errors.New("too heavy now")
