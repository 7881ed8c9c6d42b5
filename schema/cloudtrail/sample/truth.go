package sample

import (
	"slices"

	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// ReadOnly is the meaning of an event's readOnly. The zero value is Write.
type ReadOnly uint8

// The meanings of readOnly.
const (
	Write   ReadOnly = iota // false, or the string "false" in any case
	Read                    // true, or the string "true" in any case
	Unknown                 // missing, null, or neither of those
)

// Event is the truth about one event.
type Event struct {
	ID       [36]byte // eventID
	Account  string
	Region   string // empty if awsRegion is not a string
	ReadOnly ReadOnly
	// Lost is set if the event cannot be decided, because the damage is before the decisive fields.
	Lost bool
	// Partial is set if the damage is after the decisive fields: the event is decided, and a dead letter too.
	Partial bool
}

// Matches reports whether the event must raise an alert, given the unused regions, if events without a readable
// readOnly pass.
func (e *Event) Matches(unused []string) bool {
	return !e.Lost && e.ReadOnly == Write && slices.Contains(unused, e.Region)
}

// Record is one record and the truth about it. Its slices are valid until the next call of
// [Generator.Next].
type Record struct {
	Account string // the key: all events of a record belong to one account
	Value   []byte
	Shape   cloudtrail.Chain // as requested
	Events  []Event
	Damage  Damage
}

// DeadLettered reports whether part of the record cannot be read.
func (r *Record) DeadLettered() bool { return r.Damage.unreadable() }

// Tally counts the decidable events of one region.
type Tally struct {
	Writes, Reads, Unknown uint64 // whole events
	PartialWrites          uint64 // damaged after the decisive fields
}

// Truth is the truth about all records made. The zero value is that of none.
type Truth struct {
	Records      uint64
	Bytes        uint64           // of the values
	Events       uint64           // undamaged ones
	Partial      uint64           // events damaged after the decisive fields: they count as read only if they alert
	Lost         uint64           // events damaged before them
	DeadLettered uint64           // records with an unreadable part, one part each
	InvalidUTF8  uint64           // events with bytes that are not UTF-8
	Regions      map[string]Tally // by awsRegion; "" holds events without one
}

// Add adds a record to the truth.
func (t *Truth) Add(r *Record) {
	t.Records++
	t.Bytes += uint64(len(r.Value))
	if r.DeadLettered() {
		t.DeadLettered++
	}
	if r.Damage == DamageUTF8 {
		t.InvalidUTF8++
	}
	for i := range r.Events {
		t.addEvent(&r.Events[i])
	}
}

func (t *Truth) addEvent(e *Event) {
	switch {
	case e.Lost:
		t.Lost++
		return
	case e.Partial:
		t.Partial++
	default:
		t.Events++
	}
	if t.Regions == nil {
		t.Regions = make(map[string]Tally)
	}
	tally := t.Regions[e.Region]
	tally.add(e)
	t.Regions[e.Region] = tally
}

func (t *Tally) add(e *Event) {
	switch {
	case e.Partial && e.ReadOnly == Write:
		t.PartialWrites++
	case e.Partial:
	case e.ReadOnly == Write:
		t.Writes++
	case e.ReadOnly == Read:
		t.Reads++
	default:
		t.Unknown++
	}
}

// Alerts returns how many alerts must be raised, given the unused regions, if events without a readable readOnly pass.
func (t *Truth) Alerts(unused []string) uint64 {
	var n uint64
	for _, region := range unused {
		n += t.Regions[region].Writes + t.Regions[region].PartialWrites
	}
	return n
}

// PartialAlerts returns how many of the alerts must be marked partial.
func (t *Truth) PartialAlerts(unused []string) uint64 {
	var n uint64
	for _, region := range unused {
		n += t.Regions[region].PartialWrites
	}
	return n
}
