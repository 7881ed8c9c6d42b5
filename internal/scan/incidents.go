package scan

import (
	"bytes"
	"fmt"
	"io"
	"time"

	"github.com/regionwatch/regionwatch/internal/display"
	incidents "github.com/regionwatch/regionwatch/processor/incident"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/incident"
)

// Incidents groups alerts. It is the place to which a scan writes them: native JSON, one per line. Make it with
// [NewIncidents]; it belongs to one goroutine at a time.
type Incidents struct {
	grouper *incidents.Grouper
	now     time.Time
	rest    []byte // of a line whose end has not come
}

// NewIncidents returns incidents without alerts. They are grouped as the policy says, at one moment: an event's time is at
// most one hour after it.
func NewIncidents(p *policy.Policy, now time.Time) *Incidents {
	return &Incidents{grouper: incidents.New(incidents.Options{Settings: p.Incidents}), now: now.UTC()}
}

// Write takes in alerts. It always takes all of p.
func (s *Incidents) Write(p []byte) (int, error) {
	n := len(p)
	for {
		line, after, whole := bytes.Cut(p, []byte("\n"))
		if !whole {
			s.rest = append(s.rest, line...)
			break
		}
		if len(s.rest) > 0 {
			line = append(s.rest, line...)
		}
		f, err := alert.ReadFacts(line)
		if err != nil {
			return 0, fmt.Errorf("grouping alerts: %w", err)
		}
		s.grouper.Add(&f, s.now)
		s.rest, p = nil, after
	}
	s.grouper.Flush() // what a service would write on the way
	return n, nil
}

// List returns the incidents as they are after the last alert, the most important first.
func (s *Incidents) List() []*incident.Incident {
	list := s.grouper.All()
	for _, i := range list {
		i.Activity, i.Revision = incident.Create, 1 // the only record of it
		if !i.Window.End.After(s.now) {
			i.Status = incident.StatusClosed
		}
	}
	return list
}

// Grouped says how alerts were grouped: Alerts = Counted + Repeated + Below + Late.
type Grouped struct {
	Incidents  int            `json:"incidents"` // storms included
	Storms     int            `json:"storms"`
	Estimates  int            `json:"estimates"` // incidents whose counts are estimates
	Severities map[string]int `json:"severities"`
	Alerts     uint64         `json:"alerts"`
	Counted    uint64         `json:"counted"`
	Repeated   uint64         `json:"repeated"`
	Below      uint64         `json:"below"` // in windows below their threshold
	Late       uint64         `json:"late"`
}

// Grouped returns how the alerts so far were grouped.
func (s *Incidents) Grouped() *Grouped {
	c := s.grouper.Counts()
	g := &Grouped{Severities: map[string]int{}, Alerts: c.Read, Counted: c.Counted, Repeated: c.Repeated, Below: c.Below, Late: c.Late}
	for _, i := range s.grouper.All() {
		g.Incidents++
		g.Severities[i.Severity]++
		if i.Kind == incident.KindStorm {
			g.Storms++
		}
		if i.Counts.Estimate {
			g.Estimates++
		}
	}
	return g
}

// print writes one line.
func (g *Grouped) print(w io.Writer) {
	fmt.Fprintf(w, "%s in %s", display.Plural(g.Counted, "alert"), display.Plural(g.Incidents, "incident"))
	for _, n := range []struct {
		count uint64
		text  string
	}{{uint64(g.Storms), "of them storms"}, {g.Repeated, "repeated"}, {g.Below, "below the threshold"}, {g.Late, "late"}} {
		if n.count > 0 {
			fmt.Fprintf(w, ", %s %s", display.Number(n.count), n.text)
		}
	}
	fmt.Fprintln(w)
}

// WriteIncidents writes incidents in a format: table, ndjson, ocsf, or auto, which is table on a terminal and ndjson elsewhere.
func WriteIncidents(w io.Writer, format string, list []*incident.Incident) error {
	if format == "table" || format == "auto" && display.IsTerminal(w) {
		return display.Incidents(w, list)
	}
	if display.IsTerminal(w) {
		w = display.EscapeJSON(w) // JSON may contain terminal control sequences
	}
	appendTo := incident.AppendJSON
	if format == "ocsf" {
		appendTo = incident.AppendOCSF
	}
	var line []byte
	for _, i := range list {
		line = append(appendTo(line[:0], i), '\n')
		if _, err := w.Write(line); err != nil {
			return fmt.Errorf("writing incidents: %w", err)
		}
	}
	return nil
}
