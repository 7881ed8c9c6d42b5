package output

import (
	"slices"

	"github.com/regionwatch/regionwatch/schema/alert"
)

// kind is the kind of a record that we write. The zero value is an alert.
type kind uint8

const (
	kindAlert       kind = iota
	kindUnpublished      // a finding in shadow mode or an exempted event, in its own topic
	kindDeadLetter
)

// Topics names the output topics. Shadow and Exempted may be empty: then their findings are only counted.
type Topics struct{ Alerts, DeadLetters, Shadow, Exempted string }

// of returns the topic of an alert, by its marks.
func (t Topics) of(a *alert.Alert) string {
	switch {
	case a.Policy.Exception != nil:
		return t.Exempted
	case a.Policy.Mode == alert.ModeShadow:
		return t.Shadow
	}
	return t.Alerts
}

// kindOf returns the kind of a topic's records.
func (t Topics) kindOf(topic string) kind {
	switch topic {
	case t.Alerts:
		return kindAlert
	case t.DeadLetters:
		return kindDeadLetter
	}
	return kindUnpublished
}

// Names returns every output topic, once.
func (t Topics) Names() []string {
	names := []string{t.Alerts, t.DeadLetters, t.Shadow, t.Exempted}
	slices.Sort(names)
	return slices.DeleteFunc(slices.Compact(names), func(name string) bool { return name == "" })
}
