package explain

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/regionwatch/regionwatch/internal/display"
)

// WriteText writes the line for people. It escapes text from events, files and brokers.
func (l *Line) WriteText(w io.Writer) error {
	var t display.Fields
	t.Title(l.title())
	t.Add("shape", strings.Join(l.Shape, " > "))
	switch {
	case l.event != nil:
		l.event.addTo(&t)
		if l.Alert != nil {
			l.Alert.addTo(&t)
		}
	case l.Alert != nil:
		l.Alert.addTo(&t)
	case l.Skipped != nil:
		t.Add("skipped", l.Skipped.Name+": "+l.Skipped.Text)
	default:
		l.fault.addTo(&t)
	}
	if _, err := t.WriteTo(w); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (l *Line) title() string {
	name := map[string]string{"event": "event", "alert": "alert", "skip": "skipped part", "fault": "unreadable part"}[l.Kind]
	if l.Number != nil {
		name += fmt.Sprintf(" %d", *l.Number)
		if l.Kind == "fault" {
			name = fmt.Sprintf("damage of event %d", *l.Number)
		}
	}
	return name + " (" + l.Origin.place(l.Index) + ")"
}

// place says where the record is, and which event of it is meant.
func (o *origin) place(index *int) string {
	place := fmt.Sprintf("%s, byte %d", o.File, o.Offset)
	if o.Partition != nil {
		place = fmt.Sprintf("%s:%d:%d", o.Topic, *o.Partition, o.Offset)
	}
	if index != nil {
		place += fmt.Sprintf(", event %d of the record", *index)
	}
	return place
}

func (e *event) addTo(t *display.Fields) {
	if e.Damage != nil {
		t.Add("damage", e.Damage.Text+": "+e.Damage.Error)
	}
	field := func(name string, value json.RawMessage) {
		if slices.Contains(e.Cut, name) {
			t.Add(name, "(too long or too deep to show)")
			return
		}
		t.Add(name, string(value))
	}
	f := &e.Fields
	field("eventID", f.EventID)
	field("eventTime", f.EventTime)
	field("eventName", f.EventName)
	field("eventSource", f.EventSource)
	field("userIdentityType", f.UserIdentityType)
	switch isCut := func(name string) bool { return slices.Contains(e.Cut, name) }; {
	case f.UserIdentityARN != nil, isCut("userIdentityArn"):
		field("userIdentityArn", f.UserIdentityARN)
	case f.UserName != nil, isCut("userName"):
		field("userName", f.UserName)
	default:
		field("principalId", f.PrincipalID)
	}
	field("sourceIPAddress", f.SourceIPAddress)
	field("recipientAccountId", f.RecipientAccountID)
	field("awsRegion", f.AWSRegion)
	field("readOnly", f.ReadOnly)
	if known := display.NewAccountFacts(e.Policy.Account).Text(); known != "" {
		t.Add("account", known)
	}
	t.Add("policy", e.Policy.Version+", level "+e.Policy.Level)
	t.Add("region is", e.Region.Text)
	t.Add("readOnly is", e.ReadOnly.Text)
	t.Add("exception", e.exceptionText)
	t.Add("decision", e.Decision.Text)
}

func (f *fault) addTo(t *display.Fields) {
	t.Add("reason", f.Reason)
	t.Add("error", f.Error)
	if f.Bytes == 0 && f.After != "" {
		t.Add("stopped at", fmt.Sprintf("byte %d; total size unknown, the rest was not read", f.StoppedAt))
	} else {
		t.Add("stopped at", fmt.Sprintf("byte %d of %d", f.StoppedAt, f.Bytes))
	}
	t.Add("before that", f.Before)
	t.Add("from there on", f.After)
}
