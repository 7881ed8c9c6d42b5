package check

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/processor"
)

// group checks whether the group may be joined, and describes it.
func (c *checker) group(ctx context.Context) {
	attempt, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	step := Step{Name: stepJoin, Of: c.o.Group}
	if err := coordinated(attempt, func() error { return c.mayJoin(attempt) }); err != nil {
		c.refuse(step, err, kmsg.ACLOperationRead, kmsg.ACLResourceTypeGroup, c.o.Group)
		return
	}
	step.Detail, step.Remedy = c.members(attempt)
	c.warn(step)
}

// members describes the group, and warns of members that are not ours.
func (c *checker) members(ctx context.Context) (detail, remedy string) {
	groups, err := c.admin.DescribeGroups(ctx, c.o.Group)
	if err != nil {
		return "", ""
	}
	group := groups[c.o.Group]
	switch {
	case errors.Is(group.Err, kerr.GroupIDNotFound), group.Err == nil && group.State == "Dead":
		return "new", ""
	case group.Err != nil:
		return "", ""
	}
	instances, foreign := make(map[string]bool), 0
	for i := range group.Members {
		m := &group.Members[i]
		name, ours := processor.InstanceOf(m.ClientID, cmp.Or(deref(m.InstanceID), m.MemberID))
		if !ours {
			foreign++
			continue
		}
		instances[name] = true
	}
	detail = strings.ToLower(group.State) + ", " + counted(len(instances), "instance")
	if n := len(group.Members) - foreign; n != len(instances) {
		detail += fmt.Sprintf(" (%d members, one for each session of an instance)", n)
	}
	if foreign > 0 {
		detail += ", " + counted(foreign, "member") + " of another program"
		remedy = "partitions of the other program are not watched; give a --group that only this program uses"
	}
	return detail, remedy
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// sessions is how many transactional IDs are tried if the settings do not determine the number.
const sessions = 1

// transactions checks whether the transactional ids may be used.
func (c *checker) transactions(ctx context.Context) {
	o := *c.o
	note := ""
	if o.InstanceID == "" {
		o.InstanceID = noMember
		note = "tried instead of an instance's IDs, because --instance-id is not given"
	}
	if o.Sessions == 0 {
		o.Sessions = sessions
	}
	for k := range o.Sessions {
		id := o.sessionID(k)
		step := Step{Name: stepTransaction, Of: id, Detail: note}
		attempt, cancel := context.WithTimeout(ctx, attemptTimeout)
		err := coordinated(attempt, func() error { return c.mayTransact(attempt, id) })
		cancel()
		if err != nil {
			c.refuse(step, err, kmsg.ACLOperationWrite, kmsg.ACLResourceTypeTransactionalId, id)
			continue
		}
		c.add(step)
	}
}

// idempotence checks whether an idempotent producer is allowed.
func (c *checker) idempotence(ctx context.Context) {
	attempt, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	step := Step{Name: stepIdempotent}
	err := c.mayProduceOnce(attempt)
	switch {
	case err == nil:
		c.add(step)
	case Denied(err) && !c.writable:
		step.Status, step.Error = Refused, err.Error()
		step.Remedy = "permission to write to any topic includes it"
		c.add(step)
	default:
		c.refuse(step, err, kmsg.ACLOperationIdempotentWrite, kmsg.ACLResourceTypeCluster, "kafka-cluster")
	}
}
