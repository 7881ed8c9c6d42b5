package processor

import (
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/detection"
)

// Delivery is a delivery guarantee. The zero value is AtLeastOnce.
type Delivery uint8

// The guarantees.
const (
	AtLeastOnce Delivery = iota
	ExactlyOnce
)

// Start is where a group without a committed offset begins. The zero value is the earliest record.
type Start struct {
	Latest bool
	At     time.Time // from the first record at or after this time; Latest is ignored
}

// Options of a Processor. Brokers, InputTopics, AlertTopic, DeadLetterTopic, Group and Policy are
// required; the zero value of every other field is its default.
type Options struct {
	Brokers []string
	// ClientOpts are added to every client's options: TLS, SASL, dialers, hooks.
	ClientOpts []kgo.Opt

	InputTopics     []string
	InputPattern    bool // InputTopics are regular expressions
	AlertTopic      string
	DeadLetterTopic string
	CreateTopics    bool  // make the topics that do not exist
	Partitions      int32 // of topics that are made; 0 means the broker's default
	Replicas        int16 // of topics that are made; 0 means the broker's default

	Group      string
	InstanceID string // this live instance's own name; static membership and transactional ids come from it
	Delivery   Delivery
	Start      Start

	Sessions       int           // transactional sessions of ExactlyOnce; 0 means a number that fits the cores
	SessionTimeout time.Duration // 0 means 6 s
	CommitInterval time.Duration // between commits of marks, or the most that a transaction waits; 0 means 200 ms
	DrainTimeout   time.Duration // from cancel to the end of Run; 0 means 25 s
	MaxRecordBytes int           // the largest record that the broker takes; 0 means 1,000,000

	// Policy returns the policy of the next batch. It must be safe for concurrent use.
	Policy        func() *detection.Policy
	MaxEventBytes int
	NoEventCopy   bool

	Logger   *slog.Logger         // nil discards
	Registry *prometheus.Registry // nil makes one of its own
	// OnAlert, if set, sees each encoded alert when the broker has acknowledged it. It must be fast and
	// safe for concurrent use, and must copy what it keeps.
	OnAlert func(encoded []byte)
}
