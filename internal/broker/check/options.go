package check

import (
	"slices"
	"strings"

	"github.com/regionwatch/regionwatch/internal/broker"
	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/processor/policy/live"
)

// Options describe what the processor needs. Connection, Outputs, the timeouts and the group are required, and an input.
type Options struct {
	// Options are those of the processor. Its output topics count as Outputs only, and the client options of the connection
	// replace its own. InstanceID may be empty: the processor chooses one. So may Sessions: the cores of its host decide.
	processor.Options
	Connection *broker.Connection
	// Principal is the principal that the brokers see, such as User:alice. If empty, it is unknown and [Placeholder] is used.
	Principal string
	// Identity describes who we authenticate as: a user, or the subject of a certificate.
	Identity string

	Outputs     []Output
	PolicyTopic string    // empty means none
	PolicyKeys  live.Keys // who may sign policies; nil requires no signature
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

// named returns the input topics, unless a pattern selects them.
func (o *Options) named() []string {
	if o.InputPattern {
		return nil
	}
	return o.InputTopics
}

// pattern returns the pattern of whole topic names that selects the input topics, as in settings. Empty means none.
func (o *Options) pattern() string {
	if !o.InputPattern {
		return ""
	}
	return strings.TrimSuffix(strings.TrimPrefix(o.InputTopics[0], "^(?:"), ")$")
}

// exactlyOnce reports whether the processor writes in transactions.
func (o *Options) exactlyOnce() bool { return o.Delivery == processor.ExactlyOnce }

// namedTopics returns the topics that are created if missing.
func (o *Options) namedTopics() []string {
	names := slices.Clone(o.named())
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
