package scan

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func TestDamage(t *testing.T) {
	f := func(name, content string, alerts int, reasons ...string) {
		t.Helper()
		r := scanSources(t, Options{}, text("f", content))
		if len(r.alerts) != alerts {
			t.Errorf("%s: %d alerts, want %d", name, len(r.alerts), alerts)
		}
		want(t, name, r.reasons(), reasons...)
	}
	one, two := match("1"), match("2")
	f("first line cut", one[:30]+"\n"+two+"\n", 1, "f@0+30 truncated")
	f("garbage first", "garbage\n"+two+"\n"+one, 2, "f@0+7 syntax")
	f("cut after the decisive fields", one+"\n"+two[:len(two)-1], 2, fmt.Sprintf("f@%d+%d truncated", len(one)+1, len(two)-1))
	whole := gzipped(t, one+"\n"+two+"\n")
	f("gzip cut", whole[:len(whole)-6], 2, fmt.Sprintf("f@%d+0 compression", len(one)+len(two)+2))
	f("gzip without header", "\x1f\x8b", 0, "f@0+0 compression")
	f("empty", "", 0)
	f("blank", "\n\n", 0)
}

// TestTooLarge passes over values that are larger than allowed, in bounded memory, and continues after them.
func TestTooLarge(t *testing.T) {
	const most = 100_000
	f := func(name, content string, alerts int, reasons ...string) {
		t.Helper()
		r := scanSources(t, Options{MaxEventBytes: most}, text("f", content))
		if len(r.alerts) != alerts {
			t.Errorf("%s: %d alerts, want %d", name, len(r.alerts), alerts)
		}
		want(t, name, r.reasons(), reasons...)
		for _, d := range r.letters {
			if !d.Cut || len(d.Value) > keptBytes {
				t.Errorf("%s: %d bytes in the dead letter", name, len(d.Value))
			}
		}
	}
	one := match("1")
	n := len(one) + 1
	for _, size := range []int{most, chunkBytes, 3 * chunkBytes} {
		large := `{"x":"` + strings.Repeat("x", size) + `"}`
		f("line", one+"\n"+large+"\n"+one+"\n", 2, fmt.Sprintf("f@%d+%d too-large", n, len(large)+min(size/chunkBytes, 1)))
		f("last line", one+"\n"+large, 1, fmt.Sprintf("f@%d+%d too-large", n, len(large)))
		const header = "\x00\x00\x00\x00\n" // its line break is not the end of the value
		f("line with a header", header+one+"\n"+header+large+"\n"+header+one+"\n", 2,
			fmt.Sprintf("f@%d+%d too-large", len(header)+n, len(header)+len(large)+min(size/chunkBytes, 1)))
		f("line without a bracket after it", one+"\n"+large+"\n "+one+"\n", 2, fmt.Sprintf("f@%d+%d too-large", n, len(large)+min(size/chunkBytes, 1)))
	}
	large := pretty(t, `{"x":"`+strings.Repeat("x", 3*chunkBytes)+`"}`)
	p := pretty(t, one)
	f("value", p+large+p, 2, fmt.Sprintf("f@%d+%d too-large", len(p), len(large)))
	many := 4 * chunkBytes / len(p)
	f("many values after it", p+large+strings.Repeat(p, many), 1+many, fmt.Sprintf("f@%d+%d too-large", len(p), len(large)))
	// The line break before the next value is the last byte of a full buffer.
	open := "{\n\"x\":\"" + strings.Repeat("x", chunkBytes-8) + "\n"
	f("value without end", open+p, 1, fmt.Sprintf("f@0+%d too-large", chunkBytes))
	f("whole", "\x00"+strings.Repeat("x", 3*chunkBytes), 0, "f@0+0 too-large")
	f("gzip bomb", gzipped(t, `{"x":"`+strings.Repeat(" ", 30*chunkBytes)), 0, fmt.Sprintf("f@0+%d too-large", 30*chunkBytes+6))
}

// TestIdentity: an event without eventID gets the same alert wherever its file is, and a different one elsewhere in the
// file.
func TestIdentity(t *testing.T) {
	event := `{"eventVersion":"1.11","eventName":"x","awsRegion":"eu-west-3","readOnly":false}`
	content := event + "\n" + event + "\n"
	r := scanSources(t, Options{}, text("a", content), text("b", content), text("c", event+" "))
	if len(r.alerts) != 5 {
		t.Fatalf("%d alerts", len(r.alerts))
	}
	id := func(i int) string { return r.alerts[i].ID }
	if id(0) == id(1) || id(0) != id(2) || id(1) != id(3) || id(0) != id(4) {
		t.Errorf("ids are %s %s %s %s %s", id(0), id(1), id(2), id(3), id(4))
	}
}

// TestUnreadable reports a file that cannot be read, keeps what was read of it, and reads the others.
func TestUnreadable(t *testing.T) {
	broken := text("broken", "")
	broken.Open = func() (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(strings.NewReader(match("1")+"\n"), iotest.ErrReader(errors.New("input/output error")))), nil
	}
	missing := text("missing", "")
	missing.Open = func() (io.ReadCloser, error) { return os.Open(filepath.Join(t.TempDir(), "missing")) }
	r := scanSources(t, Options{}, broken, missing, text("c", match("2")))
	want(t, "alerts", r.places(), `broken@0.0 "1" event`, `c@0.0 "2" event`)
	if len(r.faults) != 2 || r.summary.Unreadable != 1 || r.summary.Unopened != 1 || r.summary.Files != 2 || !strings.Contains(r.faults[0], "broken: input/output error") {
		t.Errorf("faults %q, summary %+v", r.faults, r.summary)
	}
}

// Blank lines between records are no records, and join none.
func TestBlankLinesAreNoRecords(t *testing.T) {
	one := match("1")
	r := scanSources(t, Options{}, text("f", one+"\n\n \t\r\n\n"+one+"\n"+one+"\n \n"))
	var offsets []int64
	for i := range r.alerts {
		offsets = append(offsets, r.alerts[i].Origin.Offset)
	}
	n := int64(len(one))
	if want := []int64{0, n + 7, 2*n + 8}; !slices.Equal(offsets, want) || r.summary.Counts.Records != 3 {
		t.Errorf("%d records, alerts at %d; want them at %d", r.summary.Counts.Records, offsets, want)
	}
	r = scanSources(t, Options{}, text("f", one+"\n\n{bad\n"+one+"\n"))
	want(t, "dead letters", r.reasons(), fmt.Sprintf("f@%d+4 syntax", len(one)+2))
}
