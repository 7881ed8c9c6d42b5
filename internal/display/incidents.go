package display

import (
	"io"

	"github.com/regionwatch/regionwatch/schema/incident"
)

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
