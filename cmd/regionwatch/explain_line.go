package main

import (
	"encoding/json"
	"io"
	"strings"

	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/internal/scan"
	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// explainSchema documents explainLine for those who read it by programs.
const explainSchema = `The form for programs is a JSON object a line. Names are added, never changed. Each has kind ("event",
"skip", "fault"), origin (topic and partition, or file; offset) and shape (the layers, outermost first).
  event  number (its place in the input), index (in its record), fields (as they came; those that the
         event lacks are left out; cut names those that are too long or too deep), policy (version, level),
         region (unused, text), readOnly (taken: false, true, missing, unknown; text), exception (what exempts
         it: name, reason, owner; or null), decision (outcome as in the metrics, counted, text), and where they
         apply damage (salvaged, error, text), expiredException (what would exempt it, had it not expired:
         name, reason, owner) and alert (id, title, partial, partialReason)
  skip   skipped (name, text)
  fault  reason, error, bytes (of the part that could not be read; 0 where nobody knows), stoppedAt, before,
         after (what stands around that byte, with Go's escapes), and number and index where it is within an event`

// explainLine is one step of an explanation: an event, what was skipped, or what could not be read.
type explainLine struct {
	Kind   string        `json:"kind"`
	Number *int64        `json:"number,omitempty"`
	Index  *int          `json:"index,omitempty"`
	Origin explainOrigin `json:"origin"`
	Shape  []string      `json:"shape"`
	*explainEvent
	Skipped *explainSkip `json:"skipped,omitempty"`
	*explainFault
}

type explainOrigin struct {
	Topic     string `json:"topic,omitempty"`
	Partition *int32 `json:"partition,omitempty"`
	File      string `json:"file,omitempty"`
	Offset    int64  `json:"offset"`
}

type explainEvent struct {
	Fields    explainFields    `json:"fields"`
	Cut       []string         `json:"cut,omitempty"`
	Policy    explainPolicy    `json:"policy"`
	Region    explainRegion    `json:"region"`
	ReadOnly  explainReadOnly  `json:"readOnly"`
	Exception *alert.Exception `json:"exception"`
	Expired   *alert.Exception `json:"expiredException,omitempty"`
	Decision  explainDecision  `json:"decision"`
	Damage    *explainDamage   `json:"damage,omitempty"`
	Alert     *explainAlert    `json:"alert,omitempty"`

	exceptionText string
}

type explainFields struct {
	EventID            json.RawMessage `json:"eventID,omitempty"`
	EventName          json.RawMessage `json:"eventName,omitempty"`
	EventSource        json.RawMessage `json:"eventSource,omitempty"`
	AWSRegion          json.RawMessage `json:"awsRegion,omitempty"`
	ReadOnly           json.RawMessage `json:"readOnly,omitempty"`
	RecipientAccountID json.RawMessage `json:"recipientAccountId,omitempty"`
	UserIdentityType   json.RawMessage `json:"userIdentityType,omitempty"`
}

type explainPolicy struct {
	Version string `json:"version"`
	Level   string `json:"level"`
}

type explainRegion struct {
	Unused bool   `json:"unused"`
	Text   string `json:"text"`
}

type explainReadOnly struct {
	Taken string `json:"taken"`
	Text  string `json:"text"`
}

type explainDecision struct {
	Outcome string `json:"outcome"`
	Counted bool   `json:"counted"` // as an event; a damaged one that makes no alert is a dead letter only
	Text    string `json:"text"`
}

type explainDamage struct {
	Salvaged bool   `json:"salvaged"`
	Error    string `json:"error"`
	Text     string `json:"text"`
}

type explainAlert struct {
	ID            string `json:"id"`
	Title         string `json:"title"`
	Partial       bool   `json:"partial,omitempty"`
	PartialReason string `json:"partialReason,omitempty"`
}

type explainSkip struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

type explainFault struct {
	Reason    string `json:"reason"`
	Error     string `json:"error"`
	Bytes     int64  `json:"bytes"`
	StoppedAt int    `json:"stoppedAt"`
	Before    string `json:"before"`
	After     string `json:"after"`
}

func newLine(kind string, p *scan.Part, shape cloudtrail.Chain) *explainLine {
	l := &explainLine{Kind: kind, Shape: []string{}}
	if text := p.Shape(shape); text != "" {
		l.Shape = strings.Split(text, " > ")
	}
	r := &p.Record
	l.Origin = explainOrigin{Topic: r.Topic, File: r.File, Offset: r.Offset}
	if r.File == "" {
		l.Origin.Partition = &r.Partition
	}
	return l
}

func newEventLine(p *scan.Part, number int64, version string, x *detection.Explanation) *explainLine {
	l, e, d := newLine("event", p, x.Event.Shape), x.Event, &x.Decision
	l.Number, l.Index = &number, &e.Index
	l.explainEvent = &explainEvent{
		Policy:    explainPolicy{version, d.Level},
		Region:    explainRegion{d.Outcome != policy.OutcomeUsedRegion && d.Outcome != policy.OutcomeNoRegion, x.RegionText()},
		ReadOnly:  explainReadOnly{takenNames[d.ReadOnly], x.ReadOnlyText()},
		Exception: d.Exception, Expired: x.Expired, exceptionText: x.ExceptionText(),
		Decision: explainDecision{d.Outcome.String(), x.Counted, x.DecisionText()},
	}
	l.setFields(e)
	if e.Damage != nil {
		l.Damage = &explainDamage{e.Salvaged, e.Damage.Error(), x.DamageText()}
	}
	if a := x.Alert; a != nil {
		l.Alert = &explainAlert{a.ID, a.Title, a.Partial, a.PartialReason}
	}
	return l
}

// takenNames are what readOnly can be taken for.
var takenNames = [...]string{
	policy.ReadOnlyMissing: "missing", policy.ReadOnlyFalse: "false", policy.ReadOnlyTrue: "true", policy.ReadOnlyOdd: "unknown",
}

// maxFieldBytes is how long a field may be to be shown.
const maxFieldBytes = 16 << 10

func (l *explainLine) setFields(e *cloudtrail.Event) {
	f := &l.Fields
	for _, field := range []struct {
		name  string
		dst   *json.RawMessage
		value cloudtrail.Value
	}{
		{"eventID", &f.EventID, e.EventID}, {"eventName", &f.EventName, e.EventName}, {"eventSource", &f.EventSource, e.EventSource},
		{"awsRegion", &f.AWSRegion, e.AWSRegion}, {"readOnly", &f.ReadOnly, e.ReadOnly},
		{"recipientAccountId", &f.RecipientAccountID, e.RecipientAccountID},
		{"userIdentityType", &f.UserIdentityType, e.UserIdentity.Member("type")},
	} {
		if field.value == nil {
			continue
		}
		if clean, ok := alert.AppendClean(nil, field.value); ok && len(clean) <= maxFieldBytes {
			*field.dst = clean
			continue
		}
		l.Cut = append(l.Cut, field.name)
	}
}

func newSkipLine(p *scan.Part, k cloudtrail.Kind, shape cloudtrail.Chain) *explainLine {
	l := newLine("skip", p, shape)
	l.Skipped = &explainSkip{k.String(), detection.SkipText(k)}
	return l
}

func newFaultLine(p *scan.Part, number int64, f *cloudtrail.Fault) *explainLine {
	l := newLine("fault", p, f.Shape)
	if number >= 0 {
		l.Number, l.Index = &number, &f.Index
	}
	l.explainFault = newFault(f.Reason.String(), f.Err.Error(), f.Piece, f.Offset)
	return l
}

func newPassedOverLine(p *scan.Part) *explainLine {
	d := p.PassedOver
	p.Record.File, p.Record.Offset = d.File, d.Offset
	l := newLine("fault", p, cloudtrail.Chain{})
	l.explainFault = newFault(d.Reason, d.Error, d.Value, 0)
	l.Bytes = d.Length
	return l
}

// aroundBytes is how many bytes are shown before the place where reading stopped, and after it.
const aroundBytes = 40

func newFault(reason, text string, piece []byte, stop int) *explainFault {
	stop = min(max(stop, 0), len(piece))
	return &explainFault{
		Reason: reason, Error: text, Bytes: int64(len(piece)), StoppedAt: stop,
		Before: display.Bytes(piece[max(stop-aroundBytes, 0):stop]), After: display.Bytes(piece[stop:min(stop+aroundBytes, len(piece))]),
	}
}

// writeJSON writes the form for programs.
func (l *explainLine) writeJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(l)
}
