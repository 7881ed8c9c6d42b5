package scan

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/creack/pty"
)

// openTerminal returns a terminal and a function that closes it and returns what was shown.
func openTerminal(t *testing.T) (terminal *os.File, shown func() string) {
	t.Helper()
	ours, terminal, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(terminal, &pty.Winsize{Rows: 24, Cols: 160}); err != nil {
		t.Fatal(err)
	}
	read := make(chan string)
	go func() {
		text, _ := io.ReadAll(ours) // it ends with an error once the terminal is closed
		read <- string(text)
	}()
	return terminal, func() string {
		terminal.Close()
		defer ours.Close()
		return <-read
	}
}

// The bar is a share of all files, unless one of them has no known size. Alerts go where they were meant to, past the bar
// if it is in the way.
func TestView(t *testing.T) {
	var stdout, stderr bytes.Buffer
	v := NewView(&stdout, &stderr, []Source{{Size: 3}, {Size: 4}})
	if n := v.bar.GetMax64(); n != 7 || v.Alerts != io.Writer(&stdout) {
		t.Errorf("%d bytes, alerts to %T", n, v.Alerts)
	}
	v.Progress(Progress{Read: 3, Events: 2, Alerts: 1})
	v.Close()
	if stdout.Len()+stderr.Len() > 0 {
		t.Errorf("shown where there is no terminal: %q, %q", &stdout, &stderr)
	}
	if n := size([]Source{{Size: 3}, {Size: -1}, {Size: 4}}); n != -1 {
		t.Errorf("%d bytes, want an unknown number", n)
	}
	if n := size([]Source{{Size: 0}, {Size: 4}}); n != 4 {
		t.Errorf("%d bytes, want 4", n)
	}

	terminal, shown := openTerminal(t)
	if v := NewView(&stdout, terminal, nil); v.Alerts != io.Writer(&stdout) {
		t.Errorf("alerts go to %T", v.Alerts)
	}
	v = NewView(terminal, terminal, []Source{{Size: 100}})
	v.Progress(Progress{Read: 42, Events: 2, Alerts: 1})
	if n := v.bar.State().CurrentNum; n != 42 {
		t.Errorf("the bar is at %d", n)
	}
	for _, text := range []string{"the alert\n", ""} {
		if n, err := io.WriteString(v.Alerts, text); err != nil || n != len(text) {
			t.Errorf("%q: %d bytes, %v", text, n, err)
		}
	}
	v.Progress(Progress{Read: 43})
	v.Clear()
	_, _ = terminal.WriteString("cleared")
	v.Progress(Progress{Read: 44})
	v.Close()
	_, _ = terminal.WriteString("closed")
	v.Progress(Progress{Read: 45})
	got := shown()
	for _, end := range []string{"the alert", "cleared", "closed"} {
		bar, after, ok := strings.Cut(got, end)
		if !ok || !strings.Contains(bar, " events/s") || !strings.HasSuffix(bar, "\x1b[2K\r") {
			t.Errorf("before %s: %q", end, bar)
		}
		got = after
	}
	if strings.Contains(got, "events") {
		t.Errorf("the bar comes back: %q", got)
	}
}
