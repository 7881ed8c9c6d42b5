package check

import (
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Denied reports whether access control is the reason for the error.
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

// refuse reports a failed step. If access control is the reason, the given operation on the resource is missing.
func (c *checker) refuse(s Step, err error, operation kmsg.ACLOperation, resource kmsg.ACLResourceType, name string) {
	s.Status, s.Error = Refused, err.Error()
	switch {
	case Denied(err):
		s.Commands = nil
		s.deny(c.o, c.o.missing(operation, resource, name))
	case s.Remedy == "":
		s.Remedy = remedy(err)
	}
	c.add(s)
}

// deny adds the missing entries to the step.
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

// missing returns the entry of the minimal list that allows the operation.
func (o *Options) missing(operation kmsg.ACLOperation, resource kmsg.ACLResourceType, name string) ACL {
	for _, a := range o.needed() {
		if a.covers(operation, resource, name) {
			return a
		}
	}
	return ACL{Operation: operation, Resource: resource, Name: name}
}

// mechanismIAM is the mechanism for which Amazon MSK uses IAM policies instead of access control lists.
const mechanismIAM = "AWS_MSK_IAM"

// UsesACLs reports whether the brokers authorize us by access control lists.
func (o *Options) UsesACLs() bool { return o.Connection.Mechanism() != mechanismIAM }

type iamAction struct {
	operation kmsg.ACLOperation
	resource  kmsg.ACLResourceType
}

// iamActions are the IAM actions that correspond to operations:
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

// remedy returns the remedy for an error that is not about access control.
func remedy(err error) string {
	switch {
	case errors.Is(err, kerr.InvalidSessionTimeout):
		return "give a --session-timeout between the brokers' group.min.session.timeout.ms and group.max.session.timeout.ms"
	case errors.Is(err, kerr.InconsistentGroupProtocol):
		return "the group has members of another program, or with another balancer; give a --group that only this program uses"
	case errors.Is(err, kerr.GroupMaxSizeReached):
		return "the group has as many members as the brokers' group.max.size allows"
	case kerr.IsRetriable(err):
		return "the brokers may be starting, or some may be down; try again"
	}
	return "the broker's log may say why"
}
