package check

import (
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Denied reports whether the broker's access control is what refuses.
func Denied(err error) bool {
	for _, denied := range []error{
		kerr.TopicAuthorizationFailed, kerr.GroupAuthorizationFailed,
		kerr.TransactionalIDAuthorizationFailed, kerr.ClusterAuthorizationFailed,
	} {
		if errors.Is(err, denied) {
			return true
		}
	}
	return false
}

// refuse tells of a step that failed. Where access control is the reason, what is missing is the operation on the
// resource.
func (c *checker) refuse(s Step, err error, operation kmsg.ACLOperation, resource kmsg.ACLResourceType, name string) {
	s.Status, s.Error = Refused, err.Error()
	switch {
	case Denied(err):
		s.deny(c.o, c.o.missing(operation, resource, name))
	case s.Remedy == "":
		s.Remedy = remedy(err)
	}
	c.add(s)
}

// deny names what to add to the access control list.
func (s *Step) deny(o *Options, missing ...ACL) {
	if o.Connection.Mechanism() == mechanismIAM {
		s.Remedy = "allow it in the IAM policy of the role:"
		for _, a := range missing {
			s.Remedy += fmt.Sprintf(" %s on the %s %q", iamActions[iamAction{a.Operation, a.Resource}], resourceNouns[a.Resource], a.Name)
		}
		return
	}
	s.Remedy = "add to the brokers' access control list:"
	s.ACLs = o.entries(missing)
}

// missing returns the entry of the least list that would allow it.
func (o *Options) missing(operation kmsg.ACLOperation, resource kmsg.ACLResourceType, name string) ACL {
	for _, a := range o.needed() {
		if a.covers(operation, resource, name) {
			return a
		}
	}
	return ACL{Operation: operation, Resource: resource, Name: name}
}

// mechanismIAM is the mechanism with which Amazon MSK looks at IAM policies and at no access control list.
const mechanismIAM = "AWS_MSK_IAM"

// UsesACLs reports whether what the brokers allow us is in an access control list at all.
func (o *Options) UsesACLs() bool { return o.Connection.Mechanism() != mechanismIAM }

type iamAction struct {
	operation kmsg.ACLOperation
	resource  kmsg.ACLResourceType
}

// iamActions are what stands for the operations in IAM policies:
// https://docs.aws.amazon.com/msk/latest/developerguide/kafka-actions.html.
var iamActions = map[iamAction]string{
	{kmsg.ACLOperationRead, kmsg.ACLResourceTypeTopic}:              "kafka-cluster:DescribeTopic and kafka-cluster:ReadData",
	{kmsg.ACLOperationWrite, kmsg.ACLResourceTypeTopic}:             "kafka-cluster:DescribeTopic and kafka-cluster:WriteData",
	{kmsg.ACLOperationCreate, kmsg.ACLResourceTypeTopic}:            "kafka-cluster:CreateTopic",
	{kmsg.ACLOperationRead, kmsg.ACLResourceTypeGroup}:              "kafka-cluster:DescribeGroup and kafka-cluster:AlterGroup",
	{kmsg.ACLOperationWrite, kmsg.ACLResourceTypeTransactionalId}:   "kafka-cluster:DescribeTransactionalId and kafka-cluster:AlterTransactionalId",
	{kmsg.ACLOperationIdempotentWrite, kmsg.ACLResourceTypeCluster}: "kafka-cluster:WriteDataIdempotently",
}

var resourceNouns = map[kmsg.ACLResourceType]string{
	kmsg.ACLResourceTypeTopic:           "topic",
	kmsg.ACLResourceTypeGroup:           "group",
	kmsg.ACLResourceTypeTransactionalId: "transactional id",
	kmsg.ACLResourceTypeCluster:         "cluster",
}

// remedy returns what to do about an answer that has nothing to do with access control.
func remedy(err error) string {
	switch {
	case errors.Is(err, kerr.InvalidSessionTimeout):
		return "give a --session-timeout between the brokers' group.min.session.timeout.ms and group.max.session.timeout.ms"
	case errors.Is(err, kerr.InconsistentGroupProtocol):
		return "the group has members of another program, or of another balancer; give a --group that is ours alone"
	case errors.Is(err, kerr.GroupMaxSizeReached):
		return "the group has as many members as the brokers' group.max.size allows"
	case kerr.IsRetriable(err):
		return "the brokers may be starting, or short of members; try again"
	}
	return "the broker's log may say why"
}
