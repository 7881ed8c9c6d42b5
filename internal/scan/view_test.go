package scan

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

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
	v.Clear()
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
	synctest.Test(t, func(t *testing.T) {
		viewOnTerminal(t, terminal, 100)
		viewOnTerminal(t, terminal, -1)
	})
	got := shown()
	for _, end := range []string{"the alert", "cleared", "the alert", "cleared"} {
		bar, after, ok := strings.Cut(got, end)
		if !ok || !strings.Contains(bar, "1 alert, 10 events/s") || !strings.HasSuffix(bar, "\x1b[2K\r") {
			t.Errorf("before %s: %q", end, bar)
		}
		got = after
	}
	if strings.Contains(got, "events") {
		t.Errorf("the bar comes back: %q", got)
	}
}

// viewOnTerminal draws the bar before each text, which comes after it is cleared.
func viewOnTerminal(t *testing.T, terminal *os.File, size int64) {
	v := NewView(terminal, terminal, []Source{{Size: size}})
	draw := func(read int64) {
		time.Sleep(time.Second) // it is not drawn more often
		v.Progress(Progress{Read: read, Events: uint64(read), Alerts: 1})
		if n := v.bar.State().CurrentNum; n != read {
			t.Errorf("the bar is at %d, want %d", n, read)
		}
	}
	draw(10)
	for _, text := range []string{"the alert", "", "."} {
		if n, err := io.WriteString(v.Alerts, text); err != nil || n != len(text) {
			t.Errorf("%q: %d bytes, %v", text, n, err)
		}
	}
	draw(20)
	v.Clear()
	_, _ = terminal.WriteString("cleared")
	time.Sleep(time.Second) // nothing draws it by itself
}
