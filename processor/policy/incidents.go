package policy

import (
	"fmt"
	"io"
	"slices"
	"time"
)

// Incidents says how alerts of a level are grouped. Zero fields take their values from DefaultIncidents.
type Incidents struct {
	Window      time.Duration // of event time; an incident never spans two. A change applies to windows that begin later
	Threshold   uint64        // how many alerts a window needs before it is an incident
	ByAction    bool          // Threshold counts distinct actions instead of alerts
	Quiet       time.Duration // without alerts after the window's end, before the incident closes
	Grace       time.Duration // after closing, in which alerts still join
	Update      time.Duration // the least time between two updates without a reason to hurry
	Escalations []uint64      // alert counts that are a reason to hurry, ascending
}

// DefaultIncidents applies where the policy does not say how to group alerts.
var DefaultIncidents = Incidents{
	Window: 24 * time.Hour, Threshold: 1, Quiet: time.Hour, Grace: 24 * time.Hour, Update: 5 * time.Minute,
	Escalations: []uint64{10, 100, 1_000, 10_000, 100_000, 1_000_000},
}

// MaxActions is how many actions an incident tells apart, and so the most that a threshold of actions can be.
const MaxActions = 200

// maxEscalations limits the list of escalations.
const maxEscalations = 20

// withDefaults fills in the defaults. Nil means all of them.
func (g *Incidents) withDefaults() Incidents {
	d := DefaultIncidents
	if g == nil {
		return d
	}
	set := func(dst *time.Duration, v time.Duration) {
		if v != 0 {
			*dst = v
		}
	}
	set(&d.Window, g.Window)
	set(&d.Quiet, g.Quiet)
	set(&d.Grace, g.Grace)
	set(&d.Update, g.Update)
	if g.Threshold != 0 {
		d.Threshold = g.Threshold
	}
	d.ByAction = g.ByAction
	if g.Escalations != nil {
		d.Escalations = g.Escalations
	}
	return d
}

// Incidents returns how alerts of an account are grouped. Do not change the list in it.
func (p *Policy) Incidents(accountID string) Incidents {
	if key, ok := accountKey([]byte(accountID)); ok && p.accounts[key] != nil {
		return p.accounts[key].level.incidents
	}
	return p.standard.level.incidents
}

// checkIncidents checks how alerts are grouped.
func (c *checker) checkIncidents(g *Incidents) {
	if g == nil {
		return
	}
	for _, d := range []struct {
		name        string
		value       time.Duration
		least, most time.Duration
	}{
		{"window", g.Window, 5 * time.Minute, 31 * 24 * time.Hour},
		{"quiet", g.Quiet, time.Second, 7 * 24 * time.Hour},
		{"grace", g.Grace, time.Second, 31 * 24 * time.Hour},
		{"update_interval", g.Update, time.Second, 24 * time.Hour},
	} {
		if d.value != 0 && (d.value < d.least || d.value > d.most || d.value%time.Second != 0) {
			c.add("incidents", -1, fmt.Sprintf("%s is %s; allowed: whole seconds from %s to %s", d.name, d.value, d.least, d.most))
		}
	}
	most := uint64(1_000_000)
	if g.ByAction {
		most = MaxActions
	}
	if g.Threshold > most {
		c.add("incidents", -1, fmt.Sprintf("threshold is %d; allowed: 1 to %d", g.Threshold, most))
	}
	if !slices.IsSorted(g.Escalations) || len(slices.Compact(slices.Clone(g.Escalations))) != len(g.Escalations) || slices.Contains(g.Escalations, 0) {
		c.add("incidents", -1, "escalations must be alert counts of at least 1 in ascending order")
	}
	if len(g.Escalations) > maxEscalations {
		c.add("incidents", -1, fmt.Sprintf("escalations has %d counts, %d are allowed", len(g.Escalations), maxEscalations))
	}
}

// write writes the settings of incidents, for the hash.
func (g *Incidents) write(w io.Writer) {
	if g == nil {
		return
	}
	d := g.withDefaults()
	fmt.Fprintf(w, "incidents %s %d %t %s %s %s %d\n", d.Window, d.Threshold, d.ByAction, d.Quiet, d.Grace, d.Update, d.Escalations)
}
