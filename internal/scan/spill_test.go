package scan

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/schema/alert"
)

// Alerts many times the size of their input use bounded memory and are all written, in order. No temporary file
// remains.
func TestAlertsAreKeptInBoundedMemory(t *testing.T) {
	const events, alertBytes = 3 * maxFindings, 8 << 10 // 96 MiB
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	value := `[{"awsRegion":"ap-east-1","readOnly":false}` + strings.Repeat(`,{"awsRegion":"ap-east-1","readOnly":false}`, events-1) + "]"
	var largest atomic.Int64
	var out bytes.Buffer
	o := withPolicy(t, Options{Alerts: &out})
	o.Append = func(dst []byte, a *alert.Alert) []byte {
		largest.Store(max(largest.Load(), int64(len(dst))))
		return append(dst, fmt.Sprintf("%*d\n", alertBytes-1, a.Origin.Index)...)
	}
	s, err := Run(t.Context(), o, []Source{text("a", value), text("b", match("1"))})
	if err != nil {
		t.Fatal(err)
	}
	if most := int64(maxAlertBytes + alertBytes); largest.Load() > most {
		t.Errorf("%d bytes of alerts were in memory, want at most %d", largest.Load(), most)
	}
	lines := strings.Fields(out.String())
	if len(lines) != events+1 || lines[events] != "0" {
		t.Fatalf("%d alerts, want %d", len(lines), events+1)
	}
	for i, line := range lines[:events] {
		if line != fmt.Sprint(i) {
			t.Fatalf("alert %d is that of event %s", i, line)
		}
	}
	if top, _ := s.Regions.Top(1); len(top) != 1 || top[0].Name != "ap-east-1" || top[0].Count != events {
		t.Errorf("regions %v", top)
	}
	if top, _ := s.EventShapes.Top(2); len(top) != 2 || top[0] != (display.Count{Name: "array", Count: events}) || top[1] != (display.Count{Name: "event", Count: 1}) {
		t.Errorf("shapes %v", top)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// Few alerts stay in memory, and after an error nothing is kept that would hide it.
func TestKeepLess(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	w, c := &worker{}, &chunk{alerts: make([]byte, maxAlertBytes-1)}
	if w.keepLess(c); c.spilled != nil || c.err != nil {
		t.Errorf("few alerts: spilled to %v, %v", c.spilled, c.err)
	}
	broken := errors.New("broken")
	c = &chunk{alerts: make([]byte, maxAlertBytes), err: broken}
	if w.keepLess(c); c.spilled != nil || !errors.Is(c.err, broken) {
		t.Errorf("after an error: spilled to %v, %v", c.spilled, c.err)
	}
}

// If there is no room for the alerts, the scan ends with an error: no alert is lost silently.
func TestAlertsThatCannotBeKept(t *testing.T) {
	t.Setenv("TMPDIR", "/dev/null")
	value := "[" + match("0")
	for i := range 20 {
		value += "," + match(strconv.Itoa(1+i))
	}
	value += "]"
	var out bytes.Buffer
	o := withPolicy(t, Options{Alerts: &out})
	o.Append = func(dst []byte, _ *alert.Alert) []byte { return append(dst, make([]byte, maxAlertBytes/4)...) }
	_, err := Run(context.Background(), o, []Source{text("a", value)})
	if err == nil || !strings.Contains(err.Error(), "keeping alerts: ") || out.Len() > 0 {
		t.Errorf("error %v, %d bytes written", err, out.Len())
	}
}

// A chunk that was decided holds on to no text, and one that was written to no file: a scan may have many before it ends.
func TestChunksHoldOnToNothing(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	o := withPolicy(t, Options{Alerts: io.Discard})
	o.Append = func(dst []byte, _ *alert.Alert) []byte { return append(dst, make([]byte, maxAlertBytes)...) }
	c := &chunk{file: &file{}, data: []byte(match("1"))}
	newWorker(&o).decide(c)
	if c.data != nil || c.spilled == nil || c.spilled.named {
		t.Fatalf("%d bytes of text, spilled to %v", len(c.data), c.spilled)
	}
	if err := (&writer{o: &o, summary: &Summary{}}).chunk(c); err != nil {
		t.Error(err)
	}
	if err := c.spilled.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("closing the file again: %v", err)
	}
}
