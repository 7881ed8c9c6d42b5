// Package config reads the settings of regionwatch from flags, environment variables, a YAML file and defaults, in this
// order of precedence.
//
// One table is the only source of truth for flags, variables, file keys, defaults, help, completion and the documented
// list: a new setting is one row there and one field of [Settings].
//
// All mistakes are reported together, each on one line with its origin, the bad value and what is allowed. A value is
// checked even if a stronger source overrides it. Secrets have no flag, and never appear in errors or listings.
//
// The package starts no goroutines and does not read the policy.
package config

import "time"

// Delivery guarantees, as written in settings.
const (
	AtLeastOnce = "at-least-once"
	ExactlyOnce = "exactly-once"
)

// Alert formats, as written in settings.
const (
	AlertNative = "native"
	AlertOCSF   = "ocsf"
)

// None turns off a setting that has a default.
const None = "none"

// Settings holds a valid value for every setting. [Load] makes it; the zero value is not usable.
type Settings struct {
	Config string // the file that was read; empty if none

	Brokers []string // host:port

	TLS            bool
	TLSCA          string // a file; empty means the system's
	TLSCertificate string // a file; empty means no client certificate
	TLSKey         string // a file; set exactly if TLSCertificate is
	TLSServerName  string // empty means each broker's host

	SASLMechanism    string // empty means no SASL
	SASLUsername     string
	SASLPassword     string // secret; empty means the one in the file
	SASLPasswordFile string

	AllowPlaintextCredentials bool // PLAIN and OAUTHBEARER without TLS

	OAuthTokenFile        string // with OAUTHBEARER exactly one of this and the next two is set
	OAuthTokenCommand     string // a program and its arguments
	OAuthTokenURL         string
	OAuthClientID         string
	OAuthClientSecret     string // secret; empty means the one in the file
	OAuthClientSecretFile string
	OAuthScope            []string
	OAuthExtensions       []string // name=value

	InputTopics     []string // empty if InputPattern is set
	InputPattern    string   // RE2, matched against whole topic names
	AlertTopic      string
	DeadLetterTopic string
	ShadowTopic     string // empty: shadow findings are only counted
	ExemptedTopic   string // empty: exempted findings are only counted
	CreateTopics    bool
	Partitions      int // of created topics; 0 means the broker's default
	Replicas        int // of created topics; 0 means the broker's default

	Group      string
	InstanceID string // empty means derived from the host; None means no static membership
	Delivery   string // AtLeastOnce or ExactlyOnce
	Start      Start

	SessionTimeout    time.Duration
	Rack              string
	OutputCompression string
	RebalanceTimeout  time.Duration

	Sessions           int // 0 means chosen by the number of cores
	CommitInterval     time.Duration
	DeliveryTimeout    time.Duration
	TransactionTimeout time.Duration
	DrainTimeout       time.Duration
	MaxRecordBytes     int // largest record written
	MaxBatchBytes      int // largest batch read, decompressed
	// FetchBytes and FetchPartitionBytes are compressed, as the brokers have them.
	FetchBytes          int
	FetchPartitionBytes int
	MaxRecordsPerSecond int // 0 is no limit
	MemoryLimit         int // 0 means that of the container
	MaxEventBytes       int // largest record read, all layers decompressed

	Policy                 string // policy file; empty if the settings below are the policy
	PolicyTopic            string // topic with the policy
	PolicyKey              string // file of public keys; empty if policies need no signature
	PolicyCache            string // file that keeps the last good policy; empty means none
	PolicyVersion          string // empty means a hash of the policy
	UnusedRegions          []string
	AlertOnMissingReadOnly bool
	NoEventCopy            bool
	AlertFormat            string   // AlertNative or AlertOCSF
	CopyHeaders            []string // names, or only None

	IncidentTopic      string
	IncidentStateTopic string // compacted
	IncidentGroup      string
	IncidentFormat     string // AlertNative or AlertOCSF

	AdminAddress        string   // host:port, or None
	AdminHosts          []string // lower case
	AdminTLSCertificate string   // a file; empty means plain HTTP
	AdminTLSKey         string   // a file; set exactly if AdminTLSCertificate is
	AdminTokenFile      string   // empty means no authentication
	PageAddress         string   // host:port, or None; empty means AdminAddress
	Pprof               bool

	LogLevel   string        // debug, info, warn, error
	LogFormat  string        // auto, text, json
	LogSummary time.Duration // 0 is never

	origins map[string]Origin
	spelled []string // warnings about keys of the file
	table   table
}

// Start is where a group without a committed offset starts. The zero value is the earliest record.
type Start struct {
	Latest bool
	At     time.Time // from the first record at or after this time, if not zero
}

// String returns the start as written in settings.
func (s Start) String() string {
	switch {
	case !s.At.IsZero():
		return s.At.Format(time.RFC3339Nano)
	case s.Latest:
		return "latest"
	default:
		return "earliest"
	}
}

// Origin returns the source of the named setting's value.
func (s *Settings) Origin(name string) Origin { return s.origins[name] }

// Effective is one setting with its value and origin.
type Effective struct {
	Setting *Setting
	Value   string // "(secret)" for a secret; URLs without their query
	Origin  Origin
}

// Effective lists every setting in table order.
func (s *Settings) Effective() []Effective {
	list := make([]Effective, 0, len(s.table))
	for i := range s.table {
		row := &s.table[i]
		value := row.shown(row.get(s))
		if row.Secret && value != "" {
			value = "(secret)"
		}
		list = append(list, Effective{row, value, s.origins[row.Name]})
	}
	return list
}
