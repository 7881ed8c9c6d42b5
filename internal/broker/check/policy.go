package check

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/processor/policy/live"
)

// policy checks that the policy topic holds a policy, as the processor reads it at the start.
func (c *checker) policy(ctx context.Context) {
	name := c.o.PolicyTopic
	if name == "" {
		return
	}
	step := Step{Name: stepPolicy, Of: name}
	err := c.readPolicy(ctx, &step)
	if err != nil {
		c.refuse(step, err, kmsg.ACLOperationRead, kmsg.ACLResourceTypeTopic, name)
		return
	}
	c.warn(step)
}

// readPolicy completes the step, or returns why there is no policy.
func (c *checker) readPolicy(ctx context.Context, step *Step) error {
	topic, err := c.topic(ctx, step.Of)
	switch {
	case errors.Is(err, kerr.UnknownTopicOrPartition):
		step.Remedy = "create it, compacted and with one partition, and write the policy to it:"
		step.Commands = []string{c.create(step.Of, 1, compacted)}
		return err
	case err != nil:
		return err
	case len(topic.Partitions) != 1:
		step.Remedy = "it must have exactly one, so that one record is the newest"
		return fmt.Errorf("it has %d partitions", len(topic.Partitions))
	}
	attempt, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	errs, err := c.mayFetch(attempt, []string{step.Of})
	if err == nil {
		err = errs[step.Of]
	}
	if err != nil {
		return err
	}
	return c.newestPolicy(attempt, step)
}

// newestPolicy completes the step with the policy that the topic holds, or returns why it holds none.
func (c *checker) newestPolicy(ctx context.Context, step *Step) error {
	opts := append(c.client.Opts(), kgo.WithContext(ctx))
	newest, fault, err := live.ReadTopic(ctx, step.Of, opts, c.o.PolicyKeys)
	if none, ok := errors.AsType[*live.NoPolicyError](err); ok && none.Fault == nil {
		step.Remedy = "write the policy to it: one record, whose value is the whole file"
		return errors.New("it holds no policy")
	} else if ok {
		step.Remedy = "correct that (regionwatch validate --policy FILE lists every mistake) and write the policy to it again"
		return errors.New("none of its records is a valid policy; the newest: " + firstLine(none.Fault))
	}
	if err != nil {
		return err
	}
	step.Detail = fmt.Sprintf("%s, policy %s of %s", c.shape(step.Of), newest.Version(), newest.At.UTC().Format(time.RFC3339))
	switch cleanup := c.config(ctx, step.Of, "cleanup.policy"); {
	case fault != nil:
		step.Remedy = "that one is in force because the newest record is no valid policy: " + firstLine(fault)
	case strings.Contains(cleanup, "delete"):
		step.Remedy = "with cleanup.policy=" + cleanup + ", the brokers delete the policy when it is older than the retention, and no instance can start then; set cleanup.policy=compact"
	}
	return nil
}

// firstLine returns the first line of an error and how many follow.
func firstLine(err error) string {
	first, rest, _ := strings.Cut(err.Error(), "\n")
	if rest == "" {
		return first
	}
	return fmt.Sprintf("%s (and %d more)", first, strings.Count(rest, "\n")+1)
}
