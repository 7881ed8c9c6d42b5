package display

import (
	"strings"

	"github.com/regionwatch/regionwatch/schema/alert"
)

// alertColumns are the widths of the columns of alerts; the last one has none.
var alertColumns = []int{20, 12, 14, 28, 22, 0}

// AlertHeader is the first line of a table of alerts.
var AlertHeader = alertLine("TIME", "ACCOUNT", "REGION", "EVENT", "PRINCIPAL", "FROM")

// AppendAlert appends an alert as a line of a table.
func AppendAlert(dst []byte, a *alert.Alert) []byte { return append(dst, AlertLine(a)...) }

// AlertLine returns an alert as a line of a table.
func AlertLine(a *alert.Alert) string {
	from := JSON(a.SourceIPAddress)
	if a.Partial {
		from += " (partial: " + a.PartialReason + ")"
	}
	service := strings.TrimSuffix(JSON(a.EventSource), ".amazonaws.com")
	return alertLine(JSON(a.EventTime), JSON(a.RecipientAccountID), JSON(a.AWSRegion),
		service+" "+JSON(a.EventName), a.Principal.Name, from)
}

func alertLine(cells ...string) string {
	var b strings.Builder
	for i, cell := range cells {
		cell = Cut(cell, longestCell)
		if width := alertColumns[i]; width > 0 {
			cell = Fit(cell, width) + columnGap
		}
		b.WriteString(cell)
	}
	return strings.TrimRight(b.String(), " ") + "\n"
}
