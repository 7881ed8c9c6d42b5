package demo

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/schema/alert"
)

// view shows the demo: on a terminal as a picture that is repainted, elsewhere as lines. All its text is escaped.
type view struct {
	out    io.Writer
	live   bool
	head   []string
	began  time.Time
	events uint64 // at the last repaint
	at     time.Time
	lines  int // height of the picture on the terminal
	width  int // width of the terminal at the last repaint

	mu       sync.Mutex
	alerts   []display.AlertRow // the newest ones, in the order of arrival
	accounts display.Counter
	regions  display.Counter
	warnings []string
}

// Rows of the picture.
const (
	shownAlerts   = 12
	leastAlerts   = 6 // on a short terminal, so that more of the head fits
	shownWarnings = 2
)

func newView(o *Options, broker string) *view {
	v := &view{out: o.Stdout, began: time.Now(), at: time.Now()}
	v.live = display.IsTerminal(v.out)
	v.head = []string{
		fmt.Sprintf("Kafka broker on %s, topics %s, %s, %s", broker, inputTopic, alertTopic, deadLetterTopic),
		fmt.Sprintf("delivery %s, %s, policy %s", o.Settings.Delivery, o.Origin, o.Policy.Version()),
	}
	v.head = append(v.head,
		"read the alerts from another terminal, with either of",
		fmt.Sprintf("  kcat -C -b %s -t %s", broker, alertTopic),
		fmt.Sprintf("  kafka-console-consumer.sh --bootstrap-server %s --topic %s --from-beginning", broker, alertTopic),
	)
	if o.Attacked != "" {
		v.head = append(v.head, "Traffic of a company that does not use "+attackRegion+".", "In a few seconds somebody with a stolen key of the payments "+
			"account creates a key pair there, opens a security group and starts GPU instances. Watch the alerts.")
	}
	return v
}

// logger returns the pipeline's logger. It logs warnings; the picture, if there is one, shows them.
func (v *view) logger(stderr io.Writer) *slog.Logger {
	level := &slog.HandlerOptions{Level: slog.LevelWarn}
	if v.live {
		return slog.New(slog.NewTextHandler(warningWriter{v}, level))
	}
	return slog.New(slog.NewTextHandler(stderr, level))
}

// warningWriter keeps the last lines of the log.
type warningWriter struct{ v *view }

// Write takes one line.
func (w warningWriter) Write(line []byte) (int, error) {
	w.v.mu.Lock()
	defer w.v.mu.Unlock()
	w.v.warnings = newest(append(w.v.warnings, display.Text(strings.TrimSpace(string(line)))), shownWarnings)
	return len(line), nil
}

// newest returns the last n elements of a list.
func newest[T any](list []T, n int) []T { return list[max(len(list)-n, 0):] }

// alert shows an alert that the broker has acknowledged. The pipeline's goroutines call it.
func (v *view) alert(encoded []byte) {
	var a alert.Alert
	if err := json.Unmarshal(encoded, &a); err != nil {
		return // the summary still counts it, from the topic
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	row := display.NewAlertRow(&a)
	v.alerts = append(v.alerts, row)
	if v.live {
		v.alerts = newest(v.alerts, shownAlerts)
	}
	v.accounts.Add(cmp.Or(row.Name, row.Account))
	v.regions.Add(row.Region)
}

const (
	hideCursor = "\x1b[?25l"
	showCursor = "\x1b[?25h"
	clearBelow = "\x1b[J"
	clearLine  = "\x1b[K"
	clearAll   = "\x1b[2J\x1b[H"
)

func (v *view) begin() {
	if v.live {
		fmt.Fprint(v.out, hideCursor)
		return
	}
	fmt.Fprintln(v.out, strings.Join(v.head, "\n"))
}

// end leaves the picture on the screen and shows the cursor again.
func (v *view) end() {
	if v.live {
		fmt.Fprint(v.out, showCursor)
	}
	fmt.Fprintln(v.out)
}

// run shows the state until ctx ends, and once more after that.
func (v *view) run(ctx context.Context, status func() processor.Status) error {
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

func (v *view) show(s processor.Status) {
	state := v.state(&s)
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.live {
		v.paint([]string{state, v.tally("region", &v.regions), v.tally("account", &v.accounts)})
		return
	}
	table := display.NewAlertTable(v.out)
	display.SortByTime(v.alerts)
	for i := range v.alerts {
		fmt.Fprintln(v.out, table.Line(&v.alerts[i]))
	}
	v.alerts = v.alerts[:0]
	fmt.Fprintln(v.out, state)
}

// state returns the progress line.
func (v *view) state(s *processor.Status) string {
	c, now := &s.Counts, time.Now()
	rate := float64(c.Events-v.events) / max(now.Sub(v.at).Seconds(), 0.001)
	v.events, v.at = c.Events, now
	return fmt.Sprintf("%s: %s, %s/s; %s, %s; %s, lag %d",
		display.Duration(now.Sub(v.began).Round(time.Second)), display.Plural(c.Events, "event"), display.Number(uint64(rate)),
		display.Plural(s.Acked, "alert"), display.Plural(s.DeadLetter, "dead letter"), display.Plural(s.Assigned, "partition"), s.Lag)
}

// tally returns a line of counts.
func (v *view) tally(name string, c *display.Counter) string {
	top, others := c.Top(6)
	var parts []string
	for _, t := range top {
		parts = append(parts, display.Text(t.Name)+" "+display.Number(t.Count))
	}
	if others > 0 {
		parts = append(parts, "others "+display.Number(others))
	}
	return "alerts by " + name + ": " + strings.Join(parts, ", ")
}

// paint draws the picture over the last one. It cuts lines to the terminal's width, so that each takes one row. On a short
// terminal it drops the oldest alerts first, then lines of the head from the top: what to expect and where the page is
// come last.
func (v *view) paint(state []string) {
	width, height, ok := display.TerminalSize(v.out)
	if !ok {
		width, height = 80, 24
	}
	foot := append(append([]string{}, v.warnings...), "Ctrl-C ends the demo with a summary of everything.")
	table := display.NewAlertTable(v.out)
	body := append(append([]string{}, state...), "", table.Header())
	room := height - 1 - len(body) - len(foot)
	var lines []string
	for _, line := range v.head {
		lines = append(lines, display.Wrap(line, width)...)
	}
	lines = append(lines, "")
	shown := min(shownAlerts, max(room-len(lines), leastAlerts))
	var alerts []string
	rows := slices.Clone(newest(v.alerts, max(min(room, shown), 0)))
	display.SortByTime(rows)
	for i := range rows {
		alerts = append(alerts, table.Line(&rows[i]))
	}
	lines = append(newest(lines, max(room-shown, 0)), body...)
	lines = append(append(lines, alerts...), make([]string, max(min(room, shown)-len(alerts), 0))...)
	lines = newest(append(lines, foot...), height-1)
	var b strings.Builder
	switch {
	case width != v.width && v.width > 0: // the terminal may have wrapped lines of the last picture
		b.WriteString(clearAll)
	case v.lines > 0:
		fmt.Fprintf(&b, "\x1b[%dA", v.lines)
	}
	b.WriteString("\r")
	for _, line := range lines {
		if display.Width(line) > width && !strings.HasPrefix(line, "\x1b[") { // alerts already fit, whatever their colour
			line = display.Fit(line, width)
		}
		b.WriteString(line + clearLine + "\n")
	}
	b.WriteString(clearBelow)
	v.lines, v.width = len(lines), width
	fmt.Fprint(v.out, b.String())
}
