package scan

import (
	"strings"

	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// Summary is what a scan found.
type Summary struct {
	Files      int    // read, or given up
	Unreadable int    // among Files
	Bytes      uint64 // of files, as they are stored
	Counts     detection.Counts
	tally      // what the alerts were about
	// EventShapes counts all events, by the layers that reading the file has opened and the outermost one of their
	// record: what stands deeper is told of alerts only.
	EventShapes display.Counter
	// Stopped is where the scan was when it was stopped; nil for one that came to its end.
	Stopped *Place
}

// Place is an offset in a file's (decompressed) text.
type Place struct {
	File   string
	Offset int64
}

func newSummary() *Summary { return &Summary{} }

func (s *Summary) add(c *chunk) {
	s.Counts.Add(&c.counts)
	s.tally.merge(&c.tally)
	s.tally.add(c.findings)
	for shape, n := range c.counts.Shapes {
		s.EventShapes.AddMany(joinShapes(c.layers, cloudtrail.Shape(shape).String()), n)
	}
}

// tally is what alerts were about.
type tally struct{ Accounts, Regions, Events, Principals, Shapes display.Counter }

func (t *tally) add(findings []finding) {
	for i := range findings {
		f := &findings[i]
		t.Accounts.Add(f.account)
		t.Regions.Add(f.region)
		t.Events.Add(f.event)
		t.Principals.Add(f.principal)
		t.Shapes.Add(f.shape)
	}
}

func (t *tally) merge(o *tally) {
	t.Accounts.Merge(&o.Accounts)
	t.Regions.Merge(&o.Regions)
	t.Events.Merge(&o.Events)
	t.Principals.Merge(&o.Principals)
	t.Shapes.Merge(&o.Shapes)
}

// finding is what the summary needs of an alert.
type finding struct{ account, region, event, principal, shape string }

func newFinding(a *alert.Alert) finding {
	return finding{
		account:   display.JSON(a.RecipientAccountID),
		region:    display.JSON(a.AWSRegion),
		event:     strings.TrimSpace(display.JSON(a.EventSource) + " " + display.JSON(a.EventName)),
		principal: strings.Clone(a.Principal.Name),
		shape:     a.Origin.Shape,
	}
}
