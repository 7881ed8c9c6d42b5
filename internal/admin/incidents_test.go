package admin

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/schema/incident"
)

var seen = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)

// anIncident returns an incident with a value in every field that the page shows.
func anIncident(text string) *incident.Incident {
	counts := []incident.Count{{Name: text, Alerts: 12, Succeeded: 3}}
	return &incident.Incident{
		ID: text, Revision: 4, Kind: text, Title: text, Severity: text, AccountID: text, Region: text,
		Principal: &incident.Principal{ID: text, Type: text, Name: text}, Window: incident.Window{Start: seen, End: seen.Add(24 * time.Hour)},
		FirstSeen: seen, LastSeen: seen.Add(time.Hour), Counts: incident.Counts{Alerts: 1234, Failed: 1231, Succeeded: 3, Partial: 2, Actions: 5},
		Actions: counts, Sources: counts, Agents: counts, Regions: counts, Principals: counts, OtherRegions: []string{text},
		Escalations: []incident.Escalation{{At: seen, Reason: text, Detail: text}}, Continues: text,
	}
}

// group turns the instance into one that groups alerts, with these incidents open.
func (i *instance) group(list ...*incident.Incident) {
	i.source.Incidents = func(n int) []*incident.Incident { return list[:min(n, len(list))] }
}

// An instance that groups alerts shows the open incidents first, and nothing of what makes alerts.
func TestIncidentsPage(t *testing.T) {
	i := newInstance(t)
	one := anIncident("x")
	one.Kind, one.Severity, one.Title, one.AccountID, one.Region = incident.KindIncident, "Critical", "Calls by dev", "111122223333", "eu-west-3"
	one.Account = []byte(`{"name":"payments","owner":"payments@example.com"}`)
	i.group(one)
	status := processor.Status{}
	status.Counts.Records = 5678
	i.status.Store(&status)
	s := i.start(t.Context(), t, "127.0.0.1:0")
	body := get(t, "GET", "http://"+s.Address()+"/").body
	for _, want := range []string{
		"Open incidents", "Calls by dev", `data-level="critical"`, "111122223333 payments", "owner payments@example.com", "eu-west-3", "1,234 alerts, 3 succeeded, 1,231 failed, 2 partial; 5 actions",
		"2026-11-20 10:00:00", "2026-11-20 11:00:00", "x: x", "x ×12", "5,678", "Alerts read", "Alerts a second",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, other := range []string{"Latest alerts", "By principal", `id="regions"`, "Events a second"} {
		if strings.Contains(body, other) {
			t.Errorf("the page has %q", other)
		}
	}
	if strings.Index(body, "Open incidents</h2>") > strings.Index(body, "Assigned partitions") {
		t.Error("incidents are not first")
	}
	if body := get(t, "GET", "http://"+newInstance(t).start(t.Context(), t, "127.0.0.1:0").Address()+"/").body; strings.Contains(body, "ncident") {
		t.Error("an instance that makes alerts tells of incidents")
	}
}

// Texts of incidents come from alerts, and so from the actor.
func TestHostileIncident(t *testing.T) {
	i := newInstance(t)
	i.group(anIncident(hostile))
	s := i.start(t.Context(), t, "127.0.0.1:0")
	body := get(t, "GET", "http://"+s.Address()+"/").body
	if n := strings.Count(body, "<script"); n != 1 || !strings.Contains(body, "&lt;script&gt;") {
		t.Errorf("%d scripts", n)
	}
	if at := strings.IndexFunc(body, func(r rune) bool { return r != '\n' && display.IsHidden(r) }); at >= 0 {
		t.Errorf("%q is on the page", body[at:at+10])
	}
	part := string(parts(s.live.now())["incidents"])
	if at := strings.IndexFunc(part, func(r rune) bool { return display.IsHidden(r) || r == '<' }); at >= 0 {
		t.Errorf("%q is sent", part[at:])
	}
}

// However many incidents are open and however long their texts, the page is bounded.
func TestIncidentsAreBounded(t *testing.T) {
	var list []*incident.Incident
	for n := range shownIncidents + 1 {
		one := anIncident(strings.Repeat("x", 1<<12))
		one.ID = fmt.Sprint(n)
		list = append(list, one)
	}
	v := newIncidentsView(list)
	if len(v.Rows) != shownIncidents || v.openText() != "over 200" || v.Note != "the 200 most important" || v.Rows[0].Key != "i0" {
		t.Errorf("%d rows, %s open, %s", len(v.Rows), v.openText(), v.Note)
	}
	for _, text := range []string{v.Rows[0].Title, v.Rows[0].Actions, v.Rows[0].Escalated, v.Rows[0].Others, v.Rows[0].Actor} {
		if len(text) > textLength+len("…") {
			t.Errorf("a text of %d bytes", len(text))
		}
	}
	if v := newIncidentsView(nil); v.Empty == "" || v.openText() != "0" {
		t.Errorf("none: %+v", v)
	}
}

// An incident without account or principal says what it has instead.
func TestIncidentWithout(t *testing.T) {
	partition := int32(3)
	r := newIncidentRow(&incident.Incident{Kind: incident.KindStorm, Partition: &partition, Counts: incident.Counts{Alerts: 1, Estimate: true}})
	if r.Account != "no account, partition 3" || r.Kind != "storm" || r.Principal != "" || r.Counts != "about 1 alert" {
		t.Errorf("%+v", r)
	}
}

// A live view gets a changed incident, and the rate is that of alerts.
func TestLiveIncidents(t *testing.T) {
	i := newInstance(t)
	s := i.start(t.Context(), t, "127.0.0.1:0", func(*Options) { i.group(anIncident("one")) })
	lines := listen(t.Context(), t, s)
	if first := next(t, lines); !strings.Contains(string(first["incidents"]), `"title":"one"`) {
		t.Errorf("%s", first["incidents"])
	}
	var h history
	h.byRecord = true
	var status processor.Status
	h.add(seen, status)
	status.Counts.Records = 10
	h.add(seen.Add(time.Second), status)
	if h.rate <= 0 {
		t.Error("records do not count")
	}
}
