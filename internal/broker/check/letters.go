package check

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Letters says what a command does with dead letters. Topic is required; the zero value of the others only reads it.
type Letters struct {
	Topic string // the dead-letter topic
	// Replay says that records are replayed, under TransactionalID: by a decision whose outputs are Options.Outputs, or
	// into Options.InputTopics or InputPattern where ToInput is true. DryRun says that nothing is written.
	Replay, ToInput, DryRun bool
	TransactionalID         string
}

// LetterEntries returns the least access control list of a command on dead letters, in a fixed order and each entry
// once. Of the options it asks for the topics, and for who we are.
func (o *Options) LetterEntries(l *Letters) []Entry { return o.entries(o.ofLetters(l)) }

func (o *Options) ofLetters(l *Letters) (list []ACL) {
	add := func(more ...ACL) {
		for _, a := range more {
			if !slices.Contains(list, a) {
				list = append(list, a)
			}
		}
	}
	topic := func(operation kmsg.ACLOperation, name string) ACL {
		return ACL{Operation: operation, Resource: kmsg.ACLResourceTypeTopic, Name: name}
	}
	add(topic(kmsg.ACLOperationRead, l.Topic))
	switch {
	case !l.Replay:
		return list
	case l.ToInput && l.DryRun:
		add(o.ofInput(kmsg.ACLOperationDescribe)...) // to know which there are
		return list
	case l.ToInput:
		add(o.ofInput(kmsg.ACLOperationWrite)...)
	case o.PolicyTopic != "":
		add(topic(kmsg.ACLOperationRead, o.PolicyTopic))
	}
	if l.DryRun {
		return list
	}
	add(topic(kmsg.ACLOperationWrite, l.Topic)) // what is replayed is noted there
	if !l.ToInput {
		for _, output := range o.Outputs {
			add(topic(kmsg.ACLOperationWrite, output.Topic))
		}
	}
	add(ACL{Operation: kmsg.ACLOperationWrite, Resource: kmsg.ACLResourceTypeTransactionalId, Name: l.TransactionalID})
	return list
}
