package processor

import (
	"slices"

	"github.com/regionwatch/regionwatch/schema/alert"
)

// outputKind is what a record that we write is. The zero value is an alert.
type outputKind uint8

const (
	kindAlert outputKind = iota
	kindAside            // a finding in shadow mode or an exempted event, in a topic of its own
	kindDeadLetter
)

// findingTopic returns the topic of an alert, by its marks.
func (o *Options) findingTopic(a *alert.Alert) string {
	switch {
	case a.Policy.Exception != nil:
		return o.ExemptedTopic
	case a.Policy.Mode == alert.ModeShadow:
		return o.ShadowTopic
	}
	return o.AlertTopic
}

// kindOf returns what the records of a topic are.
func (o *Options) kindOf(topic string) outputKind {
	switch topic {
	case o.AlertTopic:
		return kindAlert
	case o.DeadLetterTopic:
		return kindDeadLetter
	}
	return kindAside
}

// outputTopics returns every topic that is written to, once.
func (o *Options) outputTopics() []string {
	names := []string{o.AlertTopic, o.DeadLetterTopic, o.ShadowTopic, o.ExemptedTopic}
	slices.Sort(names)
	return slices.DeleteFunc(slices.Compact(names), func(name string) bool { return name == "" })
}
