package check

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/processor/topics"
)

// state describes the state topic and checks that it may be read and written, and keeps what is written.
func (c *checker) state(ctx context.Context) {
	name := c.o.StateTopic
	step := Step{Name: stepState, Of: name}
	if name == "" {
		return
	}
	if _, err := c.topic(ctx, name); errors.Is(err, kerr.UnknownTopicOrPartition) && c.unusable(ctx, &step) {
		return
	}
	if !c.describe(ctx, step, name, kmsg.ACLOperationWrite, false) {
		return
	}
	if operation, err := c.mayKeep(ctx, name); err != nil {
		c.refuse(step, err, operation, kmsg.ACLResourceTypeTopic, name)
		return
	}
	step.Detail = c.shape(name)
	if err := c.copartitioned(name); err != nil {
		step.Remedy = "stop every instance and run regionwatch incidents rebuild, which creates it with as many partitions as the alerts topic"
		c.refuse(step, err, kmsg.ACLOperationWrite, kmsg.ACLResourceTypeTopic, name)
		return
	}
	if c.unusable(ctx, &step) {
		return
	}
	step.Remedy = c.forgetful(ctx, name)
	c.warn(step)
}

// unusable refuses the step if incidents would not start with the state, and reports whether it did. What cannot be read
// in time it only says.
func (c *checker) unusable(ctx context.Context, step *Step) bool {
	attempt, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	e := topics.Examination{Client: c.client, Group: c.o.Group, Input: c.o.InputTopics[0], State: c.o.StateTopic, NewClient: c.another}
	err := e.Run(attempt)
	refused, ok := errors.AsType[*topics.StateError](err)
	if !ok {
		if err != nil && step.Detail != "" {
			step.Detail += ", not examined: " + err.Error()
		}
		return false
	}
	if err = refused.Err; refused.Partition >= 0 {
		err = fmt.Errorf("partition %d: %w", refused.Partition, err)
	}
	step.Remedy = "stop every instance and run regionwatch incidents rebuild"
	c.refuse(*step, err, kmsg.ACLOperationWrite, kmsg.ACLResourceTypeTopic, c.o.StateTopic)
	return true
}

// another returns a client with more options.
func (c *checker) another(ctx context.Context, id string, opts ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append(append(c.client.Opts(), kgo.ClientID(id), kgo.WithContext(ctx)), opts...)...)
}

// mayKeep checks whether state may be read and written, and returns the operation that may not be done.
func (c *checker) mayKeep(ctx context.Context, name string) (kmsg.ACLOperation, error) {
	attempt, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	errs, err := c.mayFetch(attempt, []string{name})
	if err == nil {
		err = errs[name]
	}
	if err != nil {
		return kmsg.ACLOperationRead, err
	}
	return kmsg.ACLOperationWrite, c.mayProduce(attempt, name)
}

// copartitioned returns an error if the state topic and an input topic both exist and differ in partitions.
func (c *checker) copartitioned(name string) error {
	kept := len(c.topics[name].Partitions)
	for _, topic := range c.o.named() {
		if n := len(c.topics[topic].Partitions); kept > 0 && n > 0 && n != kept {
			return fmt.Errorf("it has %s, but %s has %d", counted(kept, "partition"), topic, n)
		}
	}
	return nil
}

// forgetful explains how the state topic can lose state, or returns "".
func (c *checker) forgetful(ctx context.Context, name string) string {
	switch policy := c.config(ctx, name, "cleanup.policy"); {
	case policy != "" && !strings.Contains(policy, "compact"):
		return "with cleanup.policy=" + policy + ", the brokers delete state that is still needed; set cleanup.policy=compact"
	case strings.Contains(policy, "delete"):
		return "with cleanup.policy=" + policy + ", the brokers delete state that is older than the retention; set cleanup.policy=compact"
	}
	return c.fragile(ctx, name, "state")
}
