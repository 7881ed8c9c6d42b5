// Package report makes one HTML file of a scan, to attach to a ticket: what was found, where, when, by whom, and how the
// file was made. It needs no other host. Its only script sorts the tables, and it is whole without; its
// Content-Security-Policy allows that script, its style and nothing else.
//
// Its texts come from events, which means from attackers: they reach the page through package display and html/template
// only. Its size is bounded whatever the input: it shows the most important of everything and says of how many.
package report

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

// Bounds of what a Collector keeps. Attackers choose names, so each has one.
const (
	maxPrincipals = 10_000
	maxCells      = 400_000 // of account and region
	maxHours      = 200_000
	maxText       = 120 // characters of any text
	maxExamples   = 5   // alerts of a principal
)

// Collector takes in the alerts of a scan. Make it with [NewCollector]; it is safe for concurrent use.
type Collector struct {
	mu         sync.Mutex
	alerts     uint64
	principals map[string]*principal
	cells      map[cell]uint64
	hours      map[int64]uint64 // alerts by hour since 1970
	others     struct{ principals, cells, times uint64 }
}

type cell struct{ account, region string }

// principal is what a principal did.
type principal struct {
	name            string
	alerts, failed  uint64
	severity        int // the worst, by its place in alert.Severities
	regions, events display.Counter
	accounts        display.Counter
	examples        []example // the earliest
}

// example is an alert as evidence.
type example struct {
	Time, Severity, Account, Region, Event, From, Error, Session, File, ID string

	Offset int64
	at     time.Time
}

// NewCollector returns a collector without alerts.
func NewCollector() *Collector {
	return &Collector{principals: map[string]*principal{}, cells: map[cell]uint64{}, hours: map[int64]uint64{}}
}

// Add takes in an alert. It keeps nothing of its memory.
func (c *Collector) Add(a *alert.Alert) {
	name := display.Cut(actorOf(a), maxText)
	x := newExample(a)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.alerts++
	c.addCell(cell{x.Account, x.Region})
	c.addTime(x.at)
	p := c.principals[name]
	if p == nil {
		if len(c.principals) >= maxPrincipals {
			c.others.principals++
			return
		}
		p = &principal{name: strings.Clone(name)}
		c.principals[p.name] = p
	}
	p.add(&x)
}

func actorOf(a *alert.Alert) string {
	if len(a.UserIdentity) == 0 {
		return cmp.Or(a.Principal.ARN, a.Principal.Name)
	}
	return alert.StableActor(jsonscan.Value(a.UserIdentity), nil)
}

func (c *Collector) addCell(at cell) {
	if _, known := c.cells[at]; !known && len(c.cells) >= maxCells {
		c.others.cells++
		return
	}
	c.cells[at]++
}

func (c *Collector) addTime(at time.Time) {
	hour := at.Unix() / 3600
	if _, known := c.hours[hour]; at.IsZero() || !known && len(c.hours) >= maxHours {
		c.others.times++
		return
	}
	c.hours[hour]++
}

func (p *principal) add(x *example) {
	p.alerts++
	if x.Error != "" {
		p.failed++
	}
	p.severity = max(p.severity, slices.Index(alert.Severities, x.Severity))
	addTo(&p.regions, x.Region)
	addTo(&p.events, x.Event)
	addTo(&p.accounts, x.Account)
	at, _ := slices.BinarySearchFunc(p.examples, x, func(have example, x *example) int { return have.compare(x) })
	if at < maxExamples {
		p.examples = slices.Insert(p.examples, at, *x)
		p.examples = p.examples[:min(len(p.examples), maxExamples)]
	}
}

// addTo counts a name, of which one principal may have few.
func addTo(c *display.Counter, name string) {
	const most = 40
	if c.Len() >= most && !c.Has(name) {
		c.Others++
		return
	}
	c.Add(name)
}

func newExample(a *alert.Alert) example {
	text := func(s string) string { return strings.Clone(display.Cut(s, maxText)) }
	value := func(v json.RawMessage) string {
		if len(v) == 0 || string(v) == "null" {
			return ""
		}
		return text(display.JSON(v))
	}
	x := example{
		Time: value(a.EventTime), Severity: a.Severity, Account: cmp.Or(value(a.RecipientAccountID), "unknown"),
		Region: cmp.Or(value(a.AWSRegion), "unknown"), Event: text(strings.TrimSuffix(display.JSON(a.EventSource), ".amazonaws.com") + " " + display.JSON(a.EventName)),
		From: value(a.SourceIPAddress), Error: value(a.ErrorCode), Session: text(a.Principal.Session), File: text(a.Origin.File), Offset: a.Origin.Offset, ID: text(a.ID),
	}
	if at, err := time.Parse(time.RFC3339, display.JSON(a.EventTime)); err == nil && at.Year() >= 1970 && at.Year() <= 9999 {
		x.at = at.UTC()
	}
	return x
}

// compare sorts by time, those without one last, so that the evidence does not depend on which worker came first.
func (x *example) compare(o *example) int {
	if x.at.IsZero() != o.at.IsZero() {
		return cmp.Compare(o.at.Unix(), x.at.Unix()) // the zero time is long before 1970
	}
	return cmp.Or(x.at.Compare(o.at), strings.Compare(x.ID, o.ID), strings.Compare(x.File, o.File), cmp.Compare(x.Offset, o.Offset))
}

// worst returns the principals, the worst and busiest first.
func (c *Collector) worst() []*principal {
	return slices.SortedFunc(maps.Values(c.principals), func(a, b *principal) int {
		return cmp.Or(cmp.Compare(b.severity, a.severity), cmp.Compare(b.alerts, a.alerts), strings.Compare(a.name, b.name))
	})
}
