package config

import "time"

// The delivery guarantees as they are written.
const (
	AtLeastOnce = "at-least-once"
	ExactlyOnce = "exactly-once"
)

// The alert formats as they are written.
const (
	AlertNative = "native"
	AlertOCSF   = "ocsf"
)

// None is the value that turns off a setting which would otherwise have a default of its own.
const None = "none"

// Settings holds a valid value for every setting. Make it with [Load]; the zero value is not usable.
type Settings struct {
	Config string // the file that was read, empty for none

	Brokers []string // host:port

	TLS            bool
	TLSCA          string // a file; empty means the system's authorities
	TLSCertificate string // a file; empty means that none is shown
	TLSKey         string // a file, given where TLSCertificate is
	TLSServerName  string // empty means the host of each broker's address

	SASLMechanism    string // empty means no SASL
	SASLUsername     string
	SASLPassword     string // secret; empty means the file's
	SASLPasswordFile string

	OAuthTokenFile        string // one of this and the two below is given with OAUTHBEARER
	OAuthTokenCommand     string // a program and its arguments
	OAuthTokenURL         string
	OAuthClientID         string
	OAuthClientSecret     string // secret; empty means the file's
	OAuthClientSecretFile string
	OAuthScope            []string
	OAuthExtensions       []string // name=value

	InputTopics     []string // names; empty where InputPattern is not
	InputPattern    string   // a regular expression over whole topic names
	AlertTopic      string
	DeadLetterTopic string
	ShadowTopic     string // empty means that findings in shadow mode are only counted
	ExemptedTopic   string // empty means that exempted events are only counted
	CreateTopics    bool
	Partitions      int // of topics that are made; 0 means the broker's default
	Replicas        int // of topics that are made; 0 means the broker's default

	Group      string
	InstanceID string // empty means one that is found out, None means no static membership
	Delivery   string // AtLeastOnce or ExactlyOnce
	Start      Start

	SessionTimeout   time.Duration
	RebalanceTimeout time.Duration

	Sessions           int // 0 means a number that fits the cores
	CommitInterval     time.Duration
	DeliveryTimeout    time.Duration
	TransactionTimeout time.Duration
	DrainTimeout       time.Duration
	MaxRecordBytes     int // largest record that is written
	MaxBatchBytes      int // largest batch that is read, decompressed by the client
	MaxEventBytes      int // largest record that is read, decompressed by the decoder

	Policy                 string // the policy's file; empty where the settings below are the policy
	PolicyTopic            string // the topic that the policy is in
	PolicyVersion          string // empty means a hash of the policy's content
	UnusedRegions          []string
	AlertOnMissingReadOnly bool
	NoEventCopy            bool
	AlertFormat            string // AlertNative or AlertOCSF

	AdminAddress string // host:port, or None
	LogLevel     string // debug, info, warn, error
	LogFormat    string // auto, text, json

	origins map[string]Origin
	table   table
}

// Start is where a consumer group without a committed offset begins. The zero value is the earliest record.
type Start struct {
	Latest bool
	At     time.Time // from the first record at or after this time; zero means not by time
}

// String returns the start as it is written.
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

// Origin returns where the setting of that name got its value.
func (s *Settings) Origin(name string) Origin { return s.origins[name] }

// Effective is one setting with its value and where that came from.
type Effective struct {
	Setting *Setting
	Value   string // "(secret)" for a secret that is set; of an address without its query
	Origin  Origin
}

// Effective lists every setting, in the table's order.
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
