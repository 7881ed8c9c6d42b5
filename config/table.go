package config

import (
	"slices"
	"time"
)

// The sections of the table.
const (
	sectionKafka    = "Kafka"
	sectionSecurity = "Secured brokers"
	sectionTopics   = "Topics"
	sectionGroup    = "Consumer group"
	sectionDelivery = "Delivery"
	sectionDecision = "Decision"
	sectionIncident = "Incidents"
	sectionOther    = "Operation"
)

// sections in display order.
var sections = []string{sectionKafka, sectionSecurity, sectionTopics, sectionGroup, sectionDelivery, sectionDecision, sectionIncident, sectionOther}

// all is the single source of flags, variables, file keys, defaults, help, completion and the documented table, in the order of
// the sections.
var all table = slices.SortedStableFunc(slices.Values(slices.Concat(reach, general)), func(a, b Setting) int {
	return slices.Index(sections, a.Section) - slices.Index(sections, b.Section)
})

// general holds every setting that is not about reaching the brokers.
var general = table{
	{
		Name: "config", Section: sectionOther, notInFile: true,
		Help: "YAML file to read settings from",
		kind: text(func(s *Settings) *string { return &s.Config }, "file", "a file name", parsePath),
	},
	{
		Name: "input-topic", Section: sectionTopics, Default: "cloudtrail",
		Help: "topics to read CloudTrail from",
		kind: list(func(s *Settings) *[]string { return &s.InputTopics }, "topics",
			"topic names of "+kafkaNameRule+", several with commas", parseTopic),
	},
	{
		Name: "input-topic-pattern", Section: sectionTopics,
		Help: "topics to read CloudTrail from, in place of input-topic: every topic whose whole name matches",
		kind: text(func(s *Settings) *string { return &s.InputPattern }, "pattern",
			"a regular expression (RE2) such as trail-[a-z]+", parsePattern),
	},
	{
		Name: "alert-topic", Section: sectionTopics, Default: "cloudtrail-alerts",
		Help: "topic for alerts",
		kind: text(func(s *Settings) *string { return &s.AlertTopic }, "topic",
			"a topic name of "+kafkaNameRule, parseTopic),
	},
	{
		Name: "dead-letter-topic", Section: sectionTopics, Default: "cloudtrail-dead-letters",
		Help: "topic for unreadable records",
		kind: text(func(s *Settings) *string { return &s.DeadLetterTopic }, "topic",
			"a topic name of "+kafkaNameRule, parseTopic),
	},
	{
		Name: "shadow-topic", Section: sectionTopics,
		Help: "topic for findings of levels in shadow mode; without it they are only counted",
		kind: text(func(s *Settings) *string { return &s.ShadowTopic }, "topic",
			"a topic name of "+kafkaNameRule, parseTopic),
	},
	{
		Name: "exempted-topic", Section: sectionTopics,
		Help: "topic for findings exempted by a policy exception; without it they are only counted",
		kind: text(func(s *Settings) *string { return &s.ExemptedTopic }, "topic",
			"a topic name of "+kafkaNameRule, parseTopic),
	},
	{
		Name: "create-topics", Section: sectionTopics, Default: "false",
		Help: "create missing topics",
		kind: toggle(func(s *Settings) *bool { return &s.CreateTopics }),
	},
	{
		Name: "partitions", Section: sectionTopics, Default: "0",
		Help: "partitions of topics made by create-topics; 0 uses the broker's default",
		kind: number(func(s *Settings) *int { return &s.Partitions }, 0, 100_000),
	},
	{
		Name: "replicas", Section: sectionTopics, Default: "0",
		Help: "replicas of topics made by create-topics; 0 uses the broker's default",
		kind: number(func(s *Settings) *int { return &s.Replicas }, 0, 100),
	},
	{
		Name: "group", Section: sectionGroup, Default: "regionwatch",
		Help: "consumer group, used by nothing else",
		kind: text(func(s *Settings) *string { return &s.Group }, "name",
			"printable text of up to 249 characters", parseGroup),
	},
	{
		Name: "instance-id", Section: sectionGroup,
		Help: "name of this instance, unique among running instances and stable across restarts; by default made from the host," +
			" its network namespace and a number; none disables static membership",
		kind: text(func(s *Settings) *string { return &s.InstanceID }, "name",
			"up to 200 "+kafkaNameRule+", or none", parseInstanceID),
	},
	{
		Name: "start", Section: sectionGroup, Default: "earliest",
		Help: "where to start in partitions without a committed offset",
		kind: start(),
	},
	{
		Name: "session-timeout", Section: sectionGroup, Default: "6s",
		Help: "time without a heartbeat after which the group reassigns an instance's partitions;" +
			" at least the brokers' group.min.session.timeout.ms (6s by default)",
		kind: span(func(s *Settings) *time.Duration { return &s.SessionTimeout }, time.Second, 30*time.Minute),
	},
	{
		Name: "rebalance-timeout", Section: sectionGroup, Default: "1m",
		Help: "time an instance has to finish and hand over partitions in a rebalance",
		kind: span(func(s *Settings) *time.Duration { return &s.RebalanceTimeout }, 10*time.Second, time.Hour),
	},
	{
		Name: "rack", Section: sectionGroup,
		Help: "rack or zone of this instance, as the brokers' broker.rack names it: records are fetched from a replica in it where" +
			" the brokers allow that (replica.selector.class)",
		kind: text(func(s *Settings) *string { return &s.Rack }, "name",
			"printable text of up to 249 characters", parsePlain),
	},
	{
		Name: "delivery", Section: sectionDelivery, Default: AtLeastOnce,
		Help: "delivery guarantee",
		kind: choice(func(s *Settings) *string { return &s.Delivery }, AtLeastOnce, ExactlyOnce),
	},
	{
		Name: "sessions", Section: sectionDelivery, Default: "0",
		Help: "transactional sessions of exactly-once; 0 chooses by the number of cores",
		kind: number(func(s *Settings) *int { return &s.Sessions }, 0, 64),
	},
	{
		Name: "commit-interval", Section: sectionDelivery, Default: "200ms",
		Help: "time between offset commits; with exactly-once, the longest a transaction stays open",
		kind: span(func(s *Settings) *time.Duration { return &s.CommitInterval }, 100*time.Millisecond, time.Minute),
	},
	{
		Name: "delivery-timeout", Section: sectionDelivery, Default: "40s",
		Help: "time to retry writing an alert before the attempt counts as failed",
		kind: span(func(s *Settings) *time.Duration { return &s.DeliveryTimeout }, time.Second, time.Hour),
	},
	{
		Name: "transaction-timeout", Section: sectionDelivery, Default: "15s",
		Help: "time after which the brokers abort the transaction of a dead instance;" +
			" consumers of committed alerts wait that long",
		kind: span(func(s *Settings) *time.Duration { return &s.TransactionTimeout }, time.Second, 15*time.Minute),
	},
	{
		Name: "drain-timeout", Section: sectionDelivery, Default: "25s",
		Help: "time to finish work in flight after SIGTERM",
		kind: span(func(s *Settings) *time.Duration { return &s.DrainTimeout }, time.Second, time.Hour),
	},
	{
		Name: "output-compression", Section: sectionDelivery, Default: "snappy",
		Help: "compression of alerts and dead letters; Azure Event Hubs accepts only gzip and none",
		kind: choice(func(s *Settings) *string { return &s.OutputCompression }, "snappy", "lz4", "zstd", "gzip", "none"),
	},
	{
		Name: "max-record-bytes", Section: sectionDelivery, Default: "1000000",
		Help: "largest record to write; a larger alert is written without its copy of the event",
		kind: size(func(s *Settings) *int { return &s.MaxRecordBytes }, 16<<10, 64<<20),
	},
	{
		Name: "max-batch-bytes", Section: sectionDelivery, Default: "128MiB",
		Help: "largest batch of records to read, decompressed; a larger one becomes a dead letter",
		kind: size(func(s *Settings) *int { return &s.MaxBatchBytes }, 1<<20, 1<<30),
	},
	{
		Name: "fetch-bytes", Section: sectionDelivery, Default: "4MiB",
		Help: "most to fetch at a time from all brokers together, compressed",
		kind: size(func(s *Settings) *int { return &s.FetchBytes }, 64<<10, 1<<30),
	},
	{
		Name: "fetch-partition-bytes", Section: sectionDelivery, Default: "256KiB",
		Help: "most to fetch at a time from one partition, compressed",
		kind: size(func(s *Settings) *int { return &s.FetchPartitionBytes }, 1<<10, 1<<30),
	},
	{
		Name: "max-records-per-second", Section: sectionDelivery, Default: "0",
		Help: "most records that this instance reads in a second, for catching up without crowding out others; 0 is no limit",
		kind: number(func(s *Settings) *int { return &s.MaxRecordsPerSecond }, 0, 100_000_000),
	},
	{
		Name: "memory-limit", Section: sectionOther, Default: "0",
		Help: "most memory to use; the instance does not start if its settings may need more; 0 is the limit of the container, if it has one",
		kind: size(func(s *Settings) *int { return &s.MemoryLimit }, 0, 1<<50),
	},
	{
		Name: "policy", Section: sectionDecision,
		Help: "YAML file with the policy, in place of unused-regions, missing-read-only and policy-version;" +
			" run reloads it when it changes and on SIGHUP",
		kind: text(func(s *Settings) *string { return &s.Policy }, "file", "a file name", parsePath),
	},
	{
		Name: "policy-topic", Section: sectionDecision,
		Help: "compacted topic whose newest record is the policy, in place of policy",
		kind: text(func(s *Settings) *string { return &s.PolicyTopic }, "topic",
			"a topic name of "+kafkaNameRule, parseTopic),
	},
	{
		Name: "policy-key", Section: sectionDecision,
		Help: "file of minisign public keys; a policy that none of them signed is rejected",
		kind: text(func(s *Settings) *string { return &s.PolicyKey }, "file", "a file name", parsePath),
	},
	{
		Name: "policy-cache", Section: sectionDecision,
		Help: "file in which run keeps the last good policy, for a start when the policy is broken",
		kind: text(func(s *Settings) *string { return &s.PolicyCache }, "file", "a file name", parsePath),
	},
	{
		Name: "unused-regions", Section: sectionDecision, Default: "ap-east-1,eu-west-3,eu-central-1",
		Help: "regions where only read-only calls are expected",
		kind: list(func(s *Settings) *[]string { return &s.UnusedRegions }, "regions",
			"region codes such as eu-west-3, several with commas", parseRegion),
	},
	{
		Name: "missing-read-only", Section: sectionDecision, Default: "pass",
		Help: "outcome of an event in an unused region whose readOnly is neither true nor false",
		kind: flip(func(s *Settings) *bool { return &s.AlertOnMissingReadOnly }, "pass", "alert"),
	},
	{
		Name: "policy-version", Section: sectionDecision,
		Help: "policy version written into every alert; defaults to a hash of the policy",
		kind: text(func(s *Settings) *string { return &s.PolicyVersion }, "text",
			"printable text of up to 249 characters", parsePlain),
	},
	{
		Name: "no-event-copy", Section: sectionDecision, Default: "false",
		Help: "leave the copy of the event out of alerts",
		kind: toggle(func(s *Settings) *bool { return &s.NoEventCopy }),
	},
	{
		Name: "alert-format", Section: sectionDecision, Default: AlertNative,
		Help: "alert format; ocsf is Detection Finding (class 2004) of OCSF 1.6.0",
		kind: choice(func(s *Settings) *string { return &s.AlertFormat }, AlertNative, AlertOCSF),
	},
	{
		Name: "copy-headers", Section: sectionDecision, Default: "traceparent,tracestate,baggage",
		Help: "headers that alerts take from their input record, the first of each name, up to 4 KiB together; none takes none",
		kind: list(func(s *Settings) *[]string { return &s.CopyHeaders }, "headers",
			"up to 16 header names, several with commas, or none", parseHeader),
	},
	{
		Name: "max-event-bytes", Section: sectionDecision, Default: "64MiB",
		Help: "largest input record after decompression; a larger one becomes a dead letter",
		kind: size(func(s *Settings) *int { return &s.MaxEventBytes }, 64<<10, 1<<30),
	},
	{
		Name: "admin-address", Section: sectionOther, Default: "127.0.0.1:9464",
		Help: "address of /metrics, /livez, /readyz and the page; port 0 picks a free one",
		kind: text(func(s *Settings) *string { return &s.AdminAddress }, "address",
			"host:port, or none", parseListen),
	},
	{
		Name: "admin-hosts", Section: sectionOther,
		Help: "host names that the admin server answers to, beside localhost and IP addresses",
		kind: list(func(s *Settings) *[]string { return &s.AdminHosts }, "names",
			"host names without a port, several with commas", parseHostName),
	},
	{
		Name: "admin-tls-certificate", Section: sectionOther,
		Help: "file with the certificate chain of the admin server, which then speaks HTTPS only; reloaded when it changes",
		kind: text(func(s *Settings) *string { return &s.AdminTLSCertificate }, "file", "a file name of PEM", parsePath),
	},
	{
		Name: "admin-tls-key", Section: sectionOther,
		Help: "file with the private key of admin-tls-certificate; reloaded when it changes",
		kind: text(func(s *Settings) *string { return &s.AdminTLSKey }, "file", "a file name of PEM", parsePath),
	},
	{
		Name: "admin-token-file", Section: sectionOther,
		Help: "file with the token that clients of the admin server must send, as a bearer token or as the password of any user;" +
			" /livez and /readyz need none; reloaded when it changes",
		kind: text(func(s *Settings) *string { return &s.AdminTokenFile }, "file", "a file name", parsePath),
	},
	{
		Name: "page-address", Section: sectionOther,
		Help: "address of the page, if not admin-address; none serves no page",
		kind: text(func(s *Settings) *string { return &s.PageAddress }, "address",
			"host:port, or none", parseOptionalListen),
	},
	{
		Name: "incident-topic", Section: sectionIncident, Default: "cloudtrail-incidents",
		Help: "topic for incidents, which the command incidents makes from the alerts in alert-topic",
		kind: text(func(s *Settings) *string { return &s.IncidentTopic }, "topic",
			"a topic name of "+kafkaNameRule, parseTopic),
	},
	{
		Name: "incident-state-topic", Section: sectionIncident, Default: "cloudtrail-incident-state",
		Help: "compacted topic for what incidents remembers, with as many partitions as alert-topic",
		kind: text(func(s *Settings) *string { return &s.IncidentStateTopic }, "topic",
			"a topic name of "+kafkaNameRule, parseTopic),
	},
	{
		Name: "incident-group", Section: sectionIncident, Default: "regionwatch-incidents",
		Help: "consumer group of incidents, used by nothing else",
		kind: text(func(s *Settings) *string { return &s.IncidentGroup }, "name",
			"printable text of up to 249 characters", parseGroup),
	},
	{
		Name: "incident-format", Section: sectionIncident, Default: AlertNative,
		Help: "encoding of incidents",
		kind: choice(func(s *Settings) *string { return &s.IncidentFormat }, AlertNative, AlertOCSF),
	},
	{
		Name: "pprof", Section: sectionOther, Default: "false",
		Help: "serve Go profiles at /debug/pprof/ of admin-address",
		kind: toggle(func(s *Settings) *bool { return &s.Pprof }),
	},
	{
		Name: "log-level", Section: sectionOther, Default: "info",
		Help: "lowest level to log",
		kind: choice(func(s *Settings) *string { return &s.LogLevel }, "debug", "info", "warn", "error"),
	},
	{
		Name: "log-format", Section: sectionOther, Default: "auto",
		Help: "log format; auto is text on a terminal and JSON elsewhere",
		kind: choice(func(s *Settings) *string { return &s.LogFormat }, "auto", "text", "json"),
	},
	{
		Name: "log-summary", Section: sectionOther, Default: "1h",
		Help: "how often to log events, alerts, dead letters and lag; 0 is never",
		kind: span(func(s *Settings) *time.Duration { return &s.LogSummary }, 0, 7*24*time.Hour),
	},
}

// start is the kind of the setting that is a position in a topic.
func start() kind {
	k := one(func(s *Settings) *Start { return &s.Start }, parseStart, Start.String)
	k.Type, k.Choices = "place", []string{"earliest", "latest"}
	k.Allowed = "earliest, latest, or an RFC 3339 time such as 2026-11-01T00:00:00Z"
	return k
}
