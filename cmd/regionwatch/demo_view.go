package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/internal/scan"
	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/alert"
)

// demoView shows the demo: a picture that is repainted on a terminal, lines elsewhere. Text of events is
// made display.Text before it gets here.
type demoView struct {
	out    io.Writer
	live   bool
	head   []string
	began  time.Time
	events uint64 // at the last painting
	at     time.Time
	lines  int // of the picture on the terminal

	mu       sync.Mutex
	rows     []string // the newest alerts, the oldest first
	accounts scan.Tops
	regions  scan.Tops
	warnings []string
}

// The rows of the live view.
const (
	shownAlerts   = 12
	shownWarnings = 2
)

func newDemoView(cmd *cobra.Command, broker string, s *config.Settings, p *policy.Policy) *demoView {
	v := &demoView{out: cmd.OutOrStdout(), began: time.Now(), at: time.Now()}
	v.live = display.IsTerminal(v.out)
	v.head = []string{
		fmt.Sprintf("Kafka broker on %s, topics %s, %s, %s", broker, demoInput, demoAlerts, demoDeadLetters),
		fmt.Sprintf("delivery %s, %s", s.Delivery, policyText(s, p)),
		"look at the alerts from another terminal, with either of",
		fmt.Sprintf("  kcat -C -b %s -t %s", broker, demoAlerts),
		fmt.Sprintf("  kafka-console-consumer.sh --bootstrap-server %s --topic %s --from-beginning", broker, demoAlerts),
	}
	return v
}

// logger returns a log for the pipeline: warnings, in the picture where there is one.
func (v *demoView) logger(stderr io.Writer) *slog.Logger {
	level := &slog.HandlerOptions{Level: slog.LevelWarn}
	if v.live {
		return slog.New(slog.NewTextHandler(warningWriter{v}, level))
	}
	return slog.New(slog.NewTextHandler(stderr, level))
}

// warningWriter keeps the last lines of the log.
type warningWriter struct{ v *demoView }

// Write takes one line.
func (w warningWriter) Write(line []byte) (int, error) {
	w.v.mu.Lock()
	defer w.v.mu.Unlock()
	w.v.warnings = newest(append(w.v.warnings, display.Text(strings.TrimSpace(string(line)))), shownWarnings)
	return len(line), nil
}

// newest returns the last n lines.
func newest(lines []string, n int) []string { return lines[max(len(lines)-n, 0):] }

// alert takes an alert that the broker has acknowledged. It is called from the pipeline's goroutines.
func (v *demoView) alert(encoded []byte) {
	var a alert.Alert
	if err := json.Unmarshal(encoded, &a); err != nil {
		return // the account counts them from the topic
	}
	row := strings.TrimSuffix(display.AlertLine(&a), "\n")
	v.mu.Lock()
	defer v.mu.Unlock()
	v.rows = append(v.rows, row)
	if v.live {
		v.rows = newest(v.rows, shownAlerts)
	}
	v.accounts.Add(display.JSON(a.RecipientAccountID))
	v.regions.Add(display.JSON(a.AWSRegion))
}

const (
	hideCursor = "\x1b[?25l"
	showCursor = "\x1b[?25h"
	clearBelow = "\x1b[J"
	clearLine  = "\x1b[K"
)

func (v *demoView) begin() {
	if v.live {
		fmt.Fprint(v.out, hideCursor)
		return
	}
	fmt.Fprintln(v.out, strings.Join(v.head, "\n"))
}

// end leaves the picture as it is and gives the cursor back.
func (v *demoView) end() {
	if v.live {
		fmt.Fprint(v.out, showCursor)
	}
	fmt.Fprintln(v.out)
}

// run shows until ctx ends, and once more then.
func (v *demoView) run(ctx context.Context, status func() processor.Status) error {
	every := time.Second
	if v.live {
		every = 250 * time.Millisecond
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		v.show(status())
		select {
		case <-tick.C:
		case <-ctx.Done():
			v.show(status())
			return nil
		}
	}
}

func (v *demoView) show(s processor.Status) {
	state := v.state(&s)
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.live {
		v.paint(append([]string{state}, v.tallies()...))
		return
	}
	for _, row := range v.rows {
		fmt.Fprintln(v.out, row)
	}
	v.rows = v.rows[:0]
	fmt.Fprintln(v.out, state)
}

// state is the line that says how it goes.
func (v *demoView) state(s *processor.Status) string {
	c, now := &s.Counts, time.Now()
	rate := float64(c.Events-v.events) / max(now.Sub(v.at).Seconds(), 0.001)
	v.events, v.at = c.Events, now
	return fmt.Sprintf("%s: %s events, %s/s; %s alerts, %s dead letters; %d partitions, lag %d",
		display.Duration(now.Sub(v.began).Round(time.Second)), display.Number(c.Events), display.Number(uint64(rate)),
		display.Number(s.Acked), display.Number(s.DeadLetter), s.Assigned, s.Lag)
}

// tallies are the lines that say what the alerts were about.
func (v *demoView) tallies() []string {
	tally := func(name string, tops *scan.Tops) string {
		most, others := tops.Most(6)
		var parts []string
		for _, t := range most {
			parts = append(parts, display.Text(t.Key)+" "+display.Number(t.Count))
		}
		if others > 0 {
			parts = append(parts, "others "+display.Number(others))
		}
		return "alerts by " + name + ": " + strings.Join(parts, ", ")
	}
	return []string{tally("region", &v.regions), tally("account", &v.accounts)}
}

// paint draws the picture over the last one. Its lines are cut to the terminal, so that each takes one row.
// On a low terminal the head goes first, then the oldest alerts.
func (v *demoView) paint(state []string) {
	width, height := v.size()
	foot := append(append([]string{}, v.warnings...), "Ctrl-C ends with an account of everything.")
	body := append(append([]string{}, state...), "", strings.TrimSuffix(display.AlertHeader, "\n"))
	room := height - 1 - len(body) - len(foot)
	alerts := newest(v.rows, max(min(room, shownAlerts), 0))
	lines := append(append([]string{}, v.head...), "")
	lines = append(newest(lines, max(room-shownAlerts, 0)), body...)
	lines = append(append(lines, alerts...), make([]string, max(min(room, shownAlerts)-len(alerts), 0))...)
	lines = newest(append(lines, foot...), height-1)
	var b strings.Builder
	if v.lines > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", v.lines)
	}
	b.WriteString("\r")
	for _, line := range lines {
		b.WriteString(cutTo(line, width) + clearLine + "\n")
	}
	b.WriteString(clearBelow)
	v.lines = len(lines)
	fmt.Fprint(v.out, b.String())
}

// size returns the terminal's width and height, as it is now.
func (v *demoView) size() (width, height int) {
	if file, ok := v.out.(*os.File); ok {
		if width, height, err := term.GetSize(int(file.Fd())); err == nil && width > 0 && height > 1 {
			return width, height
		}
	}
	return 80, 24
}

// cutTo cuts a line to a width in characters.
func cutTo(line string, width int) string {
	if runes := []rune(line); len(runes) > width {
		return string(runes[:width])
	}
	return line
}
