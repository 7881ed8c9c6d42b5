package policy

import (
	"strconv"
	"strings"
)

// Part is a part of a policy. The zero value is the policy as a whole.
type Part uint8

// The parts of a policy.
const (
	PartPolicy Part = iota
	PartDefault
	PartGroup
	PartAccount
	PartException
)

// Place is a position in [Options].
type Place struct {
	Part  Part
	Index int    // of the group, account or exception
	Field string // as in a policy file, such as unused_regions; empty means the part itself
	Item  int    // index in the field, if that is a list; -1 means the field itself
}

// Fault is a mistake in a policy, or a warning.
type Fault struct {
	Place Place
	Name  string // of the group, account or exception; empty if it has none
	Text  string // what is wrong, for people
}

// Error returns the place and the text. A fault of the default level has no place: it may come from a setting.
func (f *Fault) Error() string {
	var where string
	switch f.Place.Part {
	case PartGroup:
		where = "group " + f.Name
	case PartAccount:
		where = "account " + f.Name
	case PartException:
		where = "exception " + f.Name
	default:
		return f.Text
	}
	if f.Name == "" {
		where += strconv.Itoa(f.Place.Index + 1)
	}
	if f.Place.Field != "" {
		where += ": " + f.Place.Field
	}
	return where + ": " + f.Text
}

// Faults are all mistakes in a policy, in the order of its parts.
type Faults []*Fault

// Error returns one line per fault.
func (fs Faults) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.Error()
	}
	return strings.Join(lines, "\n")
}

// faultList collects the faults of the part being checked.
type faultList struct {
	faults Faults
	place  Place
	name   string
}

// enter names the part that is checked next.
func (l *faultList) enter(part Part, index int, name string) {
	l.place, l.name = Place{Part: part, Index: index}, name
}

// add adds a fault of a field; item is -1 if it concerns the whole field.
func (l *faultList) add(field string, item int, text string) {
	place := l.place
	place.Field, place.Item = field, item
	l.faults = append(l.faults, &Fault{Place: place, Name: l.name, Text: text})
}
