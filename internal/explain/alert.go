package explain

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/internal/scan"
	"github.com/regionwatch/regionwatch/processor/detection"
	incidents "github.com/regionwatch/regionwatch/processor/incident"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
	"github.com/regionwatch/regionwatch/schema/incident"
)

type alertPart struct {
	ID            string `json:"id"`
	Title         string `json:"title"`
	Severity      string `json:"severity"`
	Partial       bool   `json:"partial,omitempty"`
	PartialReason string `json:"partialReason,omitempty"`

	Incident *incidentPart `json:"incident,omitempty"`

	// Of an alert that was read:
	Source    *sourcePart `json:"source,omitempty"`
	JoinsNone string      `json:"joinsNone,omitempty"`
}

// sourcePart is the event that raised an alert.
type sourcePart struct {
	origin
	Index int `json:"index"`

	copied bool // the alert has a copy of it
}

func newAlertPart(a *alert.Alert) *alertPart {
	return &alertPart{ID: a.ID, Title: a.Title, Severity: a.Severity, Partial: a.Partial, PartialReason: a.PartialReason}
}

// incidentPart is the incident that an alert joins, unless its account and window have more incidents than are kept apart.
type incidentPart struct {
	ID        string          `json:"id,omitempty"`
	Unknown   string          `json:"unknown,omitempty"` // why there is no ID
	Principal string          `json:"principal"`
	Window    incident.Window `json:"window"`
}

// withoutAccount says why the incident of an alert is unknown.
const withoutAccount = "without an account it depends on the partition of the alert's record: explain that record, or give --partition"

// newIncidentPart returns nil if neither the event nor its record says when it was.
func newIncidentPart(a *alert.Alert, p *policy.Policy, stamp time.Time, alerts *int32) *incidentPart {
	f, err := alert.ReadFacts(alert.AppendJSON(nil, a))
	if err != nil {
		return nil
	}
	return place(&f, p, stamp, alerts)
}

// place returns the incident of an alert that is, or will be, in that partition of the alerts topic; nil if that is unknown.
func place(f *alert.Facts, p *policy.Policy, stamp time.Time, alerts *int32) *incidentPart {
	if f.Time.IsZero() && f.Stamp.IsZero() {
		return nil
	}
	settings := p.Incidents(f.Account)
	partition := int32(0)
	if alerts != nil {
		partition = *alerts
	}
	k, w := incidents.Place(f, partition, stamp, &settings)
	i := &incidentPart{Principal: f.Actor, Window: w}
	if f.Account == "" && alerts == nil {
		i.Unknown = withoutAccount
		return i
	}
	i.ID = incident.ID(&k, w.Start).String()
	return i
}

// readAlert reads a record that is an alert, exempted event or shadow finding of ours, with its facts. foreign says
// why it joins no incident; a is nil if the record is something else.
func readAlert(value []byte) (a *alert.Alert, f alert.Facts, foreign error) {
	f, err := alert.ReadFacts(value)
	reason, ok := errors.AsType[*alert.ForeignError](err)
	if err != nil && (!ok || reason.Reason != alert.ForeignNoAlert) {
		return nil, f, nil
	}
	a = new(alert.Alert)
	if json.Unmarshal(value, a) != nil || a.Origin.Shape == "" { // events have no origin
		return nil, f, nil
	}
	return a, f, err
}

// newReadAlertLine returns the line of an alert that was read from a record.
func newReadAlertLine(p *scan.Part, a *alert.Alert, f *alert.Facts, foreign error, by *policy.Policy, alerts *int32) *Line {
	l := newLine("alert", p, cloudtrail.Chain{})
	l.Shape = append(l.Shape, alertShape)
	l.Alert = newAlertPart(a)
	o := &a.Origin
	l.Alert.Source = &sourcePart{origin{o.Topic, o.Partition, o.File, o.Offset}, o.Index, a.Event != nil}
	if reason, ok := errors.AsType[*alert.ForeignError](foreign); ok {
		l.Alert.JoinsNone = reason.Err.Error()
	} else if l.Alert.Incident = place(f, by, stampOf(&p.Record), alerts); l.Alert.Incident == nil {
		l.Alert.JoinsNone = "neither the event nor its record says when it was"
	}
	return l
}

// stampOf returns the timestamp of an alert's record that counts, as for incidents: a producer may choose any, or none.
func stampOf(r *detection.Record) time.Time {
	if r.Timestamp.After(r.DecidedAt) || r.Timestamp.UnixMilli() <= 0 {
		return r.DecidedAt
	}
	return r.Timestamp
}

// alertShape is the layer around the event that an alert has a copy of.
const alertShape = "alert of regionwatch"

// copyOf returns the event in an alert as the record that it came in.
func copyOf(a *alert.Alert, p *scan.Part) *scan.Part {
	inner, o := *p, &a.Origin
	inner.Record.Value, inner.Record.Topic, inner.Record.File, inner.Record.Offset = a.Event, o.Topic, o.File, o.Offset
	if o.Partition != nil {
		inner.Record.Partition = *o.Partition
	}
	if stamp, err := time.Parse(time.RFC3339, o.Timestamp); err == nil {
		inner.Record.Timestamp = stamp
	}
	return &inner
}

// addTo adds the alert to the text of its line.
func (a *alertPart) addTo(t *display.Fields) {
	t.Add("alert", a.Title)
	t.Add("alert id", a.ID)
	t.Add("alert severity", a.Severity)
	if a.Partial {
		t.Add("alert is partial", a.PartialReason)
	}
	if i := a.Incident; i != nil {
		const minutes = "2006-01-02 15:04"
		if i.ID == "" {
			t.Add("incident", "unknown, of "+i.Principal+"; "+i.Unknown)
		} else {
			t.Add("incident", i.ID+", of "+i.Principal)
		}
		t.Add("incident window", i.Window.Start.Format(minutes)+" to "+i.Window.End.Format(minutes)+" UTC")
	}
	if a.JoinsNone != "" {
		t.Add("incident", "none: "+a.JoinsNone)
	}
	if s := a.Source; s != nil {
		text := s.place(&s.Index)
		if !s.copied {
			text += "; the alert has no copy of the event: explain that record to see the decision"
		}
		t.Add("raised by", text)
	}
}
