package check

import (
	"slices"
	"time"

	"github.com/regionwatch/regionwatch/internal/broker"
	"github.com/regionwatch/regionwatch/processor"
)

// Options describe what the processor needs. Connection, Outputs, Group, the timeouts and one of InputTopics and
// InputPattern are required.
type Options struct {
	Connection *broker.Connection
	// Principal is the principal that the brokers see, such as User:alice. If empty, it is unknown and [Placeholder] is used.
	Principal string
	// Identity describes who we authenticate as: a user, or the subject of a certificate.
	Identity string

	InputTopics  []string
	InputPattern string // a regular expression that matches whole topic names; replaces InputTopics
	Outputs      []Output
	PolicyTopic  string // empty means none
	StateTopic   string // keeps the processor's state, with as many partitions as the one input topic; empty means none
	CreateTopics bool   // the processor creates missing topics, except those of the pattern
	Partitions   int32  // of topics that are made; 0 means the broker's default
	Replicas     int16  // of topics that are made; 0 means the broker's default

	Group            string
	SessionTimeout   time.Duration
	RebalanceTimeout time.Duration

	ExactlyOnce bool
	InstanceID  string // empty means that the processor chooses one
	Sessions    int    // for exactly once; 0 means that the cores of the processor's host decide
}

// Output is a topic the processor writes to.
type Output struct {
	What  string // a plural, such as "alerts"
	Topic string
}

// command returns the command that has these needs.
func (o *Options) command() string {
	if o.StateTopic != "" {
		return "incidents"
	}
	return "run"
}

// Placeholder stands for an unknown principal.
const Placeholder = "User:PRINCIPAL"

func (o *Options) principal() string {
	if o.Principal == "" {
		return Placeholder
	}
	return o.Principal
}

// namedTopics returns the topics that are created if missing.
func (o *Options) namedTopics() []string {
	names := slices.Clone(o.InputTopics)
	for _, output := range o.Outputs {
		names = append(names, output.Topic)
	}
	if o.StateTopic != "" {
		names = append(names, o.StateTopic)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// sessionID returns the processor's transactional ID for session k.
func (o *Options) sessionID(k int) string { return processor.TransactionalID(o.Group, o.InstanceID, k) }
