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

// Summary is what a scan found.
type Summary struct {
	Files       int    // opened, and read to their end or given up
	Unreadable  int    // among Files, those given up
	Unopened    int    // files that could not be opened, beside Files
	Bytes       uint64 // of files, as stored
	Counts      detection.Counts
	tally                       // of the alerts
	EventShapes display.Counter // of all events: the layers opened in the file, and the outermost of the record
	// DeadLetters counts records with dead letters by file.
	DeadLetters display.Counter
	Stopped     *Place // where the scan was stopped, or nil
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
	if n := c.counts.DeadLettered; n > 0 {
		s.DeadLetters.AddMany(c.file.source.Name, n)
	}
	for shape, n := range c.counts.Shapes {
		s.EventShapes.AddMany(joinShapes(c.layers, cloudtrail.Shape(shape).String()), n)
	}
}

// tally counts alerts by what they are about.
type tally struct {
	Accounts, Regions, Events, Principals, Shapes, Severities, Levels display.Counter

	Facts       map[string]json.RawMessage // what the policy knows about accounts, by id
	Failed      uint64                     // alerts for calls that failed, with an error code
	First, Last string                     // the earliest and the latest event's time, in RFC 3339 and UTC; empty if no alert has one
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

// learn notes what the policy knows about an account. There is no more of it than accounts in the policy.
func (t *tally) learn(id string, facts json.RawMessage) {
	if len(facts) == 0 {
		return
	}
	if t.Facts == nil {
		t.Facts = make(map[string]json.RawMessage)
	}
	t.Facts[id] = facts
}

// span extends the time span of the alerts. Times in RFC 3339 and UTC, without fractions, sort as text.
func (t *tally) span(first, last string) {
	if first == "" {
		return
	}
	if t.First == "" || first < t.First {
		t.First = first
	}
	t.Last = max(t.Last, last)
}

// finding is what the summary needs of an alert.
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
	if at, err := time.Parse(time.RFC3339, display.JSON(a.EventTime)); err == nil && at.Year() >= 0 && at.Year() <= 9999 {
		f.at = at.UTC().Format(time.RFC3339)
	}
	return f
}
