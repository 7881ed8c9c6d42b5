package admin

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/schema/incident"
)

// shownIncidents bounds the open incidents on the page; the most important are shown.
const shownIncidents = 200

type incidentsView struct {
	Rows   []incidentRow `json:"rows"`
	Empty  string        `json:"empty"`
	Note   string        `json:"note"`
	Total  int           `json:"total"`  // tells the script about new ones
	Latest string        `json:"latest"` // what the script says about them
}

// incidentRow is an open incident on the page. All texts are safe to show. Names that alerts have too are the same, so
// that both are filtered alike.
type incidentRow struct {
	Key         string          `json:"key"`
	Severity    string          `json:"severity"`
	Level       string          `json:"level"` // the severity, by its name in the style sheet
	Title       string          `json:"title"`
	Kind        string          `json:"kind"` // what is special about it
	Region      string          `json:"region"`
	Place       string          `json:"place"`
	Account     string          `json:"account"` // id, and name if known
	Owner       string          `json:"owner"`   // group and owner of the account, if known
	Principal   string          `json:"principal"`
	Type        string          `json:"type"`
	Actor       string          `json:"actor"` // identifies the principal
	Counts      string          `json:"counts"`
	Escalated   string          `json:"escalated"` // the latest escalation
	First       string          `json:"first"`
	Last        string          `json:"last"`
	Window      string          `json:"window"`
	Actions     string          `json:"actions"`
	Sources     string          `json:"sources"`
	Agents      string          `json:"agents"`
	Regions     string          `json:"regions"`
	Principals  string          `json:"principals"`
	Others      string          `json:"others"` // other regions of the principal
	Escalations []escalationRow `json:"escalations"`
	Continues   string          `json:"continues"`
	ID          string          `json:"id"`
	Revision    string          `json:"revision"`
}

type escalationRow struct {
	Key  string `json:"key"`
	At   string `json:"at"`
	Text string `json:"text"`
}

// newIncidentsView returns the view of open incidents, which come the most important first and may be one more than are
// shown.
func newIncidentsView(list []*incident.Incident) *incidentsView {
	v := &incidentsView{Rows: []incidentRow{}, Note: "the most important first", Total: len(list)}
	switch {
	case len(list) == 0:
		v.Empty, v.Note = "No open incidents in the partitions of this instance.", ""
	case len(list) > shownIncidents:
		list = list[:shownIncidents]
		v.Note = fmt.Sprintf("the %d most important", shownIncidents)
	}
	for _, i := range list {
		v.Rows = append(v.Rows, newIncidentRow(i))
	}
	if len(v.Rows) > 0 {
		v.Latest = v.Rows[0].Title
	}
	return v
}

// openText returns how many incidents are open.
func (v *incidentsView) openText() string {
	if v.Total > shownIncidents {
		return "over " + strconv.Itoa(shownIncidents)
	}
	return strconv.Itoa(v.Total)
}

func newIncidentRow(i *incident.Incident) incidentRow {
	name := func(text string) string { return display.Cut(text, nameLength) }
	r := incidentRow{
		Key: "i" + name(i.ID), ID: name(i.ID), Revision: strconv.FormatUint(i.Revision, 10), Continues: name(i.Continues),
		Severity: name(i.Severity), Level: severityLevel(i.Severity), Title: display.Cut(i.Title, textLength), Kind: kindText(i),
		Region: name(i.Region), Place: placeOf(i.Region), Account: name(i.AccountID), Counts: countsText(&i.Counts),
		First: timeText(i.FirstSeen), Last: timeText(i.LastSeen), Window: timeText(i.Window.Start) + " to " + timeText(i.Window.End),
		Actions: topText(i.Actions), Sources: topText(i.Sources), Agents: topText(i.Agents), Regions: topText(i.Regions),
		Principals: topText(i.Principals), Others: display.Cut(strings.Join(i.OtherRegions, ", "), textLength),
		Escalations: []escalationRow{},
	}
	if i.Partition != nil {
		r.Account = "no account, partition " + strconv.Itoa(int(*i.Partition))
	}
	if p := i.Principal; p != nil {
		r.Principal, r.Type, r.Actor = name(p.Name), name(p.Type), display.Cut(p.ID, textLength)
	}
	facts := display.NewAccountFacts(i.Account)
	r.Account = strings.TrimSpace(r.Account + " " + name(facts.Name))
	facts.Name = ""
	r.Owner = display.Cut(facts.Text(), textLength)
	for n := range i.Escalations {
		r.Escalations = append(r.Escalations, newEscalationRow(n, &i.Escalations[n]))
	}
	if n := len(r.Escalations); n > 0 {
		r.Escalated = r.Escalations[n-1].Text
	}
	return r
}

func newEscalationRow(n int, e *incident.Escalation) escalationRow {
	return escalationRow{Key: "e" + strconv.Itoa(n), At: timeText(e.At), Text: display.Cut(e.Reason+": "+e.Detail, nameLength)}
}

// kindText returns what is special about an incident, or "".
func kindText(i *incident.Incident) string {
	if i.Kind == incident.KindIncident {
		return ""
	}
	return display.Cut(i.Kind, nameLength)
}

func countsText(c *incident.Counts) string {
	about := ""
	if c.Estimate {
		about = "about "
	}
	text := about + display.Plural(c.Alerts, "alert")
	if c.Succeeded > 0 {
		text += ", " + display.Number(c.Succeeded) + " succeeded"
	}
	if c.Failed > 0 {
		text += ", " + display.Number(c.Failed) + " failed"
	}
	if c.Partial > 0 {
		text += ", " + display.Number(c.Partial) + " partial"
	}
	if c.Actions > 1 {
		text += "; " + display.Number(c.Actions) + " actions"
	}
	return text
}

// topText lists names with their counts.
func topText(list []incident.Count) string {
	names := make([]string, 0, len(list))
	for n := range list {
		names = append(names, display.Cut(list[n].Name, nameLength)+" ×"+display.Number(list[n].Alerts))
	}
	return display.Cut(strings.Join(names, ", "), textLength)
}
