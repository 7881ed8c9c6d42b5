package explain

import (
	"encoding/json"
	"io"
	"strings"
	"time"

	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/internal/scan"
	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// Schema documents the JSON of [Line] for its users.
const Schema = `With --format json each line is a JSON object. Names are added, never changed. Each object has kind
("event", "alert", "skip", "fault"), origin (topic and partition, or file; offset) and shape (the
layers, outermost first).
  event  number (its place in the input), index (in its record), fields (as they came, without those
         the event lacks; cut names those that are too long or too deep), policy (version, level,
         account), region (unused, text), readOnly (taken: false, true, missing, unknown; text),
         exception (the one that applies: name, reason, owner; or null), decision (outcome as in the
         metrics, counted, text), and where they apply damage (salvaged, error, text),
         expiredException (the one that would apply had it not expired: name, reason, owner) and
         alert (id, title, severity, partial, partialReason, incident: id, principal, window; or in
         place of the id unknown, which says why it is)
  alert  of a record that is an alert of regionwatch: alert as above, with source (the record that
         raised it: topic, partition, offset, index) and joinsNone (why it joins no incident). If it
         has a copy of the event, the line of that follows
  skip   skipped (name, text)
  fault  reason, error, bytes (of the unreadable part; 0 if unknown), stoppedAt, before, after (the
         bytes around that place, with Go's escapes), and number and index if it is within an event`

// Line is one line of an explanation: an event, an alert, a skipped part, or a part that could not be read.
type Line struct {
	Kind   string   `json:"kind"`
	Number *int64   `json:"number,omitempty"`
	Index  *int     `json:"index,omitempty"`
	Origin origin   `json:"origin"`
	Shape  []string `json:"shape"`
	*event
	Alert   *alertPart `json:"alert,omitempty"`
	Skipped *skipPart  `json:"skipped,omitempty"`
	*fault
}

type origin struct {
	Topic     string `json:"topic,omitempty"`
	Partition *int32 `json:"partition,omitempty"`
	File      string `json:"file,omitempty"`
	Offset    int64  `json:"offset"`
}

type event struct {
	Fields    fields           `json:"fields"`
	Cut       []string         `json:"cut,omitempty"`
	Policy    policyPart       `json:"policy"`
	Region    regionPart       `json:"region"`
	ReadOnly  readOnlyPart     `json:"readOnly"`
	Exception *alert.Exception `json:"exception"`
	Expired   *alert.Exception `json:"expiredException,omitempty"`
	Decision  decisionPart     `json:"decision"`
	Damage    *damagePart      `json:"damage,omitempty"`

	exceptionText string
}

type fields struct {
	EventID            json.RawMessage `json:"eventID,omitempty"`
	EventTime          json.RawMessage `json:"eventTime,omitempty"`
	EventName          json.RawMessage `json:"eventName,omitempty"`
	EventSource        json.RawMessage `json:"eventSource,omitempty"`
	AWSRegion          json.RawMessage `json:"awsRegion,omitempty"`
	ReadOnly           json.RawMessage `json:"readOnly,omitempty"`
	RecipientAccountID json.RawMessage `json:"recipientAccountId,omitempty"`
	UserIdentityType   json.RawMessage `json:"userIdentityType,omitempty"`
	UserIdentityARN    json.RawMessage `json:"userIdentityArn,omitempty"`
	UserName           json.RawMessage `json:"userName,omitempty"`
	PrincipalID        json.RawMessage `json:"principalId,omitempty"`
	SourceIPAddress    json.RawMessage `json:"sourceIPAddress,omitempty"`
}

type policyPart struct {
	Version string `json:"version"`
	Level   string `json:"level"`
	// Account is what the policy knows about the event's account: name, owner, environment, group, tags.
	Account json.RawMessage `json:"account,omitempty"`
}

type regionPart struct {
	Unused bool   `json:"unused"`
	Text   string `json:"text"`
}

type readOnlyPart struct {
	Taken string `json:"taken"`
	Text  string `json:"text"`
}

type decisionPart struct {
	Outcome string `json:"outcome"`
	Counted bool   `json:"counted"` // counts as an event; a damaged one without an alert is only a dead letter
	Text    string `json:"text"`
}

type damagePart struct {
	Salvaged bool   `json:"salvaged"`
	Error    string `json:"error"`
	Text     string `json:"text"`
}

type skipPart struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

type fault struct {
	Reason    string `json:"reason"`
	Error     string `json:"error"`
	Bytes     int64  `json:"bytes"`
	StoppedAt int    `json:"stoppedAt"`
	Before    string `json:"before"`
	After     string `json:"after"`
}

func newLine(kind string, p *scan.Part, shape cloudtrail.Chain) *Line {
	l := &Line{Kind: kind, Shape: []string{}}
	if text := p.Shape(shape); text != "" {
		l.Shape = strings.Split(text, " > ")
	}
	r := &p.Record
	l.Origin = origin{Topic: r.Topic, File: r.File, Offset: r.Offset}
	if r.File == "" {
		l.Origin.Partition = &r.Partition
	}
	return l
}

func newEventLine(p *scan.Part, number int64, by *policy.Policy, x *detection.Explanation, alerts *int32) *Line {
	l, e, d := newLine("event", p, x.Event.Shape), x.Event, &x.Decision
	l.Number, l.Index = &number, &e.Index
	known := by.Effective(string(x.Event.RecipientAccountID.AppendText(nil)), time.Time{}).Account // decisions have it for findings only
	l.event = &event{
		Policy:    policyPart{by.Version(), d.Level, known},
		Region:    regionPart{d.Outcome != policy.OutcomeUsedRegion && d.Outcome != policy.OutcomeNoRegion, x.RegionText()},
		ReadOnly:  readOnlyPart{takenNames[d.ReadOnly], x.ReadOnlyText()},
		Exception: d.Exception, Expired: x.Expired, exceptionText: x.ExceptionText(),
		Decision: decisionPart{d.Outcome.String(), x.Counted, x.DecisionText()},
	}
	l.setFields(e)
	if e.Damage != nil {
		l.Damage = &damagePart{e.Salvaged, e.Damage.Error(), x.DamageText()}
	}
	if a := x.Alert; a != nil {
		l.Alert = newAlertPart(a)
		l.Alert.Incident = newIncidentPart(a, by, p.Record.DecidedAt, alerts)
	}
	return l
}

// takenNames are the interpretations of readOnly.
var takenNames = [...]string{
	policy.ReadOnlyMissing: "missing", policy.ReadOnlyFalse: "false", policy.ReadOnlyTrue: "true", policy.ReadOnlyOdd: "unknown",
}

// maxFieldBytes is the longest field value that is shown.
const maxFieldBytes = 16 << 10

func (l *Line) setFields(e *cloudtrail.Event) {
	f := &l.Fields
	for _, field := range []struct {
		name  string
		dst   *json.RawMessage
		value cloudtrail.Value
	}{
		{"eventID", &f.EventID, e.EventID}, {"eventTime", &f.EventTime, e.EventTime}, {"sourceIPAddress", &f.SourceIPAddress, e.SourceIPAddress},
		{"userIdentityArn", &f.UserIdentityARN, e.UserIdentity.Member("arn")},
		{"userName", &f.UserName, e.UserIdentity.Member("userName")}, {"principalId", &f.PrincipalID, e.UserIdentity.Member("principalId")},
		{"eventName", &f.EventName, e.EventName}, {"eventSource", &f.EventSource, e.EventSource},
		{"awsRegion", &f.AWSRegion, e.AWSRegion}, {"readOnly", &f.ReadOnly, e.ReadOnly},
		{"recipientAccountId", &f.RecipientAccountID, e.RecipientAccountID},
		{"userIdentityType", &f.UserIdentityType, e.UserIdentity.Member("type")},
	} {
		if field.value == nil {
			continue
		}
		if clean, omitted := alert.AppendClean(nil, field.value); omitted == "" && len(clean) <= maxFieldBytes {
			*field.dst = clean
			continue
		}
		l.Cut = append(l.Cut, field.name)
	}
}

func newSkipLine(p *scan.Part, k cloudtrail.Kind, shape cloudtrail.Chain) *Line {
	l := newLine("skip", p, shape)
	l.Skipped = &skipPart{k.String(), detection.SkipText(k)}
	return l
}

func newFaultLine(p *scan.Part, number int64, f *cloudtrail.Fault) *Line {
	l := newLine("fault", p, f.Shape)
	if number >= 0 {
		l.Number, l.Index = &number, &f.Index
	}
	l.fault = newFault(f.Reason.String(), f.Err.Error(), f.Piece, f.Offset)
	return l
}

func newPassedOverLine(p *scan.Part) *Line {
	d := p.PassedOver
	p.Record.File, p.Record.Offset = d.File, d.Offset
	l := newLine("fault", p, cloudtrail.Chain{})
	l.fault = newFault(d.Reason, d.Error, d.Value, 0)
	l.Bytes = d.Length
	return l
}

// aroundBytes is how many bytes are shown before and after the place where parsing stopped.
const aroundBytes = 40

func newFault(reason, text string, piece []byte, stop int) *fault {
	stop = min(max(stop, 0), len(piece))
	return &fault{
		Reason: reason, Error: text, Bytes: int64(len(piece)), StoppedAt: stop,
		Before: display.Bytes(piece[max(stop-aroundBytes, 0):stop]), After: display.Bytes(piece[stop:min(stop+aroundBytes, len(piece))]),
	}
}

// WriteJSON writes the line as JSON.
func (l *Line) WriteJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(l)
}
