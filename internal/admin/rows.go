package admin

import (
	"encoding/json"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/regionwatch/regionwatch/processor/output"

	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/schema/alert"
)

// Maximum lengths of texts on the page, in characters. The alert itself is complete.
const (
	nameLength = 120
	textLength = 300
)

// alertRow is an alert, or a group of equal alerts, on the page. All texts are safe to show.
type alertRow struct {
	Key       string `json:"key"`
	Time      string `json:"time"`  // of the event, the latest of a group
	Since     string `json:"since"` // of the first event of a group
	Times     string `json:"times"` // size of the group, such as ×3; empty for one
	Seen      string `json:"seen"`  // when the broker acknowledged the alert
	Region    string `json:"region"`
	Place     string `json:"place"`
	Account   string `json:"account"` // id, and name if known
	Owner     string `json:"owner"`   // group and owner of the account, if known
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
	Level     string `json:"level"` // the severity, by its name in the style sheet
	Mark      string `json:"mark"`  // special properties
	Reason    string `json:"reason"`
	Origin    string `json:"origin"`
	ID        string `json:"id"`

	number uint64 // order of arrival
	order  string // sort key: the event's time, or when we saw it
	times  int
}

// same identifies a group of equal alerts: the same call by the same principal from the same place.
func (r *alertRow) same() [10]string {
	return [...]string{r.Region, r.Account, r.Principal, r.Type, r.Event, r.Service, r.Address, r.Agent, r.Error, r.Severity + r.Mark}
}

// groupRows merges equal alerts, newest event first. The rows come latest first; a group shows its latest alert.
func groupRows(rows []alertRow) []alertRow {
	groups := make([]alertRow, 0, len(rows))
	index := make(map[[10]string]int, len(rows))
	for i := range rows {
		r := &rows[i]
		at, known := index[r.same()]
		if !known {
			at = len(groups)
			index[r.same()] = at
			groups = append(groups, *r)
			groups[at].Since = r.order
		}
		g := &groups[at]
		g.times++
		if r.order > g.order {
			g.order, g.Time = r.order, r.Time
		}
		g.Since = min(g.Since, r.order)
	}
	for i := range groups {
		g := &groups[i]
		h := fnv.New64a()
		for _, part := range g.same() {
			_, _ = h.Write([]byte(part + "\x00")) // it never fails
		}
		g.Key = "a" + strconv.FormatUint(h.Sum64(), 36)
		if g.times > 1 {
			g.Times = "×" + strconv.Itoa(g.times)
		} else {
			g.Since = ""
		}
	}
	slices.SortStableFunc(groups, func(a, b alertRow) int { return strings.Compare(b.order, a.order) })
	return groups
}

func newAlertRow(number uint64, at time.Time, a *alert.Alert) alertRow {
	name := func(text string) string { return display.Cut(text, nameLength) }
	value := func(raw json.RawMessage) string { return name(jsonText(raw)) }
	p := &a.Principal
	region := jsonText(a.AWSRegion)
	r := alertRow{
		number: number,
		Time:   eventTime(jsonText(a.EventTime)), Seen: timeText(at),
		Region: name(region), Place: placeOf(region), Account: value(a.RecipientAccountID),
		Principal: name(p.Name), Type: name(p.Type), Session: name(p.Session), ARN: display.Cut(p.ARN, textLength),
		Event: value(a.EventName), Service: strings.TrimSuffix(value(a.EventSource), ".amazonaws.com"),
		Address: value(a.SourceIPAddress), Agent: display.Cut(jsonText(a.UserAgent), textLength), Error: value(a.ErrorCode),
		Severity: name(a.Severity), Level: severityLevel(a.Severity), Mark: markOf(a),
		Reason: display.Cut(a.Policy.Level+": "+a.Policy.Reason, textLength),
		Origin: originText(&a.Origin), ID: name(a.ID),
	}
	facts := display.NewAccountFacts(a.Policy.Account)
	r.Account = strings.TrimSpace(r.Account + " " + name(facts.Name))
	facts.Name = ""
	r.Owner = display.Cut(facts.Text(), textLength)
	if r.order = r.Seen; isTime(jsonText(a.EventTime)) {
		r.order = r.Time
	}
	return r
}

// markOf returns what is special about an alert, or "".
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

// severityLevel returns the name of a severity in the style sheet.
func severityLevel(severity string) string {
	switch level := strings.ToLower(severity); level {
	case "critical", "high", "medium", "low":
		return level
	}
	return "info"
}

func originText(o *alert.Origin) string {
	partition := int32(0)
	if o.Partition != nil {
		partition = *o.Partition
	}
	return place(o.Topic, partition, o.Offset, o.Index)
}

// place identifies an event by its record and index; a negative index means the whole record.
func place(topic string, partition int32, offset int64, index int) string {
	text := display.Cut(topic, 249) + ":" + strconv.Itoa(int(partition)) + ":" + strconv.FormatInt(offset, 10)
	if index > 0 {
		text += ", event " + strconv.Itoa(index)
	}
	return text
}

// letterRow is a dead letter on the page.
type letterRow struct {
	Key    string `json:"key"`
	Seen   string `json:"seen"`
	Reason string `json:"reason"`
	Shape  string `json:"shape"`
	Place  string `json:"place"`
	Error  string `json:"error"`
	More   string `json:"more"`
}

func newLetterRow(number uint64, at time.Time, d *output.DeadLetter) letterRow {
	r := letterRow{
		Key: "d" + strconv.FormatUint(number, 10), Seen: timeText(at),
		Reason: display.Cut(d.Reason, nameLength), Shape: display.Cut(d.Shape, nameLength),
		Place: place(d.Topic, d.Partition, d.Offset, d.Index), Error: display.Cut(d.Error, textLength),
	}
	var more []string
	if d.Count > 1 {
		more = append(more, strconv.Itoa(d.Count)+" faults")
	}
	if d.Alerted > 0 {
		more = append(more, "alerts raised by the record: "+strconv.Itoa(d.Alerted))
	}
	r.More = strings.Join(more, "; ")
	return r
}

// jsonText returns the content of a JSON string, or any other value verbatim.
func jsonText(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return string(raw)
	}
	return text
}
