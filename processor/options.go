package processor

import (
	"log/slog"
	"runtime"
	"time"

	"github.com/regionwatch/regionwatch/processor/output"
	"github.com/regionwatch/regionwatch/processor/topics"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// Delivery is a delivery guarantee. The zero value is AtLeastOnce.
type Delivery uint8

// The guarantees.
const (
	AtLeastOnce Delivery = iota
	ExactlyOnce
)

// String returns the guarantee as in settings.
func (d Delivery) String() string {
	if d == ExactlyOnce {
		return "exactly-once"
	}
	return "at-least-once"
}

// Start is where a group without a committed offset begins. The zero value is the earliest record.
type Start = topics.Start

// Options of a Processor. Brokers, InputTopics, AlertTopic, DeadLetterTopic, Group and Policy are
// required, and InstanceID with ExactlyOnce; the zero value of every other field is its default.
type Options struct {
	Brokers []string
	// ClientOpts are added to every client's options: TLS, SASL, dialers, hooks.
	ClientOpts []kgo.Opt

	InputTopics     []string
	InputPattern    bool // InputTopics are regular expressions
	AlertTopic      string
	DeadLetterTopic string
	// ShadowTopic takes the findings of levels in shadow mode, ExemptedTopic the events that an exception exempts, both
	// in the form of alerts and marked as such; if empty, they are only counted. They may be one topic, and may be
	// AlertTopic.
	ShadowTopic   string
	ExemptedTopic string
	// Stage replaces detection. It needs ExactlyOnce, a single named InputTopic, and StateTopic, which is compacted and
	// has as many partitions. AlertTopic is the topic that it writes, besides StateTopic. The group begins at the first
	// record.
	Stage      Stage
	StateTopic string
	// Grow, if set, is called when a restore begins to read, and done when it has read or waits: in between memory grows,
	// and little of it is garbage. It must be safe for concurrent use.
	Grow         func() (done func())
	CreateTopics bool  // create missing topics
	Partitions   int32 // of created topics; 0 means the broker's default
	Replicas     int16 // of created topics; 0 means the broker's default

	Group string
	// InstanceID names this live instance; it stays the same after a restart and is never shared. It makes the instance
	// a static member of the group (KIP-345): one that was killed and comes back within the session timeout gets its
	// partitions back without a rebalance. The transactional ids of ExactlyOnce are derived from it, so that a restart
	// fences the old instance at once. Empty means a dynamic member, with AtLeastOnce only.
	InstanceID string
	Delivery   Delivery
	Start      Start

	// Sessions is how many transactional sessions ExactlyOnce runs in parallel, each a member of the group with its own
	// client; 0 means one per core, at least 2 and at most 4.
	Sessions       int
	Rack           string        // where this instance runs: records are fetched from a replica in the same rack (KIP-392)
	SessionTimeout time.Duration // 0 means 6 s, the minimum that brokers allow by default
	CommitInterval time.Duration // between commits of marks, or the longest that a transaction waits; 0 means 200 ms
	DrainTimeout   time.Duration // from cancel to the end of Run; 0 means 25 s
	// RebalanceTimeout is how long the group waits for a member to give up its partitions; 0 means 60 s.
	RebalanceTimeout time.Duration
	// DeliveryTimeout is how long an alert is tried before the attempt counts as failed. It must be shorter than
	// RebalanceTimeout; 0 means two thirds of it.
	DeliveryTimeout time.Duration
	// TransactionTimeout is when the broker aborts a transaction that its instance left open: until then readers of
	// committed records wait. 0 means 15 s.
	TransactionTimeout time.Duration
	// MaxRecordBytes is the largest record that is written; a topic with a lower limit (max.message.bytes) gets smaller
	// ones. 0 means 1,000,000.
	MaxRecordBytes int
	// FetchBytes is how much all sessions together fetch at a time from all brokers, compressed; 0 means 4 MiB.
	// CloudTrail compresses 6 to 25 times.
	FetchBytes int
	// FetchPartitionBytes is the most of it for one partition; 0 means 256 KiB. Smaller values mean more batches, each
	// with the cost of a mark and a wait; larger ones let one partition crowd out the others.
	FetchPartitionBytes int
	// MaxRecordsPerSecond is how many records Run takes a second, for catching up without crowding out others; 0 is no limit.
	MaxRecordsPerSecond int
	// MaxBatchBytes is the largest decompressed batch. A larger one is set aside as a dead letter. 0 means 128 MiB.
	MaxBatchBytes int

	// Policy returns the policy of the next batch. It must be safe for concurrent use.
	Policy        func() *policy.Policy
	MaxEventBytes int
	NoEventCopy   bool
	AlertFormat   alert.Format // the zero value is alert.Native
	// CopyHeaders names headers that alerts take from their input record: the first of each name, within limits. Dead
	// letters have all of them anyway.
	CopyHeaders []string

	Logger   *slog.Logger         // nil discards
	Registry *prometheus.Registry // nil makes a new one
	// OnAlert and OnDeadLetter, if set, see what the broker has acknowledged (with ExactlyOnce: once its transaction is
	// committed). They are for display: of a very large batch they see only the last ones. They must be fast and safe
	// for concurrent use. They may keep their argument, which does not change afterwards.
	OnAlert      func(encoded []byte)
	OnDeadLetter func(output.DeadLetter)
}

// The defaults of Options.
const (
	DefaultSessionTimeout   = 6 * time.Second
	DefaultCommitInterval   = 200 * time.Millisecond
	DefaultDrainTimeout     = 25 * time.Second
	DefaultRebalanceTimeout = 60 * time.Second
	// DefaultTransactionTimeout is longer than a hanging broker takes to lose its sessions: a broker that aborts a
	// transaction while it comes back may skip partitions that have no leader yet.
	DefaultTransactionTimeout = 15 * time.Second
	DefaultMaxRecordBytes     = 1_000_000
	DefaultMaxBatchBytes      = 128 << 20
	DefaultFetchBytes         = 4 << 20
	DefaultFetchPartition     = 256 << 10
)

// outputTopics returns the output topics.
func (o *Options) outputTopics() output.Topics {
	return output.Topics{Alerts: o.AlertTopic, DeadLetters: o.DeadLetterTopic, Shadow: o.ShadowTopic, Exempted: o.ExemptedTopic}
}

// withDefaults returns o with every zero value replaced by its default.
func (o Options) withDefaults() Options {
	or(&o.SessionTimeout, DefaultSessionTimeout)
	or(&o.CommitInterval, DefaultCommitInterval)
	or(&o.DrainTimeout, DefaultDrainTimeout)
	or(&o.RebalanceTimeout, DefaultRebalanceTimeout)
	or(&o.DeliveryTimeout, o.RebalanceTimeout*2/3)
	or(&o.TransactionTimeout, DefaultTransactionTimeout)
	or(&o.MaxRecordBytes, DefaultMaxRecordBytes)
	or(&o.MaxBatchBytes, DefaultMaxBatchBytes)
	or(&o.FetchBytes, DefaultFetchBytes)
	or(&o.FetchPartitionBytes, DefaultFetchPartition)
	or(&o.MaxEventBytes, cloudtrail.DefaultMaxBytes)
	or(&o.Sessions, min(max(runtime.GOMAXPROCS(0), 2), 4))
	or(&o.Partitions, -1) // the broker's default on the wire
	or(&o.Replicas, -1)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Registry == nil {
		o.Registry = prometheus.NewRegistry()
	}
	return o
}

// or sets *v to the default d if it is the zero value.
func or[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}
