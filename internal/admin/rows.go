package admin

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/schema/alert"
)

// The most characters of a text that the page shows. The alert itself has all of it.
const (
	nameLength = 120
	textLength = 300
)

// alertRow is an alert as the page shows it. Every text is plain.
type alertRow struct {
	Key       string `json:"key"`
	Time      string `json:"time"` // of the event
	Seen      string `json:"seen"` // when the broker had the alert
	Region    string `json:"region"`
	Place     string `json:"place"`
	Account   string `json:"account"`
	Principal string `json:"principal"`
	Type      string `json:"type"`
	Session   string `json:"session"`
	ARN       string `json:"arn"`
	Event     string `json:"event"`
	Service   string `json:"service"`
	Address   string `json:"address"`
	Agent     string `json:"agent"`
	Error     string `json:"error"`
	Severity  string `json:"severity"`
	Level     string `json:"level"` // the severity as a word that the style sheet knows
	Mark      string `json:"mark"`  // what makes it no ordinary alert
	Reason    string `json:"reason"`
	Origin    string `json:"origin"`
	ID        string `json:"id"`
}

func newAlertRow(number uint64, at time.Time, a *alert.Alert) alertRow {
	name := func(text string) string { return display.Cut(text, nameLength) }
	value := func(raw json.RawMessage) string { return name(jsonText(raw)) }
	p := &a.Principal
	region := jsonText(a.AWSRegion)
	r := alertRow{
		Key:  "a" + strconv.FormatUint(number, 10),
		Time: eventTime(jsonText(a.EventTime)), Seen: timeText(at),
		Region: name(region), Place: placeOf(region), Account: value(a.RecipientAccountID),
		Principal: name(p.Name), Type: name(p.Type), Session: name(p.Session), ARN: display.Cut(p.ARN, textLength),
		Event: value(a.EventName), Service: strings.TrimSuffix(value(a.EventSource), ".amazonaws.com"),
		Address: value(a.SourceIPAddress), Agent: display.Cut(jsonText(a.UserAgent), textLength), Error: value(a.ErrorCode),
		Severity: name(a.Severity), Level: severityLevel(a.Severity), Mark: markOf(a),
		Reason: display.Cut(a.Policy.Level+": "+a.Policy.Reason, textLength),
		Origin: originText(&a.Origin), ID: name(a.ID),
	}
	if known := accountName(a.Policy.Account); known != "" {
		r.Account = strings.TrimSpace(r.Account + " " + known)
	}
	return r
}

// markOf says what makes an alert no ordinary one.
func markOf(a *alert.Alert) string {
	switch {
	case a.Policy.Exception != nil:
		return "exempted by " + display.Cut(a.Policy.Exception.Name, nameLength)
	case a.Policy.Mode == alert.ModeShadow:
		return "shadow"
	case a.Partial:
		return "partial: " + display.Cut(a.PartialReason, nameLength)
	}
	return ""
}

// severityLevel returns a severity as a word that the style sheet knows.
func severityLevel(severity string) string {
	switch level := strings.ToLower(severity); level {
	case "critical", "high", "medium", "low":
		return level
	}
	return "info"
}

// accountName returns the name that the policy knows for the account.
func accountName(facts json.RawMessage) string {
	var known struct {
		Name string `json:"name"`
	}
	if len(facts) == 0 || json.Unmarshal(facts, &known) != nil {
		return ""
	}
	return display.Cut(known.Name, nameLength)
}

func originText(o *alert.Origin) string {
	partition := int32(0)
	if o.Partition != nil {
		partition = *o.Partition
	}
	return place(o.Topic, partition, o.Offset, o.Index)
}

// place names an event in a record; a negative index is the record as a whole.
func place(topic string, partition int32, offset int64, index int) string {
	text := display.Cut(topic, 249) + ":" + strconv.Itoa(int(partition)) + ":" + strconv.FormatInt(offset, 10)
	if index > 0 {
		text += ", event " + strconv.Itoa(index)
	}
	return text
}

// letterRow is a dead letter as the page shows it.
type letterRow struct {
	Key    string `json:"key"`
	Seen   string `json:"seen"`
	Reason string `json:"reason"`
	Shape  string `json:"shape"`
	Place  string `json:"place"`
	Error  string `json:"error"`
	More   string `json:"more"`
}

func newLetterRow(number uint64, at time.Time, d *processor.DeadLetter) letterRow {
	r := letterRow{
		Key: "d" + strconv.FormatUint(number, 10), Seen: timeText(at),
		Reason: display.Cut(d.Reason, nameLength), Shape: display.Cut(d.Shape, nameLength),
		Place: place(d.Topic, d.Partition, d.Offset, d.Index), Error: display.Cut(d.Error, textLength),
	}
	var more []string
	if d.Count > 1 {
		more = append(more, "stands for "+strconv.Itoa(d.Count)+" faults")
	}
	if d.Alerted > 0 {
		more = append(more, "the record raised alerts all the same: "+strconv.Itoa(d.Alerted))
	}
	r.More = strings.Join(more, "; ")
	return r
}

// jsonText returns what a JSON string holds, or any other value as it stands.
func jsonText(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return string(raw)
	}
	return text
}
