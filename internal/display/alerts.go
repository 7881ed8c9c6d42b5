package display

import (
	"encoding/json"
	"io"
	"os"
	"strings"
	"time"

	"github.com/regionwatch/regionwatch/schema/alert"
)

// AlertTable formats alerts as lines of a table. On a terminal every line fits: a wide terminal also shows severity,
// account and source address, a narrow one still shows who did what, and where. Create it with [NewAlertTable].
type AlertTable struct {
	columns []alertColumn
	color   bool
}

// alertColumn is a column. Only the last one may have no width.
type alertColumn struct {
	title string
	width int
	text  func(*alert.Alert) string
}

// NewAlertTable returns a table that fits the terminal w, in colour unless NO_COLOR is set. If w is not a terminal, the
// columns have fixed widths.
func NewAlertTable(w io.Writer) AlertTable {
	width, _, ok := TerminalSize(w)
	if !ok {
		width = 0
	}
	return newAlertTable(width, ok && os.Getenv("NO_COLOR") == "")
}

func newAlertTable(width int, color bool) AlertTable {
	at := func(title string, width int, text func(*alert.Alert) string) alertColumn {
		return alertColumn{title, width, text}
	}
	clock, short, full := at("TIME", 8, timeIn("15:04:05")), at("TIME", 14, timeIn("01-02 15:04:05")), at("TIME", 20, eventTime)
	region, severity := at("REGION", 14, region), at("SEVERITY", 8, func(a *alert.Alert) string { return a.Severity })
	// The event and the principal share the remaining width: two gaps, and 11/20 for the event.
	shared := func(taken int) (event, principal alertColumn) {
		rest := max(width-taken-2*len(columnGap), 8)
		return at("EVENT", rest*11/20, eventName), at("PRINCIPAL", rest-rest*11/20, principalName)
	}
	t := AlertTable{color: color}
	switch {
	case width == 0:
		t.columns = []alertColumn{full, at("ACCOUNT", 12, accountID), region, at("EVENT", 28, eventName), at("PRINCIPAL", 22, principalName), at("FROM", 0, from)}
	case width < 80:
		event, principal := shared(8 + 14 + 4)
		t.columns = []alertColumn{clock, region, event, principal}
	case width < 120:
		event, principal := shared(14 + 12 + 14 + 6)
		t.columns = []alertColumn{short, at("ACCOUNT", 12, accountName), region, event, principal}
	case width < 160:
		event, principal := shared(20 + 8 + 25 + 14 + 8)
		t.columns = []alertColumn{full, severity, at("ACCOUNT", 25, account), region, event, principal}
	default:
		event, principal := shared(20 + 8 + 30 + 14 + 39 + 10)
		t.columns = []alertColumn{full, severity, at("ACCOUNT", 30, account), region, event, principal, at("FROM", 39, from)}
	}
	return t
}

// Header returns the header line, without a newline.
func (t AlertTable) Header() string {
	return t.line(func(c *alertColumn) string { return c.title })
}

// Line returns the line of an alert, without a newline. Its colour shows the severity.
func (t AlertTable) Line(a *alert.Alert) string {
	line := t.line(func(c *alertColumn) string { return Cut(c.text(a), longestCell) })
	if color := severityColors[a.Severity]; t.color && color != "" {
		return color + line + resetColor
	}
	return line
}

// Append appends the line of an alert.
func (t AlertTable) Append(dst []byte, a *alert.Alert) []byte { return append(dst, t.Line(a)+"\n"...) }

func (t AlertTable) line(text func(*alertColumn) string) string {
	var b strings.Builder
	for i := range t.columns {
		cell := text(&t.columns[i])
		if width := t.columns[i].width; width > 0 {
			cell = Fit(cell, width) + columnGap
		}
		b.WriteString(cell)
	}
	return strings.TrimRight(b.String(), " ")
}

const resetColor = "\x1b[0m"

// severityColors are the colours of severities (ECMA-48).
var severityColors = map[string]string{
	"Critical": "\x1b[1;31m", "High": "\x1b[31m", "Medium": "\x1b[33m", "Low": "\x1b[36m",
}

func eventTime(a *alert.Alert) string { return JSON(a.EventTime) }

// timeIn returns the event's time in a layout, in UTC, or the original text if it is not a time.
func timeIn(layout string) func(*alert.Alert) string {
	return func(a *alert.Alert) string {
		text := JSON(a.EventTime)
		if at, err := time.Parse(time.RFC3339, text); err == nil {
			return at.UTC().Format(layout)
		}
		return text
	}
}

func accountID(a *alert.Alert) string { return JSON(a.RecipientAccountID) }

// accountName returns the account's name from the policy, or its id.
func accountName(a *alert.Alert) string {
	var facts struct {
		Name string `json:"name"`
	}
	if json.Unmarshal(a.Policy.Account, &facts) == nil && facts.Name != "" {
		return facts.Name
	}
	return accountID(a)
}

// account returns the account's name and id.
func account(a *alert.Alert) string {
	name, id := accountName(a), accountID(a)
	if name == id {
		return id
	}
	return Fit(Cut(name, 60), min(Width(Cut(name, 60)), 16)) + " " + id
}

func region(a *alert.Alert) string { return JSON(a.AWSRegion) }

func eventName(a *alert.Alert) string {
	return strings.TrimSuffix(JSON(a.EventSource), ".amazonaws.com") + " " + JSON(a.EventName)
}

func principalName(a *alert.Alert) string { return a.Principal.Name }

func from(a *alert.Alert) string {
	text := JSON(a.SourceIPAddress)
	if a.Partial {
		text += " (partial: " + a.PartialReason + ")"
	}
	return text
}
