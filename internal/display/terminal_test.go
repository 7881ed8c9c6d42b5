package display

import (
	"bufio"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/creack/pty"
	"github.com/schollz/progressbar/v3"

	"github.com/regionwatch/regionwatch/schema/alert"
)

// onTerminal returns what write prints to a pseudo-terminal of the given width.
func onTerminal(t *testing.T, width uint16, write func(terminal *os.File)) (lines []string) {
	t.Helper()
	ours, terminal, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	if err := pty.Setsize(terminal, &pty.Winsize{Rows: 24, Cols: width}); err != nil {
		t.Fatal(err)
	}
	read := make(chan []string)
	go func() {
		var lines []string
		for scanner := bufio.NewScanner(ours); scanner.Scan(); {
			lines = append(lines, scanner.Text())
		}
		read <- lines
	}()
	write(terminal)
	terminal.Close()
	return <-read
}

var shownAlert = alert.Alert{
	EventTime: json.RawMessage(`"2026-11-01T12:34:56Z"`), Severity: "High", AWSRegion: json.RawMessage(`"ap-southeast-2"`),
	EventSource: json.RawMessage(`"ec2.amazonaws.com"`), EventName: json.RawMessage(`"RunInstances"`), RecipientAccountID: json.RawMessage(`"111111111111"`),
	SourceIPAddress: json.RawMessage(`"192.0.2.1"`), Principal: alert.Principal{Name: "deploy\x1b[2J"},
	Policy: alert.Policy{Account: json.RawMessage(`{"name":"payments","group":"prod","owner":"pay@example.com"}`)},
}

var shownRow = NewAlertRow(&shownAlert)

// Every line fits the terminal and shows who did what, and where.
func TestAlertTableFits(t *testing.T) {
	for width, more := range map[uint16]string{
		60: "12:34:56", 80: "11-01 12:34  H  payments", 120: "High      payments 111111111111", 160: "192.0.2.1",
		200: "payments 111111111111           prod        pay@example.com ",
	} {
		t.Setenv("NO_COLOR", "1")
		lines := onTerminal(t, width, func(terminal *os.File) {
			table := NewAlertTable(terminal)
			_, _ = terminal.WriteString(table.Header() + "\n" + table.Line(&shownRow) + "\n")
		})
		if len(lines) != 2 {
			t.Fatalf("%d lines at %d: %q", len(lines), width, lines)
		}
		for _, line := range lines {
			if Width(strings.TrimSuffix(line, "\r")) > int(width) {
				t.Errorf("%d columns: %q", width, line)
			}
		}
		for _, want := range []string{"ec2 RunInstan", "ap-southeast-2", "deploy", more} {
			if !strings.Contains(lines[1], want) {
				t.Errorf("%d columns lack %q: %q", width, want, lines[1])
			}
		}
		if strings.Contains(lines[1], "\x1b") {
			t.Errorf("colour despite NO_COLOR, or an event's escape sequence: %q", lines[1])
		}
	}
	t.Setenv("NO_COLOR", "")
	lines := onTerminal(t, 80, func(terminal *os.File) { _, _ = terminal.WriteString(NewAlertTable(terminal).Line(&shownRow) + "\n") })
	if len(lines) != 1 || !strings.HasPrefix(lines[0], "\x1b[31m") || !strings.HasSuffix(strings.TrimSuffix(lines[0], "\r"), resetColor) {
		t.Errorf("no colour: %q", lines)
	}
}

// Rows are in the order of their times, whatever zone those are in; rows without a time come last, in their order.
func TestSortByTime(t *testing.T) {
	rows := []AlertRow{{Time: "x"}, {Time: "2026-11-01T02:00:00Z"}, {Time: ""}, {Time: "2026-11-01T03:30:00+02:00"}, {Time: "2026-11-01T02:00:00Z", Name: "second"}}
	SortByTime(rows)
	want := []AlertRow{rows[0], {Time: "2026-11-01T02:00:00Z"}, {Time: "2026-11-01T02:00:00Z", Name: "second"}, {Time: "x"}, {}}
	if !slices.Equal(rows, want) || rows[0].Time != "2026-11-01T03:30:00+02:00" {
		t.Errorf("%v", rows)
	}
}

// Columns that are useless when cut stay whole, and one that would get too narrow is left out.
func TestTableKeepsColumns(t *testing.T) {
	for width, want := range map[uint16]string{
		32: "111122223333  eu-west-3  princi…", 40: "111122223333  eu-west-3  principal", 60: "111122223333  eu-west-3  principal  some long reason for th…", 80: "111122223333  eu-west-3  principal  some long reason for this row",
	} {
		lines := onTerminal(t, width, func(terminal *os.File) {
			table := NewTable(terminal).Whole(0, 1).Extra(3)
			table.Row("111122223333", "eu-west-3", "principal", "some long reason for this row")
			_ = table.Flush()
		})
		if len(lines) != 1 || strings.TrimSpace(lines[0]) != want {
			t.Errorf("%d columns: %q", width, lines)
		}
	}
}

// A progress bar stays on one line, which the next state replaces.
func TestBarFits(t *testing.T) {
	for _, width := range []uint16{60, 80, 120, 200} {
		lines := onTerminal(t, width, func(terminal *os.File) {
			bytes := NewBar(terminal, 5e9, true, progressbar.OptionThrottle(0), progressbar.OptionShowBytes(true), progressbar.OptionShowTotalBytes(true))
			records := NewBar(terminal, -1, true, progressbar.OptionThrottle(0), progressbar.OptionShowCount(),
				progressbar.OptionSetDescription("reading dead letters"))
			for range 3 {
				_, _ = bytes.Add(123_456_789), records.Add(1_234_567)
			}
			_, _ = terminal.WriteString("\n")
		})
		states := strings.FieldsFunc(strings.Join(lines, "\r"), func(r rune) bool { return r == '\r' })
		if len(lines) != 1 || len(states) < 6 {
			t.Errorf("%d columns: %q", width, lines)
		}
		for _, state := range states {
			if state = strings.ReplaceAll(state, "\x1b[0K", ""); Width(state) > int(width) {
				t.Errorf("%d columns: %q", width, state)
			}
		}
	}
}

// A bar, also one of unknown length, that was cleared does not come back by itself over what is written then.
func TestBarIsDrawnWhenTold(t *testing.T) {
	for _, total := range []int64{-1, 100} {
		lines := onTerminal(t, 80, func(terminal *os.File) {
			synctest.Test(t, func(*testing.T) {
				bar := NewBar(terminal, total, true)
				_ = bar.Add(1)
				_ = bar.Clear()
				_, _ = terminal.WriteString("cleared")
				time.Sleep(time.Minute)
				_, _ = terminal.WriteString("\n")
			})
		})
		if len(lines) != 1 || !strings.HasSuffix(lines[0], "\rcleared") {
			t.Errorf("total %d: %q", total, lines)
		}
	}
}

// A table shrinks its widest columns until it fits.
func TestTableFits(t *testing.T) {
	for _, width := range []uint16{60, 80, 120, 200} {
		lines := onTerminal(t, width, func(terminal *os.File) {
			table := NewTable(terminal, "NAME", "TEXT", "NUMBER").AlignRight(2)
			table.Row("first", strings.Repeat("long ", 60), 1)
			table.Row("second\x1b[2J", strings.Repeat("日本", 60), 23)
			if err := table.Flush(); err != nil {
				t.Error(err)
			}
		})
		if len(lines) != 3 {
			t.Fatalf("%d lines: %q", len(lines), lines)
		}
		for _, line := range lines {
			if line = strings.TrimSuffix(line, "\r"); Width(line) > int(width) || strings.Contains(line, "\x1b") {
				t.Errorf("%d columns: %q", width, line)
			}
		}
		if !strings.HasPrefix(lines[1], "first ") || !strings.HasSuffix(strings.TrimSuffix(lines[2], "\r"), " 23") {
			t.Errorf("%d columns: %q", width, lines)
		}
	}
}
