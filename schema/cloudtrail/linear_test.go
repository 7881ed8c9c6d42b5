//go:build unix

package cloudtrail

import (
	"fmt"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"
)

// hostile is input that is made to be read again and again: a head, a piece many times, a tail.
type hostile struct{ head, piece, tail string }

func (h hostile) record(size int) []byte {
	return []byte(h.head + strings.Repeat(h.piece, size/len(h.piece)) + h.tail)
}

var hostileInputs = []hostile{
	{"[", "\n", "]"}, {"[", " \r\n", "1"}, {"{", "\t", ""}, {"", " ", "x"}, // white space
	{"", "1\n", `{"eventVersion":1}`}, {"", "1 ", "\n{}"}, {"", "x\n", "\n["}, {"{}", " x", "\n{}"}, {"", "null\n", "[]"}, // scalars
	{"", "[", ""}, {"", "{", ""}, {"", `{"a":`, ""}, {"", "[\n", ""}, {"", "{\"a\":\n", "}"}, {`{"Records":[`, "[[", "]}"}, // levels
	{"", `{"Records":[`, ""}, {"", "{\"x\":1,\"Records\":[{]\n", ""}, {"", `{"detail":`, ""}, {`{"detail":`, `{"payload":`, ""},
	{"[", `{"eventVersion":1}`, "]"}, {"[", `{"eventVersion":x},`, "]"}, {"", "{\"eventVersion\":x}\n", ""}, // damage
	{`{"logEvents":[`, `{"message":x},`, `]}`}, {`{"records":[`, `{"data":x},`, ""}, {`{"Messages":[`, `{"Body":"x" "},`, "]}"},
	{`{"Events":[`, `{"a":x},`, ""}, {`{"logEvents":[`, `{"message":"{"},`, "]}"}, {"[", `,`, "]"}, {"[", "{   ", "]"}, {"", "]\n[", ""},
	{`{"a":"`, `\"`, ""}, {`"`, `\\`, ""}, {`{"message":"`, `{\"a\":`, `"}`}, {`{"x":`, "9", "}"}, {`{"x":"`, "\xff", `"}`}, // texts
	{"{", `"awsRegion":"eu-west-3",`, "x"}, {"{", `"awsRegion":`, "}"}, {"{", `awsRegion\\`, ""}, {"{", `readOnly" `, ""}, // keys
	// envelopes: levels, bounds, strings that may hold something, prefixes, lists, damage in each
	{"", `{"awsRegion":"x","a":`, ""}, {"", `{"eventSource":"aws:x","a":[`, ""}, {"", `{"detail":{"payload":[`, ""}, {"[", `[{"a":1},`, ""},
	{`{"a":[`, `{"b":[{"c":1}]},`, `{}]}`}, {`{"a":[`, `{"eventName":"x","userIdentity":{`, ""}, {`{"a":[`, `"{\"a\":",`, `1]}`},
	{`{"a":"`, `{\"a\":`, `"}`}, {"x", ` {"a":1}`, ""}, {"x", ` {"a":`, ""}, {"", "1,\"a\":{\"b\":\n", "\n{}"}, {"", "x {\"a\":1} y\n", ""}, {"", "x {\"a\":\n", ""},
	{"", "x {\"eventName\":1,\"userIdentity\":\n", ""}, {`{"a":[`, `{"b":x},{"c":1},`, ""}, {`{"a":"`, `eyJ`, `"}`}, {`{"a":[`, `"eyJhIjo=",`, `1]}`},
	{`{"a":[`, `"\"",`, `1]}`}, {`{"a":[`, `"[",`, `1]}`}, {"", "\x00\x00\x00\x00\x01", "{"}, {`{"digestEndTime":1`, `,"a":{"digestEndTime":1`, ""},
	{`{"a":"`, "seventeenletterss ", `"}`}, {`{"a":"x: `, "eyJhIjo=, ", `"}`}, {"", "{app} ", ""}, {"log: ", `[{"a":1} `, "]"}, // prefixes, base64
	{"", `x["a",`, ""}, {"", `x["a"] `, ""}, {"x] ", `]["a",`, "]"}, {"", "x: \"{\\\"a\n", ""}, {"x\n", "y: [{\"a\":1}]\n", ""}, {"{", `":":`, ""}, {`{"a":[{"readOnly":1,`, `{"readOnly":1,"a":{"b":1}},x,`, ""},
	{"", `{"awsRegion":"x"}{"readOnly":false}`, ""}, {`{"a":`, `{"readOnly":false,"a":`, ""}, {`[`, `"readOnly":false,"awsRegion":"eu-west-3",`, "]"},
	{"{", `"Records":[],`, `"x":1}`}, {"{", `"message":"{",`, `"x":1}`}, {"{", `"\u0061wsRegion":1,`, `"x":1}`},
}

// CPU time grows in proportion to the input, whatever the input: 16 times as much takes about 16 times as long.
// Reading something once for each of its bytes would make that 256 times. The best of several rounds counts, and no other
// program's time does.
func TestTimeIsLinear(t *testing.T) {
	const size, times, tolerance, rounds = 8 << 10, 16, 4, 50
	for _, h := range hostileInputs {
		small, large := h.record(size), h.record(times*size)
		t.Run(fmt.Sprintf("%.12q %.12q %.12q", h.head, h.piece, h.tail), func(t *testing.T) {
			short, long := time.Hour, time.Hour
			for range rounds {
				short, long = min(short, decodeTime(small)), min(long, decodeTime(large))
				if long < times*tolerance*max(short, 100*time.Microsecond) {
					return
				}
			}
			t.Errorf("%d bytes take %v, %d bytes %v", len(small), short, len(large), long)
		})
	}
}

func decodeTime(record []byte) time.Duration {
	d := NewDecoder(0)
	start := cpuTime()
	if err := d.Decode(record, new(ignore)); err != nil {
		panic(err)
	}
	return cpuTime() - start
}

// cpuTime returns the CPU time that the process has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// The pieces that are reported add up to no more than a few times the record: they are kept and written. A
// list without commas must not be reported as a whole for each comma that is missing.
func TestFaultsAreNoAmplifier(t *testing.T) {
	const size = 64 << 10
	for _, h := range hostileInputs {
		var c counting
		record := h.record(size)
		if err := NewDecoder(0).Decode(record, &c); err != nil {
			t.Fatal(err)
		}
		if most := int64(8 * len(record)); c.bytes > most {
			t.Errorf("%.20q %.20q: pieces of %d bytes for a record of %d", h.head, h.piece, c.bytes, len(record))
		}
	}
}

// The input cannot cause recursion: a small stack is enough.
func TestStackIsSmall(t *testing.T) {
	defer debug.SetMaxStack(debug.SetMaxStack(256 << 10))
	for _, h := range hostileInputs {
		if err := NewDecoder(0).Decode(h.record(256<<10), new(ignore)); err != nil {
			t.Fatal(err)
		}
	}
}
