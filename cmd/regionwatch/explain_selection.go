package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/internal/scan"
	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// selection is which events are wanted. All are where number is negative and eventID is empty.
type selection struct {
	number  int64 // the event's place in the input, from 0
	eventID string
}

// String names the flags that chose.
func (s selection) String() string {
	var flags []string
	if s.number >= 0 {
		flags = append(flags, fmt.Sprintf("flag --index: %d", s.number))
	}
	if s.eventID != "" {
		flags = append(flags, "flag --event-id: "+strconv.Quote(s.eventID))
	}
	return strings.Join(flags, ", ")
}

func (s selection) all() bool { return s.number < 0 && s.eventID == "" }

// explanation is the witness of records: it numbers their events, picks those that are wanted and shows them.
type explanation struct {
	detector *detection.Detector
	policy   *policy.Policy
	chosen   selection
	limit    int64
	show     func(*explainLine) error

	part    *scan.Part
	base    int64 // the number of the record's first event
	next    int64 // the number of the next event, if no other is damaged
	matched int   // the index of the last event in the record that was picked by its id, or -1
	shown   int64
	more    bool  // there was more than the limit
	failed  error // why showing failed
}

// visit explains one record, or says why it was passed over.
func (e *explanation) visit(p *scan.Part) error {
	e.part, e.base, e.matched = p, e.next, -1
	if p.PassedOver != nil {
		if !e.chosen.all() {
			return nil
		}
		return e.line(newPassedOverLine(p))
	}
	p.Record.DecidedAt = time.Now()
	if err := e.detector.Explain(e.policy, &p.Record, e); err != nil {
		return err
	}
	if e.more || e.chosen.number >= 0 && e.next > e.chosen.number {
		return scan.ErrEnough
	}
	return nil
}

// Event shows an event that is wanted.
func (e *explanation) Event(x *detection.Explanation) error {
	number := e.number(x.Event.Index)
	if !e.wants(number, x.Event) {
		return nil
	}
	e.matched = x.Event.Index
	return e.line(newEventLine(e.part, number, e.policy.Version(), x))
}

// Skip shows what holds no events, where no event is asked for.
func (e *explanation) Skip(k cloudtrail.Kind, shape cloudtrail.Chain) {
	if e.chosen.all() && e.failed == nil {
		_ = e.line(newSkipLine(e.part, k, shape)) // the next one that may fail tells
	}
}

// Fault shows what could not be read, where it belongs to a wanted event or all are wanted.
func (e *explanation) Fault(f *cloudtrail.Fault) error {
	number := int64(-1)
	if f.Index >= 0 {
		number = e.number(f.Index)
	}
	wanted := e.chosen.all() || f.Index >= 0 && (number == e.chosen.number || f.Index == e.matched)
	if !wanted {
		return nil
	}
	return e.line(newFaultLine(e.part, number, f))
}

// number returns the place in the input of the event with this index in the record.
func (e *explanation) number(index int) int64 {
	e.next = max(e.next, e.base+int64(index)+1)
	return e.base + int64(index)
}

func (e *explanation) wants(number int64, event *cloudtrail.Event) bool {
	switch {
	case e.chosen.number >= 0 && number != e.chosen.number:
		return false
	case e.chosen.eventID != "":
		return event.EventID.EqualString(e.chosen.eventID)
	}
	return true
}

// nothing says that no event of the input was wanted. Behind the number that is asked for nothing is read.
func (e *explanation) nothing(name string) error {
	if e.chosen.number >= 0 && e.next > e.chosen.number {
		return fmt.Errorf("%s: there is no such event in %s; the event with this number has another eventID, or none", e.chosen, name)
	}
	return fmt.Errorf("%s: there is no such event in %s, which holds %s, damaged ones included", e.chosen, name, display.Number(e.next))
}

// line shows one step, or ends the explanation where there are enough.
func (e *explanation) line(l *explainLine) error {
	if e.shown == e.limit {
		e.more = true
		return scan.ErrEnough
	}
	if e.failed = e.show(l); e.failed != nil {
		return scan.ErrEnough
	}
	e.shown++
	return nil
}
