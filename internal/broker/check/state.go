package check

import (
	"context"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// state describes the state topic and checks that it may be read and written, and keeps what is written.
func (c *checker) state(ctx context.Context) {
	name := c.o.StateTopic
	step := Step{Name: stepState, Of: name}
	if name == "" || !c.describe(ctx, step, name, kmsg.ACLOperationWrite, false) {
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
	step.Remedy = c.forgetful(ctx, name)
	c.warn(step)
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
