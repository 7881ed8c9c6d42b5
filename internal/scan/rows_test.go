package scan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/regionwatch/regionwatch/schema/alert"
)

// rowsOf writes alerts with those times, in pieces that end within lines, and returns the times of the table.
func rowsOf(t *testing.T, r *Rows, out *bytes.Buffer, times ...string) []string {
	t.Helper()
	var lines []byte
	for _, at := range times {
		lines = r.Append(lines, &alert.Alert{EventTime: json.RawMessage(`"` + at + `"`)})
	}
	for len(lines) > 0 {
		n := min(7, len(lines))
		if _, err := r.Write(lines[:n]); err != nil {
			t.Fatal(err)
		}
		lines = lines[n:]
	}
	if err := r.Flush(); err != nil {
		t.Fatal(err)
	}
	var shown []string
	for line := range strings.Lines(out.String()) {
		shown = append(shown, strings.Fields(line)[0])
	}
	return shown
}

// A table is in the order of time. The rows of standard input come as they are.
func TestRowsInTimeOrder(t *testing.T) {
	var out bytes.Buffer
	got := rowsOf(t, NewRows(&out, &out, []Source{{Name: "a"}}), &out, "2026-11-02T00:00:00Z", "2026-11-01T00:00:00Z")
	if want := "[TIME 2026-11-01T00:00:00Z 2026-11-02T00:00:00Z]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
	out.Reset()
	r := NewRows(&out, &out, []Source{{Name: Stdin}})
	if _, err := r.Write(r.Append(nil, &alert.Alert{EventTime: json.RawMessage(`"2026-11-02T00:00:00Z"`)})); err != nil || !strings.Contains(out.String(), "\n2026-11-02") {
		t.Errorf("a row of standard input waits: %q, %v", out.String(), err)
	}
}

// The rows that are kept are bounded.
func TestRowsBound(t *testing.T) {
	var out bytes.Buffer
	r := NewRows(&out, &out, nil)
	line := r.Append(nil, &alert.Alert{EventTime: json.RawMessage(`"2026-11-02T00:00:00Z"`)})
	for range maxRows {
		if _, err := r.Write(line); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Flush(); err != nil { // with no second header
		t.Error(err)
	}
	if n := strings.Count(out.String(), "\n"); n != maxRows+1 || len(r.rows) > 0 {
		t.Errorf("%d lines, %d rows kept", n, len(r.rows))
	}
	if _, err := r.Write([]byte("no row\n")); err == nil || !strings.Contains(err.Error(), "decoding a row: ") {
		t.Errorf("a line that is no row: %v", err)
	}
	broken := errors.New("broken")
	if err := NewRows(failing{broken}, &out, nil).Flush(); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

// failing is a writer that fails.
type failing struct{ error }

func (f failing) Write([]byte) (int, error) { return 0, f.error }

// A record is hashed once, not once per finding without an ID, which would take quadratic time. TestIdentity shows that
// the next record is hashed again.
func TestIdentityIsFoundOutOncePerRecord(t *testing.T) {
	w := newWorker(&Options{})
	w.record.Value = []byte("a")
	name := w.identity()
	w.record.Value = []byte("b")
	if w.identity() != name {
		t.Error("the record is hashed again")
	}
}
