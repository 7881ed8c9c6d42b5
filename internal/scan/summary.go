package scan

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// Summary holds the counts of a scan.
type Summary struct {
	Files       int    // opened files, read to the end or not
	Unreadable  int    // those of Files that could not be read to the end
	Unopened    int    // files that could not be opened; not in Files
	Bytes       uint64 // size of the files as stored
	Counts      detection.Counts
	tally                       // counts of the alerts
	EventShapes display.Counter // all events, by the layers opened in the file and the record's outermost shape
	// DeadLetters counts the records with dead letters per file.
	DeadLetters display.Counter
	Incidents   *Grouped // how the alerts were grouped, if they were
	Stopped     *Place   // where the scan stopped early, or nil
}

// Place is an offset in a file's decompressed text.
type Place struct {
	File   string `json:"file"`
	Offset int64  `json:"offset"`
}

func (s *Summary) add(c *chunk) {
	s.Counts.Add(&c.counts)
	s.tally.merge(&c.tally)
	s.tally.add(c.findings)
	s.DeadLetters.AddMany(c.file.source.Name, c.counts.DeadLettered)
	for shape, n := range c.counts.Shapes {
		s.EventShapes.AddMany(joinShapes(c.layers, cloudtrail.Shape(shape).String()), n)
	}
}

// tally counts alerts by their properties.
type tally struct {
	Accounts, Regions, Events, Principals, Shapes, Severities, Levels display.Counter

	Facts       map[string]json.RawMessage // what the policy says about accounts, by ID
	Failed      uint64                     // alerts for calls that failed with an error code
	First, Last string                     // earliest and latest event time, RFC 3339 in UTC; empty if unknown
}

func (t *tally) add(findings []finding) {
	for i := range findings {
		f := &findings[i]
		t.Accounts.Add(f.account)
		t.learn(f.account, f.facts)
		t.Regions.Add(f.region)
		t.Events.Add(f.event)
		t.Principals.Add(f.principal)
		t.Shapes.Add(f.shape)
		t.Severities.Add(f.severity)
		t.Levels.Add(f.level)
		if f.failed {
			t.Failed++
		}
		t.span(f.at, f.at)
	}
}

func (t *tally) merge(o *tally) {
	t.Accounts.Merge(&o.Accounts)
	for id, facts := range o.Facts {
		t.learn(id, facts)
	}
	t.Regions.Merge(&o.Regions)
	t.Events.Merge(&o.Events)
	t.Principals.Merge(&o.Principals)
	t.Shapes.Merge(&o.Shapes)
	t.Severities.Merge(&o.Severities)
	t.Levels.Merge(&o.Levels)
	t.Failed += o.Failed
	t.span(o.First, o.Last)
}

// learn records what the policy says about an account. The policy's accounts bound the map.
func (t *tally) learn(id string, facts json.RawMessage) {
	if len(facts) == 0 {
		return
	}
	if t.Facts == nil {
		t.Facts = make(map[string]json.RawMessage)
	}
	t.Facts[id] = facts
}

// span extends the time span of the alerts. RFC 3339 times in UTC without fractions sort as text.
func (t *tally) span(first, last string) {
	if first == "" {
		return
	}
	if t.First == "" || first < t.First {
		t.First = first
	}
	t.Last = max(t.Last, last)
}

// finding holds the properties of an alert that the summary counts.
type finding struct {
	account, region, event, principal, shape, severity, level, at string

	facts  json.RawMessage // the policy's, of the account
	failed bool
}

func newFinding(a *alert.Alert) finding {
	f := finding{
		account:   display.JSON(a.RecipientAccountID),
		region:    display.JSON(a.AWSRegion),
		event:     strings.TrimSpace(display.JSON(a.EventSource) + " " + display.JSON(a.EventName)),
		principal: strings.Clone(a.Principal.Name),
		shape:     a.Origin.Shape,
		severity:  a.Severity,
		level:     a.Policy.Level,
		facts:     a.Policy.Account,
		failed:    len(a.ErrorCode) > 0 && string(a.ErrorCode) != "null",
	}
	if at, err := time.Parse(time.RFC3339, display.JSON(a.EventTime)); err == nil {
		if at = at.UTC(); 0 <= at.Year() && at.Year() <= 9999 { // others would not sort as text
			f.at = at.Format(time.RFC3339)
		}
	}
	return f
}
