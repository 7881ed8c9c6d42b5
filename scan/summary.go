package scan

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/schema/alert"
)

// Summary is what a scan found.
type Summary struct {
	Files      int    // read, or given up
	Unreadable int    // among Files
	Bytes      uint64 // of files, as they are stored
	Counts     detection.Counts
	// What the alerts were about.
	Accounts, Regions, Events, Principals, Shapes Tops
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
	for i := range c.findings {
		f := &c.findings[i]
		s.Accounts.Add(f.account)
		s.Regions.Add(f.region)
		s.Events.Add(f.event)
		s.Principals.Add(f.principal)
		s.Shapes.Add(f.shape)
	}
}

// finding is what the summary needs of an alert.
type finding struct{ account, region, event, principal, shape string }

func newFinding(a *alert.Alert) finding {
	return finding{
		account:   plain(a.RecipientAccountID),
		region:    plain(a.AWSRegion),
		event:     plain(a.EventSource) + " " + plain(a.EventName),
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
func (t *Tops) Add(key string) {
	if t.counts == nil {
		t.counts = make(map[string]uint64)
	}
	if _, known := t.counts[key]; !known && len(t.counts) == maxKeys {
		t.others++
		return
	}
	t.counts[key]++
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
