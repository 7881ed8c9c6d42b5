package check

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/regionwatch/regionwatch/processor/topics"
)

// compacted are the settings of a topic whose newest record of each key must stay.
var compacted = map[string]string{"cleanup.policy": "compact"}

// suggest adds the remedy for a topic that does not exist.
func (c *checker) suggest(step *Step, name string) {
	step.Remedy = "create the topic, or let " + c.o.command() + " create it with --create-topics"
	if name != c.o.StateTopic {
		return
	}
	input := c.o.InputTopics[0]
	partitions := len(c.topics[input].Partitions)
	step.Remedy += fmt.Sprintf("; it must be compacted, with as many partitions as %s", input)
	if partitions == 0 {
		step.Remedy += ", so create that first"
		return
	}
	configs := make(map[string]string)
	for name, value := range topics.StateConfigs() {
		configs[name] = *value
	}
	step.Remedy += ":"
	step.Commands = []string{c.create(name, partitions, configs)}
}

// create returns the kafka-topics command that creates a topic, with the replicas that keep records when a broker is lost,
// if the cluster has that many.
func (c *checker) create(name string, partitions int, configs map[string]string) string {
	replicas := min(len(c.metadata.Brokers), 3)
	configs = maps.Clone(configs)
	if replicas == 3 {
		configs["min.insync.replicas"] = "2"
	}
	words := append([]string{"kafka-topics"}, c.o.reaching()...)
	words = append(words, "--create", "--topic", name, "--partitions", strconv.Itoa(partitions), "--replication-factor", strconv.Itoa(replicas))
	for _, key := range slices.Sorted(maps.Keys(configs)) {
		words = append(words, "--config", key+"="+configs[key])
	}
	return shell(words)
}

// reaching returns the arguments with which Kafka's tools reach the brokers.
func (o *Options) reaching() []string {
	words := []string{"--bootstrap-server", o.Connection.Addresses()[0]}
	if o.Connection.Secured() || o.Connection.Mechanism() != "" {
		words = append(words, "--command-config", "admin.properties")
	}
	return words
}

// shell returns the words as a line for a shell.
func shell(words []string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = quote(word)
	}
	return strings.Join(quoted, " ")
}
