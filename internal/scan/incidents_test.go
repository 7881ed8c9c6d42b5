package scan

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	incidents "github.com/regionwatch/regionwatch/processor/incident"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/incident"
)

const incidentEvent = `{"eventVersion":"1.11","userIdentity":{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/dev/SESSION",` +
	`"sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::111122223333:role/dev","userName":"dev"}}},"eventTime":"2026-11-20T0HOUR:00:00Z",` +
	`"eventSource":"ec2.amazonaws.com","eventName":"RunInstances","awsRegion":"REGION","readOnly":false,"eventID":"<id>","recipientAccountId":"111122223333"}`

// incidentEvents returns events, one per line, of the given hour and region each; every second has another session's name.
func incidentEvents(places ...string) string {
	var b strings.Builder
	for n, place := range places {
		hour, region, _ := strings.Cut(place, " ")
		b.WriteString(strings.NewReplacer("HOUR", hour, "REGION", region, "<id>", "event-"+string(rune('a'+n)), "SESSION", string(rune('a'+n%2))).Replace(incidentEvent) + "\n")
	}
	return b.String()
}

func openString(text string) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }
}

// group scans events and groups their alerts.
func group(t *testing.T, p *policy.Policy, events string) *Incidents {
	t.Helper()
	s := NewIncidents(p, time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC))
	groupInto(t, s, p, events)
	return s
}

// groupInto scans events and adds their alerts.
func groupInto(t *testing.T, s *Incidents, p *policy.Policy, events string) {
	t.Helper()
	o := Options{Policy: p, Alerts: s, NoEventCopy: true, Append: func(dst []byte, a *alert.Alert) []byte {
		return append(alert.AppendJSON(dst, a), '\n')
	}}
	source := Source{Name: "events", Size: -1, Open: openString(events)}
	if _, err := Run(t.Context(), o, []Source{source}); err != nil {
		t.Fatal(err)
	}
}

func compile(t *testing.T, o policy.Options) *policy.Policy {
	t.Helper()
	p, err := policy.Compile(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A scan groups what its events say, sessions of a role together and the same event once.
func TestIncidents(t *testing.T) {
	events := incidentEvents("1 eu-west-3", "2 eu-west-3", "3 ap-east-1", "4 us-east-1")
	s := group(t, compile(t, policy.Options{}), events+events)
	list := s.List()
	if len(list) != 2 || list[0].Region != "eu-west-3" || list[0].Counts.Alerts != 2 || list[1].Counts.Alerts != 1 ||
		list[0].Status != incident.StatusClosed || list[0].OtherRegions[0] != "ap-east-1" ||
		list[0].Activity != incident.Create || list[0].Revision != 1 {
		t.Errorf("%+v", list)
	}
	var told bytes.Buffer
	s.Grouped().print(&told)
	if want := "3 alerts in 2 incidents, 3 repeated\n"; told.String() != want {
		t.Errorf("got %q, want %q", told.String(), want)
	}
}

func TestIncidentsBelowTheThreshold(t *testing.T) {
	p := compile(t, policy.Options{Default: policy.Level{Incidents: &policy.Incidents{Threshold: 2}}})
	s := group(t, p, incidentEvents("1 eu-west-3", "2 eu-west-3", "3 ap-east-1"))
	var told bytes.Buffer
	g := s.Grouped()
	if g.Alerts != 3 || g.Counted != 2 || g.Below != 1 || g.Incidents != 1 || g.Severities["High"] != 1 {
		t.Errorf("%+v", *g)
	}
	g.print(&told)
	if want := "2 alerts in 1 incident, 1 below the threshold\n"; told.String() != want {
		t.Errorf("got %q, want %q", told.String(), want)
	}
}

// However alerts are cut into writes, they are the same.
func TestIncidentsInPieces(t *testing.T) {
	var alerts bytes.Buffer
	p := compile(t, policy.Options{})
	o := Options{Policy: p, Alerts: &alerts, Append: func(dst []byte, a *alert.Alert) []byte { return append(alert.AppendJSON(dst, a), '\n') }}
	source := Source{Name: "events", Size: -1, Open: openString(incidentEvents("1 eu-west-3", "2 eu-west-3"))}
	if _, err := Run(t.Context(), o, []Source{source}); err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{1, 7, 1000, alerts.Len()} {
		s, text := NewIncidents(p, time.Now()), alerts.Bytes()
		for first := 1; len(text) > 0; first = size { // a single byte comes first
			n := min(first, len(text))
			if _, err := s.Write(text[:n]); err != nil {
				t.Fatal(err)
			}
			text = text[n:]
		}
		if list := s.List(); len(list) != 1 || list[0].Counts.Alerts != 2 {
			t.Errorf("%d bytes at a time: %+v", size, list)
		}
	}
	if _, err := NewIncidents(p, time.Now()).Write([]byte("no alert\n")); err == nil {
		t.Error("no error for a line that is no alert")
	}
}

func TestWriteIncidents(t *testing.T) {
	list := group(t, compile(t, policy.Options{}), incidentEvents("1 eu-west-3")).List()
	list[0].Principal.Name = "\x1b[2Jdev"
	f := func(format string) string {
		t.Helper()
		var b bytes.Buffer
		if err := WriteIncidents(&b, format, list); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	if got, err := incident.Decode([]byte(f("auto"))); err != nil || got.ID != list[0].ID {
		t.Errorf("%+v, %v", got, err)
	}
	var finding map[string]any
	if err := json.Unmarshal([]byte(f("ocsf")), &finding); err != nil || finding["class_uid"] != 2004.0 {
		t.Errorf("%v, %v", finding, err)
	}
	if got := f("table"); !strings.Contains(got, "ec2.amazonaws.com RunInstances") || strings.Contains(got, "\x1b") || strings.HasPrefix(got, "{") {
		t.Errorf("%q", got)
	}
}

// A storm and an estimated incident are counted and told, each once.
func TestIncidentsBeyondTheBudget(t *testing.T) {
	p := compile(t, policy.Options{})
	s := NewIncidents(p, time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC))
	s.grouper = incidents.New(incidents.Options{Settings: p.Incidents, Budget: &incidents.Budget{MaxIncidents: 2, MaxIDs: 1}})
	for n := range 70 { // in as many writes, some of which are a reason to write the incident again
		groupInto(t, s, p, strings.Replace(incidentEvents("1 eu-west-3"), "event-a", "event-"+strconv.Itoa(n), 1))
	}
	groupInto(t, s, p, incidentEvents("2 ap-east-1", "2 eu-central-1"))
	g := s.Grouped()
	if g.Incidents != 3 || g.Storms != 1 || g.Estimates != 1 || g.Alerts != 72 {
		t.Errorf("%+v", *g)
	}
	for _, i := range s.List() {
		if i.Activity != incident.Create || i.Revision != 1 {
			t.Errorf("%s of %s is revision %d", i.Activity, i.Region, i.Revision)
		}
	}
	if left := s.grouper.Flush(); len(left) > 0 {
		t.Errorf("%d incidents are kept to be written", len(left))
	}
	var told bytes.Buffer
	g.print(&told)
	if !strings.Contains(told.String(), "in 3 incidents, 1 of them storms") {
		t.Errorf("%q", told.String())
	}
}

// On a terminal, incidents are a table unless JSON is asked for, which is then safe to show.
func TestWriteIncidentsOnATerminal(t *testing.T) {
	list := group(t, compile(t, policy.Options{}), incidentEvents("1 eu-west-3")).List()
	list[0].Principal.Name = "a\u202eb" // turns the direction of the text
	for format, want := range map[string]string{"auto": "RunInstances", "ndjson": `a\u202eb`, "ocsf": `a\u202eb`} {
		terminal, shown := openTerminal(t)
		if err := WriteIncidents(terminal, format, list); err != nil {
			t.Error(err)
		}
		got := shown()
		if isJSON := strings.HasPrefix(got, "{"); !strings.Contains(got, want) || strings.Contains(got, "\u202e") || isJSON == (format == "auto") {
			t.Errorf("%s: %q", format, got)
		}
	}
	if err := WriteIncidents(closedPipe{}, "ndjson", list); !errors.Is(err, io.ErrClosedPipe) || !strings.Contains(err.Error(), "writing incidents: ") {
		t.Errorf("got %v", err)
	}
}
