package check

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// maxTold bounds how many topics of a pattern are reported individually.
const maxTold = 20

// input describes the input topics and checks that they may be read.
func (c *checker) input(ctx context.Context) {
	if c.o.pattern() != "" {
		c.inputPattern(ctx)
		return
	}
	var visible []string
	for _, topic := range c.o.named() {
		if c.describe(ctx, Step{Name: stepDescribe, Of: topic}, topic, kmsg.ACLOperationRead, true) {
			visible = append(visible, topic)
		}
	}
	c.read(ctx, visible)
	for _, topic := range c.o.named() {
		if !slices.Contains(visible, topic) {
			c.add(Step{Name: stepRead, Of: topic, Status: NotTried})
		}
	}
}

// inputPattern is input for a pattern. Brokers list only topics we may describe.
func (c *checker) inputPattern(ctx context.Context) {
	step := Step{Name: stepDescribe, Of: c.o.pattern()}
	attempt, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	whole, err := regexp.Compile("^(?:" + c.o.pattern() + ")$")
	var all kadm.TopicDetails
	if err == nil {
		all, err = c.admin.ListTopics(attempt)
	}
	if err != nil {
		step.Status, step.Error, step.Remedy = Refused, err.Error(), remedy(err)
		c.add(step)
		c.add(Step{Name: stepRead, Of: c.o.pattern(), Status: NotTried})
		return
	}
	matching := slices.DeleteFunc(all.Names(), func(name string) bool { return !whole.MatchString(name) })
	if len(matching) == 0 {
		step.Status, step.Error = Refused, "no topic we may see matches"
		step.deny(c.o, c.o.inputACLs()...)
		step.Remedy = "create such a topic, or, if it exists, " + step.Remedy
		c.add(step)
		c.add(Step{Name: stepRead, Of: c.o.pattern(), Status: NotTried})
		return
	}
	partitions := 0
	for _, name := range matching {
		partitions += len(all[name].Partitions)
	}
	step.Detail = fmt.Sprintf("%s with %s: %s", counted(len(matching), "topic"), counted(partitions, "partition"), some(matching))
	c.add(step)
	c.read(ctx, matching)
}

// inputACLs returns the ACLs for reading the input.
func (o *Options) inputACLs() []ACL {
	return slices.DeleteFunc(o.needed(), func(a ACL) bool {
		return a.Operation != kmsg.ACLOperationRead || a.Resource != kmsg.ACLResourceTypeTopic || a.Name == o.PolicyTopic || a.Name == o.StateTopic
	})
}

// read checks whether the topics may be read.
func (c *checker) read(ctx context.Context, topics []string) {
	if len(topics) == 0 {
		return
	}
	attempt, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	errs, err := c.mayFetch(attempt, topics)
	readable, told := 0, 0
	for _, topic := range topics {
		refused := err
		if refused == nil {
			refused = errs[topic]
		}
		switch {
		case refused == nil:
			readable++
			if c.o.pattern() == "" {
				c.add(Step{Name: stepRead, Of: topic})
			}
		case told < maxTold:
			told++
			c.refuse(Step{Name: stepRead, Of: topic}, refused, kmsg.ACLOperationRead, kmsg.ACLResourceTypeTopic, topic)
		}
	}
	if c.o.pattern() != "" && readable > 0 {
		c.add(Step{Name: stepRead, Of: c.o.pattern(), Detail: fmt.Sprintf("%d of %s", readable, counted(len(topics), "topic"))})
	}
}

// outputs describes the output topics and checks that they may be written to.
func (c *checker) outputs(ctx context.Context) {
	for _, output := range c.o.Outputs {
		step := Step{Name: stepWrite + output.What, Of: output.Topic}
		if !c.describe(ctx, step, output.Topic, kmsg.ACLOperationWrite, false) {
			continue
		}
		attempt, cancel := context.WithTimeout(ctx, attemptTimeout)
		err := c.mayProduce(attempt, output.Topic)
		cancel()
		if err != nil {
			c.refuse(step, err, kmsg.ACLOperationWrite, kmsg.ACLResourceTypeTopic, output.Topic)
			continue
		}
		c.writable = true
		step.Detail, step.Remedy = c.shape(output.Topic), c.fragile(ctx, output.Topic, output.What)
		c.warn(step)
	}
}

// warn adds a step that works. A remedy makes it a warning.
func (c *checker) warn(step Step) {
	if step.Remedy != "" {
		step.Status = Warning
	}
	c.add(step)
}

// fragile explains how losing one broker can lose acknowledged records of a topic, which are called what, or returns "".
func (c *checker) fragile(ctx context.Context, name, what string) string {
	topic := c.topics[name]
	for _, p := range topic.Partitions {
		if len(p.Replicas) == 1 {
			return "with one replica, the loss of one broker loses " + what + "; give the topic three replicas and min.insync.replicas=2"
		}
	}
	if c.config(ctx, name, "min.insync.replicas") == "1" {
		return "with min.insync.replicas=1, a single broker may acknowledge " + what + " and then lose them; set it to 2, with three replicas"
	}
	return ""
}

// config returns a configuration of a described topic, or "" if it cannot be read: nothing else requires the permission
// to describe configurations.
func (c *checker) config(ctx context.Context, name, key string) string {
	if len(c.topics[name].Partitions) == 0 {
		return ""
	}
	attempt, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	configs, err := c.admin.DescribeTopicConfigs(attempt, name)
	if err != nil {
		return ""
	}
	config, err := configs.On(name, nil)
	if err != nil || config.Err != nil {
		return ""
	}
	for _, entry := range config.Configs {
		if entry.Key == key {
			return entry.MaybeValue()
		}
	}
	return ""
}

// describe describes a topic and reports whether it is usable or can be created. It adds a step if not, or if tell is
// set.
func (c *checker) describe(ctx context.Context, step Step, name string, operation kmsg.ACLOperation, tell bool) bool {
	topic, err := c.topic(ctx, name)
	switch {
	case errors.Is(err, kerr.UnknownTopicOrPartition) && c.o.CreateTopics:
		if err = c.mayCreate(ctx, name); err != nil {
			step.Detail = "it does not exist and cannot be created"
			c.refuse(step, err, kmsg.ACLOperationCreate, kmsg.ACLResourceTypeTopic, name)
			return false
		}
	case errors.Is(err, kerr.UnknownTopicOrPartition):
		c.suggest(&step, name)
	case err == nil:
		err = leaderless(topic)
		step.Remedy = "its brokers are down; it cannot be read or written until one is back"
	}
	if err != nil {
		c.refuse(step, err, operation, kmsg.ACLResourceTypeTopic, name)
		return false
	}
	if tell {
		step.Detail, step.Remedy = c.shape(name)+c.newest(ctx, name), ""
		c.add(step)
	}
	return true
}

// topic describes a topic, or returns why it cannot be described.
func (c *checker) topic(ctx context.Context, name string) (kadm.TopicDetail, error) {
	attempt, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	topics, err := c.admin.ListTopics(attempt, name)
	topic := topics[name]
	if err == nil {
		err = topic.Err
	}
	c.topics[name] = topic
	return topic, err
}

// leaderless returns an error if a partition of the topic has no leader.
func leaderless(topic kadm.TopicDetail) error {
	var without []string
	for _, p := range topic.Partitions.Sorted() {
		if p.Leader < 0 || p.Err != nil {
			without = append(without, fmt.Sprint(p.Partition))
		}
	}
	if len(without) == 0 {
		return nil
	}
	return fmt.Errorf("no leader for partition %s", some(without))
}

// shape returns the size of a described topic.
func (c *checker) shape(name string) string {
	topic := c.topics[name]
	if len(topic.Partitions) == 0 {
		return "it does not exist; " + c.o.command() + " creates it"
	}
	replicas := 0
	for _, p := range topic.Partitions {
		replicas = max(replicas, len(p.Replicas))
	}
	return counted(len(topic.Partitions), "partition") + ", " + counted(replicas, "replica")
}

// newest returns the time of the newest record, if brokers support that (KIP-734).
func (c *checker) newest(ctx context.Context, name string) string {
	attempt, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	listed, err := c.admin.ListMaxTimestampOffsets(attempt, name)
	if err != nil || listed.Error() != nil || len(c.topics[name].Partitions) == 0 {
		return ""
	}
	newest := int64(-1)
	listed.Each(func(o kadm.ListedOffset) { newest = max(newest, o.Timestamp) })
	if newest < 0 {
		return ", no records"
	}
	return ", newest record of " + time.UnixMilli(newest).UTC().Format(time.RFC3339)
}

// mayCreate validates the creation of a topic.
func (c *checker) mayCreate(ctx context.Context, name string) error {
	attempt, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	partitions, replicas := c.o.Partitions, c.o.Replicas
	if partitions == 0 {
		partitions = -1 // the broker's default on the wire
	}
	if replicas == 0 {
		replicas = -1
	}
	created, err := c.admin.ValidateCreateTopics(attempt, partitions, replicas, nil, name)
	if err != nil {
		return err
	}
	if answer := created[name]; answer.Err != nil {
		if answer.ErrMessage != "" {
			return fmt.Errorf("%w: %s", answer.Err, answer.ErrMessage)
		}
		return answer.Err
	}
	return nil
}
