package check

import "github.com/twmb/franz-go/pkg/kmsg"

// RebuildEntries returns the minimal access control list for incidents rebuild under a transactional id, in a fixed order.
// It deletes the group and the state topic, and makes both anew from the alerts. Of the options, it uses the topics, the
// group and the principal.
func (o *Options) RebuildEntries(transactionalID string) []Entry {
	const topic, group = kmsg.ACLResourceTypeTopic, kmsg.ACLResourceTypeGroup
	list := append(o.ofInput(kmsg.ACLOperationRead),
		ACL{Operation: kmsg.ACLOperationDelete, Resource: group, Name: o.Group},
		ACL{Operation: kmsg.ACLOperationRead, Resource: group, Name: o.Group},
		ACL{Operation: kmsg.ACLOperationDelete, Resource: topic, Name: o.StateTopic},
		ACL{Operation: kmsg.ACLOperationCreate, Resource: topic, Name: o.StateTopic},
		ACL{Operation: kmsg.ACLOperationWrite, Resource: topic, Name: o.StateTopic},
		ACL{Operation: kmsg.ACLOperationWrite, Resource: topic, Name: o.Outputs[0].Topic},
		ACL{Operation: kmsg.ACLOperationWrite, Resource: kmsg.ACLResourceTypeTransactionalId, Name: transactionalID},
	)
	if o.PolicyTopic != "" {
		list = append(list, ACL{Operation: kmsg.ACLOperationRead, Resource: topic, Name: o.PolicyTopic})
	}
	return o.entries(list)
}
