package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/regionwatch/regionwatch/internal/display"
)

// writeText writes the form for people. Whatever comes from events, files or brokers is display.Bytes.
func (l *explainLine) writeText(w io.Writer) error {
	var t explainText
	t.title(l)
	t.add("shape", strings.Join(l.Shape, " > "))
	switch {
	case l.explainEvent != nil:
		t.event(l.explainEvent)
	case l.Skipped != nil:
		t.add("skipped", l.Skipped.Name+": "+l.Skipped.Text)
	default:
		t.fault(l.explainFault)
	}
	t.b.WriteByte('\n')
	_, err := io.WriteString(w, t.b.String())
	return err
}

// explainText gathers lines of a name and a text.
type explainText struct{ b strings.Builder }

// maxTextRunes is how much of a text a line shows.
const maxTextRunes = 300

func (t *explainText) add(name, text string) {
	if text == "" {
		text = "-"
	}
	text = display.Text(text)
	if runes := []rune(text); len(runes) > maxTextRunes {
		text = string(runes[:maxTextRunes]) + "…"
	}
	fmt.Fprintf(&t.b, "  %-18s  %s\n", name, text)
}

func (t *explainText) title(l *explainLine) {
	name := map[string]string{"event": "event", "skip": "skipped part", "fault": "unreadable part"}[l.Kind]
	if l.Number != nil {
		name += fmt.Sprintf(" %d", *l.Number)
		if l.Kind == "fault" {
			name = fmt.Sprintf("damage of event %d", *l.Number)
		}
	}
	o := &l.Origin
	place := fmt.Sprintf("%s, byte %d", o.File, o.Offset)
	if o.Partition != nil {
		place = fmt.Sprintf("%s:%d:%d", o.Topic, *o.Partition, o.Offset)
	}
	if l.Index != nil {
		place += fmt.Sprintf(", event %d of the record", *l.Index)
	}
	t.b.WriteString(display.Text(name+" ("+place+")") + "\n")
}

func (t *explainText) event(e *explainEvent) {
	if e.Damage != nil {
		t.add("damage", e.Damage.Text+": "+e.Damage.Error)
	}
	f := &e.Fields
	t.field("eventID", f.EventID, e.Cut)
	t.field("eventName", f.EventName, e.Cut)
	t.field("eventSource", f.EventSource, e.Cut)
	t.field("userIdentityType", f.UserIdentityType, e.Cut)
	t.field("recipientAccountId", f.RecipientAccountID, e.Cut)
	t.field("awsRegion", f.AWSRegion, e.Cut)
	t.field("readOnly", f.ReadOnly, e.Cut)
	t.add("policy", e.Policy.Version+", level "+e.Policy.Level)
	t.add("region is", e.Region.Text)
	t.add("readOnly is", e.ReadOnly.Text)
	t.add("exception", e.exceptionText)
	t.add("decision", e.Decision.Text)
	if a := e.Alert; a != nil {
		t.add("alert", a.Title)
		t.add("alert id", a.ID)
		if a.Partial {
			t.add("alert is partial", a.PartialReason)
		}
	}
}

// field shows a value as it stands.
func (t *explainText) field(name string, value json.RawMessage, cut []string) {
	for _, c := range cut {
		if c == name {
			t.add(name, "(too long or too deep to show)")
			return
		}
	}
	t.add(name, string(value))
}

func (t *explainText) fault(f *explainFault) {
	t.add("reason", f.Reason)
	t.add("error", f.Error)
	if f.Bytes == 0 && f.After != "" {
		t.add("stopped at", fmt.Sprintf("byte %d; nobody knows of how many, for the rest was not read", f.StoppedAt))
	} else {
		t.add("stopped at", fmt.Sprintf("byte %d of %d", f.StoppedAt, f.Bytes))
	}
	t.add("before that", f.Before)
	t.add("from there on", f.After)
}
