package display

import (
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/regionwatch/regionwatch/schema/incident"
)

// AlertTable formats alerts as lines of a table. On a terminal every line fits: a wide terminal also shows the account's
// group and owner and the source address, a narrow one still shows who did what, and where. Create it with [NewAlertTable].
type AlertTable struct {
	columns []alertColumn
	color   bool
}

// alertColumn is a column. Only the last one may have no width.
type alertColumn struct {
	title string
	width int
	text  func(*AlertRow) string
}

// NewAlertTable returns a table that fits the terminal w, in colour unless NO_COLOR is set. If w is not a terminal, the
// table has all columns, with fixed widths.
func NewAlertTable(w io.Writer) AlertTable {
	width, _, ok := TerminalSize(w)
	if !ok {
		width = 0
	}
	return newAlertTable(width, ok && os.Getenv("NO_COLOR") == "")
}

func newAlertTable(width int, color bool) AlertTable {
	columns := slices.Clone(columnsFor(width))
	rest := width - len(columnGap)*(len(columns)-1)
	for i := range columns {
		rest -= max(columns[i].width, 0)
	}
	rest = max(rest, 8)
	for i := range columns { // the event and the principal share what is left, 11/20 for the event
		switch columns[i].width {
		case widthOfEvent:
			columns[i].width = rest * 11 / 20
		case widthOfPrincipal:
			columns[i].width = rest - rest*11/20
		}
	}
	return AlertTable{columns, color}
}

// Widths of the columns that share what the others leave.
const (
	widthOfEvent     = -1
	widthOfPrincipal = -2
)

// columnsFor returns the columns for a terminal of that width; 0 means no terminal.
func columnsFor(width int) []alertColumn {
	at := func(title string, width int, text func(*AlertRow) string) alertColumn {
		return alertColumn{title, width, text}
	}
	full, clock := at("TIME", 20, func(r *AlertRow) string { return r.Time }), at("TIME", 8, timeIn("15:04:05"))
	short, minute := at("TIME", 14, timeIn("01-02 15:04:05")), at("TIME", 11, timeIn("01-02 15:04"))
	severity, mark := at("SEVERITY", 8, func(r *AlertRow) string { return r.Severity }), at("S", 1, severityMark)
	name := at("ACCOUNT", 12, (*AlertRow).name)
	both := func(width int) alertColumn {
		return at("ACCOUNT", width, func(r *AlertRow) string { return r.nameAndID(width) })
	}
	group, owner := at("GROUP", 10, func(r *AlertRow) string { return r.Group }), at("OWNER", 22, func(r *AlertRow) string { return r.Owner })
	region := at("REGION", 14, func(r *AlertRow) string { return r.Region })
	event := func(width int) alertColumn { return at("EVENT", width, func(r *AlertRow) string { return r.Event }) }
	principal := func(width int) alertColumn {
		return at("PRINCIPAL", width, func(r *AlertRow) string { return r.Principal })
	}
	from := func(width int) alertColumn { return at("FROM", width, func(r *AlertRow) string { return r.From }) }
	switch {
	case width == 0:
		return []alertColumn{full, severity, both(30), group, owner, region, event(28), principal(22), from(0)}
	case width < 80:
		return []alertColumn{clock, region, event(widthOfEvent), principal(widthOfPrincipal)}
	case width < 120:
		return []alertColumn{minute, mark, name, region, event(widthOfEvent), principal(widthOfPrincipal)}
	case width < 160:
		return []alertColumn{short, severity, both(25), group, region, event(widthOfEvent), principal(widthOfPrincipal)}
	case width < 190:
		return []alertColumn{full, severity, both(30), group, region, event(widthOfEvent), principal(widthOfPrincipal), from(15)}
	default:
		return []alertColumn{full, severity, both(30), group, owner, region, event(widthOfEvent), principal(widthOfPrincipal), from(22)}
	}
}

// Header returns the header line, without a newline.
func (t AlertTable) Header() string {
	return t.line(func(c *alertColumn) string { return c.title })
}

// Line returns the line of an alert, without a newline. Its colour shows the severity.
func (t AlertTable) Line(r *AlertRow) string {
	line := t.line(func(c *alertColumn) string { return Cut(c.text(r), longestCell) })
	if color := severityColors[r.Severity]; t.color && color != "" {
		return color + line + resetColor
	}
	return line
}

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

// severityMark is the first letter of the severity.
func severityMark(r *AlertRow) string { return r.Severity[:min(1, len(r.Severity))] }

// timeIn returns the event's time in a layout, in UTC, or the original text if it is not a time.
func timeIn(layout string) func(*AlertRow) string {
	return func(r *AlertRow) string {
		if at, err := time.Parse(time.RFC3339, r.Time); err == nil {
			return at.UTC().Format(layout)
		}
		return r.Time
	}
}

// Incidents writes incidents as a table, in their order.
func Incidents(w io.Writer, list []*incident.Incident) error {
	t := NewTable(w, "SEVERITY", "SINCE", "ACCOUNT", "REGION", "PRINCIPAL", "ALERTS", "FAILED", "TOP ACTION").AlignRight(5, 6).Whole(2, 3).Extra(7)
	for _, i := range list {
		who, where := "(many)", "(many)"
		if i.Principal != nil {
			who, where = i.Principal.Name, i.Region
		}
		alerts := Number(i.Counts.Alerts)
		if i.Counts.Estimate {
			alerts = "~" + alerts
		}
		action := ""
		if len(i.Actions) > 0 {
			action = i.Actions[0].Name
		}
		t.Row(i.Severity, i.FirstSeen.Format("2006-01-02 15:04:05"), i.AccountID, where, who, alerts, Number(i.Counts.Failed), action)
	}
	return t.Flush()
}
