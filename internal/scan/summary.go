package scan

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

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
	EventShapes Tops
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
type tally struct{ Accounts, Regions, Events, Principals, Shapes Tops }

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
	t.Accounts.merge(&o.Accounts)
	t.Regions.merge(&o.Regions)
	t.Events.merge(&o.Events)
	t.Principals.merge(&o.Principals)
	t.Shapes.merge(&o.Shapes)
}

// finding is what the summary needs of an alert.
type finding struct{ account, region, event, principal, shape string }

func newFinding(a *alert.Alert) finding {
	return finding{
		account:   plain(a.RecipientAccountID),
		region:    plain(a.AWSRegion),
		event:     strings.TrimSpace(plain(a.EventSource) + " " + plain(a.EventName)),
		principal: strings.Clone(a.Principal.Name),
		shape:     a.Origin.Shape,
	}
}

// maxKeyBytes bounds the texts that a summary keeps; they come from events.
const maxKeyBytes = 256

// plain returns the text of a value of an alert: a string's content, or the JSON.
func plain(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) != nil {
		text = string(value)
	}
	return strings.ToValidUTF8(text[:min(len(text), maxKeyBytes)], "")
}

// Tops counts by key. The zero value is empty.
type Tops struct {
	counts map[string]uint64
	others uint64
}

// Top is a key and how often it came.
type Top struct {
	Key   string
	Count uint64
}

// maxKeys bounds how many keys are told apart: whoever writes events can make up as many as he likes.
const maxKeys = 10_000

// Add counts a key.
func (t *Tops) Add(key string) { t.AddMany(key, 1) }

// AddMany counts a key n times.
func (t *Tops) AddMany(key string, n uint64) {
	if n == 0 {
		return
	}
	if t.counts == nil {
		t.counts = make(map[string]uint64)
	}
	if _, known := t.counts[key]; !known && len(t.counts) == maxKeys {
		t.others += n
		return
	}
	t.counts[key] += n
}

// merge adds what o has counted.
func (t *Tops) merge(o *Tops) {
	t.others += o.others
	for key, n := range o.counts {
		t.AddMany(key, n)
	}
}

// Most returns the n keys that came most often, and how often all others came together.
func (t *Tops) Most(n int) (top []Top, others uint64) {
	for key, count := range t.counts {
		top = append(top, Top{key, count})
	}
	slices.SortFunc(top, func(a, b Top) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Key, b.Key))
	})
	others = t.others
	for _, rest := range top[min(n, len(top)):] {
		others += rest.Count
	}
	return top[:min(n, len(top))], others
}
