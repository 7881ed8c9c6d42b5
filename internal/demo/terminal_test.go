package demo

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/processor"
)

// painted returns what paint writes to a pseudo-terminal as its width goes through the given ones.
func painted(t *testing.T, v *view, widths ...uint16) (pictures []string) {
	t.Helper()
	ours, terminal, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	defer terminal.Close()
	v.out = terminal
	for _, width := range widths {
		if err := pty.Setsize(terminal, &pty.Winsize{Rows: 30, Cols: width}); err != nil {
			t.Fatal(err)
		}
		v.show(processor.Status{})
		if _, err := terminal.WriteString("END"); err != nil {
			t.Fatal(err)
		}
		pictures = append(pictures, readUntil(t, ours, "END"))
	}
	return pictures
}

// readUntil reads from the terminal until the text ends so.
func readUntil(t *testing.T, from *os.File, end string) string {
	t.Helper()
	var text []byte
	for buffer := make([]byte, 4096); !bytes.HasSuffix(text, []byte(end)); {
		n, err := from.Read(buffer)
		if err != nil {
			t.Fatal(err)
		}
		text = append(text, buffer[:n]...)
	}
	return strings.TrimSuffix(string(text), end)
}

// At every width each line takes one row, so that the next picture covers the last one. After a resize, which may have
// wrapped lines, the whole screen is cleared first.
func TestResize(t *testing.T) {
	t.Setenv("NO_COLOR", "1")
	v := &view{live: true, head: []string{strings.Repeat("head ", 400), "the page is here"}, began: time.Now(), at: time.Now()}
	for _, at := range []string{"2026-11-01T00:00:02Z", "2026-11-01T00:00:01Z"} {
		v.alert([]byte(`{"eventTime":"` + at + `","eventSource":"ec2.amazonaws.com","eventName":"` + strings.Repeat("東京", 60) +
			`","awsRegion":"eu-west-3","recipientAccountId":"111122223333","principal":{"name":"` + strings.Repeat("long", 60) + `"}}`))
	}
	widths := []uint16{120, 60, 60, 80, 200}
	for i, picture := range painted(t, v, widths...) {
		resized := i > 0 && widths[i] != widths[i-1]
		if got := strings.HasPrefix(picture, clearAll); got != resized {
			t.Errorf("%d columns after a resize (%t): the screen is cleared: %t", widths[i], resized, got)
		}
		lines := strings.Split(strings.ReplaceAll(picture, "\r", ""), "\n")
		if len(lines)-1 != v.lines && i == len(widths)-1 {
			t.Errorf("%d lines, %d told", len(lines)-1, v.lines)
		}
		for _, line := range lines {
			for _, control := range []string{clearAll, clearLine, clearBelow} {
				line = strings.ReplaceAll(line, control, "")
			}
			if at := strings.IndexByte(line, 'A'); strings.HasPrefix(line, "\x1b[") {
				line = line[at+1:]
			}
			if n := display.Width(line); n > int(widths[i]) {
				t.Errorf("%d columns: a line of %d: %q", widths[i], n, line)
			}
		}
		if !strings.Contains(picture, "the page is here") {
			t.Errorf("%d columns: the last line of the head is missing", widths[i])
		}
		if early, late := strings.Index(picture, "00:00:01"), strings.Index(picture, "00:00:02"); early > late {
			t.Errorf("%d columns: alerts are not in the order of time", widths[i])
		}
	}
}
