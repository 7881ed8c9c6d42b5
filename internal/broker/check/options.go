package check

import (
	"slices"
	"time"

	"github.com/regionwatch/regionwatch/internal/broker"
	"github.com/regionwatch/regionwatch/processor"
)

// Options say what the processor needs. Connection, Outputs, Group, the timeouts and one of InputTopics and
// InputPattern are required.
type Options struct {
	Connection *broker.Connection
	// Principal is who the brokers take us for, such as User:alice. Empty means that nobody knows: a placeholder
	// stands in its place.
	Principal string
	// Identity is what we authenticate as, for people: a user, or the subject of a certificate.
	Identity string

	InputTopics  []string
	InputPattern string // a regular expression over whole topic names, in place of InputTopics
	Outputs      []Output
	PolicyTopic  string // empty means none
	CreateTopics bool   // the processor makes topics that do not exist, the pattern's aside
	Partitions   int32  // of topics that are made; 0 means the broker's default
	Replicas     int16  // of topics that are made; 0 means the broker's default

	Group            string
	SessionTimeout   time.Duration
	RebalanceTimeout time.Duration

	ExactlyOnce bool
	InstanceID  string // empty means that the processor finds one
	Sessions    int    // of exactly once; 0 means a number that fits the cores of where the processor runs
}

// Output is a topic that is written to.
type Output struct {
	What  string // in the plural, such as "alerts"
	Topic string
}

// Placeholder stands for a principal that is not known.
const Placeholder = "User:PRINCIPAL"

func (o *Options) principal() string {
	if o.Principal == "" {
		return Placeholder
	}
	return o.Principal
}

// namedTopics returns the topics that are made where they do not exist.
func (o *Options) namedTopics() []string {
	names := slices.Clone(o.InputTopics)
	for _, output := range o.Outputs {
		names = append(names, output.Topic)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// sessionID returns the transactional id of session k, as the processor names it.
func (o *Options) sessionID(k int) string { return processor.TransactionalID(o.Group, o.InstanceID, k) }
