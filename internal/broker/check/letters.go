package check

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Letters says what a command does with dead letters. Topic is required. The zero value of the rest means that it only
// reads them.
type Letters struct {
	Topic string // the dead-letter topic
	// Replay means that records are replayed under TransactionalID: decided again with outputs to Options.Outputs or,
	// if ToInput is set, written to Options.InputTopics or InputPattern. DryRun means that nothing is written.
	Replay, ToInput, DryRun bool
	TransactionalID         string
}

// LetterEntries returns the minimal access control list for a dead-letter command, in a fixed order without duplicates.
// Of the options, it uses the topics and the principal.
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
		add(o.ofInput(kmsg.ACLOperationDescribe)...) // to list the topics
		return list
	case l.ToInput:
		add(o.ofInput(kmsg.ACLOperationWrite)...)
	case o.PolicyTopic != "":
		add(topic(kmsg.ACLOperationRead, o.PolicyTopic))
	}
	if l.DryRun {
		return list
	}
	add(topic(kmsg.ACLOperationWrite, l.Topic)) // replays are recorded there
	if !l.ToInput {
		for _, output := range o.Outputs {
			add(topic(kmsg.ACLOperationWrite, output.Topic))
		}
	}
	add(ACL{Operation: kmsg.ACLOperationWrite, Resource: kmsg.ACLResourceTypeTransactionalId, Name: l.TransactionalID})
	return list
}
