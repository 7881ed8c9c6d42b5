// Package explain shows step by step why events did or did not raise an alert. The same code as in run and scan makes the
// decision.
package explain

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/internal/scan"
	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// Options of an explanation. All are required except EventID.
type Options struct {
	Policy        *policy.Policy
	MaxEventBytes int
	Number        int64             // explain only the event at this position in the input; -1 for all
	EventID       string            // explain only the events with this eventID; empty for all
	Limit         int64             // maximum number of lines
	Partition     *int32            // of the alerts topic, for alerts that come from elsewhere; nil if unknown
	Show          func(*Line) error // called with each line
}

// Explainer explains the records passed to [Explainer.Visit]. It numbers their events, selects the requested ones and
// shows them.
type Explainer struct {
	o        Options
	detector *detection.Detector

	part    *scan.Part
	raised  *alert.Alert // the part is the event in this alert; nil if it came as it is
	alerts  *int32       // the partition of the alerts topic that has, or will have, the alert; nil if unknown
	base    int64        // the number of the record's first event
	next    int64        // the number of the next event, unless it is in a damaged part
	matched int          // the index of the last event in the record selected by its id, or -1
	shown   int64
	more    bool  // the limit cut off some lines
	failed  error // the error of Show
}

// New returns an explainer.
func New(o Options) *Explainer {
	return &Explainer{o: o, detector: detection.NewDetector(detection.Options{MaxEventBytes: o.MaxEventBytes})}
}

// Visit explains one record, or says why it was skipped. It returns [scan.ErrEnough] when it needs no more records.
func (e *Explainer) Visit(p *scan.Part) error {
	e.part, e.raised, e.alerts, e.base, e.matched = p, nil, e.o.Partition, e.next, -1
	if p.PassedOver != nil {
		if !e.all() {
			return nil
		}
		return e.line(newPassedOverLine(p))
	}
	p.Record.DecidedAt = time.Now()
	if a, f, foreign := readAlert(p.Record.Value); a != nil {
		if err := e.alert(a, &f, foreign); err != nil || a.Event == nil {
			return err
		}
	}
	if err := e.detector.Explain(e.o.Policy, &e.part.Record, witness{e}); err != nil {
		return err
	}
	if e.more || e.o.Number >= 0 && e.next > e.o.Number {
		return scan.ErrEnough
	}
	return nil
}

// alert shows a record that is an alert, unless specific events are selected. The event in it is explained next.
func (e *Explainer) alert(a *alert.Alert, f *alert.Facts, foreign error) error {
	if e.part.Record.Topic != "" {
		e.alerts = &e.part.Record.Partition
	}
	if e.all() {
		if err := e.line(newReadAlertLine(e.part, a, f, foreign, e.o.Policy, e.alerts)); err != nil {
			return err
		}
	}
	e.part, e.raised = copyOf(a, e.part), a
	return nil
}

// Finish returns the error of the whole explanation: Show's error, or that no event of the named input was selected. lines
// is the number of lines shown; more reports that the limit cut off others.
func (e *Explainer) Finish(name string) (lines int64, more bool, err error) {
	switch {
	case e.failed != nil:
		err = fmt.Errorf("writing the explanation: %w", e.failed)
	case !e.more && e.shown == 0:
		err = cli.Mistake(e.nothing(name))
	}
	return e.shown, e.more, err
}

func (e *Explainer) all() bool { return e.o.Number < 0 && e.o.EventID == "" }

// nothing returns the error that no event was selected. The input was not read past the requested number.
func (e *Explainer) nothing(name string) error {
	var flags []string
	if e.o.Number >= 0 {
		flags = append(flags, fmt.Sprintf("flag --index: %d", e.o.Number))
	}
	if e.o.EventID != "" {
		flags = append(flags, "flag --event-id: "+strconv.Quote(e.o.EventID))
	}
	chosen := strings.Join(flags, ", ")
	switch {
	case chosen == "":
		return fmt.Errorf("%s: the file is empty", name)
	case e.o.Number >= 0 && e.next > e.o.Number:
		return fmt.Errorf("%s: no such event in %s; the event with this number has another eventID, or none", chosen, name)
	}
	return fmt.Errorf("%s: no such event in %s, which holds %s, including damaged ones", chosen, name, display.Number(e.next))
}

// line shows one line, or ends the explanation at the limit.
func (e *Explainer) line(l *Line) error {
	if e.shown == e.o.Limit {
		e.more = true
		return scan.ErrEnough
	}
	if e.failed = e.o.Show(l); e.failed != nil {
		return scan.ErrEnough
	}
	e.shown++
	return nil
}

// number returns the position in the input of the record's event at index.
func (e *Explainer) number(index int) int64 {
	e.next = max(e.next, e.base+int64(index)+1)
	return e.base + int64(index)
}

// witness receives the detector's steps for a record.
type witness struct{ *Explainer }

// Event shows a selected event.
func (w witness) Event(x *detection.Explanation) error {
	number := w.number(x.Event.Index)
	if w.o.Number >= 0 && number != w.o.Number || w.o.EventID != "" && !x.Event.EventID.EqualString(w.o.EventID) {
		return nil
	}
	w.matched = x.Event.Index
	l := newEventLine(w.part, number, w.o.Policy, x, w.alerts)
	if w.raised != nil {
		l.Index, l.Shape = &w.raised.Origin.Index, slices.Insert(l.Shape, 0, alertShape)
	}
	return w.line(l)
}

// Skip shows a part without events, unless specific events are selected.
func (w witness) Skip(k cloudtrail.Kind, shape cloudtrail.Chain) {
	if w.all() && w.failed == nil {
		_ = w.line(newSkipLine(w.part, k, shape)) // the next line that can return an error reports this one
	}
}

// Fault shows an unreadable part if all events are selected or it belongs to the selected one.
func (w witness) Fault(f *cloudtrail.Fault) error {
	number := int64(-1)
	if f.Index >= 0 {
		number = w.number(f.Index)
	}
	if w.all() || f.Index >= 0 && (number == w.o.Number || f.Index == w.matched) {
		return w.line(newFaultLine(w.part, number, f))
	}
	return nil
}

// IgnoreEnough returns nil for [scan.ErrEnough].
func IgnoreEnough(err error) error {
	if errors.Is(err, scan.ErrEnough) {
		return nil
	}
	return err
}
