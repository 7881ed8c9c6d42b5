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
	sectionOther    = "Operation"
)

// sections in the order in which they are shown.
var sections = []string{sectionKafka, sectionSecurity, sectionTopics, sectionGroup, sectionDelivery, sectionDecision, sectionOther}

// all is the source of truth: flags, variables, file keys, defaults, help, completion and the README's
// table are made from it.
var all = slices.Concat(reach, general)

// general are the settings beside those that say how to reach the brokers.
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
		Help: "topics to read CloudTrail from, in place of input-topic: those whose whole name matches",
		kind: text(func(s *Settings) *string { return &s.InputPattern }, "pattern",
			"a regular expression (RE2) such as trail-[a-z]+", parsePattern),
	},
	{
		Name: "alert-topic", Section: sectionTopics, Default: "cloudtrail-alerts",
		Help: "topic to write alerts to",
		kind: text(func(s *Settings) *string { return &s.AlertTopic }, "topic",
			"a topic name of "+kafkaNameRule, parseTopic),
	},
	{
		Name: "dead-letter-topic", Section: sectionTopics, Default: "cloudtrail-dead-letters",
		Help: "topic to write what cannot be read to",
		kind: text(func(s *Settings) *string { return &s.DeadLetterTopic }, "topic",
			"a topic name of "+kafkaNameRule, parseTopic),
	},
	{
		Name: "shadow-topic", Section: sectionTopics,
		Help: "topic to write findings of levels in shadow mode to; without it they are only counted",
		kind: text(func(s *Settings) *string { return &s.ShadowTopic }, "topic",
			"a topic name of "+kafkaNameRule, parseTopic),
	},
	{
		Name: "exempted-topic", Section: sectionTopics,
		Help: "topic to write events to that an exception of the policy exempts; without it they are only counted",
		kind: text(func(s *Settings) *string { return &s.ExemptedTopic }, "topic",
			"a topic name of "+kafkaNameRule, parseTopic),
	},
	{
		Name: "create-topics", Section: sectionTopics, Default: "false",
		Help: "make the topics that do not exist",
		kind: toggle(func(s *Settings) *bool { return &s.CreateTopics }),
	},
	{
		Name: "partitions", Section: sectionTopics, Default: "0",
		Help: "partitions of topics that create-topics makes; 0 is the broker's default",
		kind: number(func(s *Settings) *int { return &s.Partitions }, 0, 100_000),
	},
	{
		Name: "replicas", Section: sectionTopics, Default: "0",
		Help: "replicas of topics that create-topics makes; 0 is the broker's default",
		kind: number(func(s *Settings) *int { return &s.Replicas }, 0, 100),
	},
	{
		Name: "group", Section: sectionGroup, Default: "regionwatch",
		Help: "consumer group; nothing else may be a member of it",
		kind: text(func(s *Settings) *string { return &s.Group }, "name",
			"printable text of up to 249 characters", parseGroup),
	},
	{
		Name: "instance-id", Section: sectionGroup,
		Help: "name of this instance among those that run at the same time, the same after a restart;" +
			" without it one is made of the host, its network namespace and a number; none means that the group knows no name",
		kind: text(func(s *Settings) *string { return &s.InstanceID }, "name",
			"up to 200 "+kafkaNameRule+", or none", parseInstanceID),
	},
	{
		Name: "start", Section: sectionGroup, Default: "earliest",
		Help: "where to begin in partitions without a committed offset",
		kind: start(),
	},
	{
		Name: "session-timeout", Section: sectionGroup, Default: "6s",
		Help: "time after which the brokers give the partitions of a silent instance to others;" +
			" they refuse less than their group.min.session.timeout.ms, 6s unless changed",
		kind: span(func(s *Settings) *time.Duration { return &s.SessionTimeout }, time.Second, 30*time.Minute),
	},
	{
		Name: "rebalance-timeout", Section: sectionGroup, Default: "1m",
		Help: "time that the group gives an instance to finish and hand over partitions",
		kind: span(func(s *Settings) *time.Duration { return &s.RebalanceTimeout }, 10*time.Second, time.Hour),
	},
	{
		Name: "delivery", Section: sectionDelivery, Default: AtLeastOnce,
		Help: "delivery guarantee",
		kind: choice(func(s *Settings) *string { return &s.Delivery }, AtLeastOnce, ExactlyOnce),
	},
	{
		Name: "sessions", Section: sectionDelivery, Default: "0",
		Help: "transactional sessions of exactly-once; 0 is a number that fits the cores",
		kind: number(func(s *Settings) *int { return &s.Sessions }, 0, 64),
	},
	{
		Name: "commit-interval", Section: sectionDelivery, Default: "200ms",
		Help: "time between commits of what is done; under exactly-once the most that a transaction waits",
		kind: span(func(s *Settings) *time.Duration { return &s.CommitInterval }, 100*time.Millisecond, time.Minute),
	},
	{
		Name: "delivery-timeout", Section: sectionDelivery, Default: "40s",
		Help: "time for which an alert is tried before the attempt counts as failed",
		kind: span(func(s *Settings) *time.Duration { return &s.DeliveryTimeout }, time.Second, time.Hour),
	},
	{
		Name: "transaction-timeout", Section: sectionDelivery, Default: "15s",
		Help: "time after which the brokers end a transaction that a dead instance left open;" +
			" readers of committed alerts wait for it",
		kind: span(func(s *Settings) *time.Duration { return &s.TransactionTimeout }, time.Second, 15*time.Minute),
	},
	{
		Name: "drain-timeout", Section: sectionDelivery, Default: "25s",
		Help: "time to finish what is in flight after a signal to stop",
		kind: span(func(s *Settings) *time.Duration { return &s.DrainTimeout }, time.Second, time.Hour),
	},
	{
		Name: "max-record-bytes", Section: sectionDelivery, Default: "1000000",
		Help: "largest record to write; an alert above it loses its copy of the event, never itself",
		kind: size(func(s *Settings) *int { return &s.MaxRecordBytes }, 16<<10, 64<<20),
	},
	{
		Name: "max-batch-bytes", Section: sectionDelivery, Default: "128MiB",
		Help: "largest batch of records to read, decompressed; a larger one stops the instance",
		kind: size(func(s *Settings) *int { return &s.MaxBatchBytes }, 1<<20, 1<<30),
	},
	{
		Name: "policy", Section: sectionDecision,
		Help: "YAML file with the policy, in place of unused-regions, missing-read-only and policy-version;" +
			" run reads it again when it changes and on SIGHUP",
		kind: text(func(s *Settings) *string { return &s.Policy }, "file", "a file name", parsePath),
	},
	{
		Name: "policy-topic", Section: sectionDecision,
		Help: "compacted topic whose newest record is the policy of run, in place of policy",
		kind: text(func(s *Settings) *string { return &s.PolicyTopic }, "topic",
			"a topic name of "+kafkaNameRule, parseTopic),
	},
	{
		Name: "unused-regions", Section: sectionDecision, Default: "ap-east-1,eu-west-3,eu-central-1",
		Help: "regions in which nothing but reading should happen",
		kind: list(func(s *Settings) *[]string { return &s.UnusedRegions }, "regions",
			"region codes such as eu-west-3, several with commas", parseRegion),
	},
	{
		Name: "missing-read-only", Section: sectionDecision, Default: "pass",
		Help: "what becomes of an event in an unused region whose readOnly is neither true nor false",
		kind: flip(func(s *Settings) *bool { return &s.AlertOnMissingReadOnly }, "pass", "alert"),
	},
	{
		Name: "policy-version", Section: sectionDecision,
		Help: "version of the policy that every alert carries; without it a hash of the policy",
		kind: text(func(s *Settings) *string { return &s.PolicyVersion }, "text",
			"printable text of up to 249 characters", parsePlain),
	},
	{
		Name: "no-event-copy", Section: sectionDecision, Default: "false",
		Help: "leave the copy of the event out of the alerts",
		kind: toggle(func(s *Settings) *bool { return &s.NoEventCopy }),
	},
	{
		Name: "alert-format", Section: sectionDecision, Default: AlertNative,
		Help: "form of the alerts; ocsf is Detection Finding (class 2004) of OCSF 1.6.0",
		kind: choice(func(s *Settings) *string { return &s.AlertFormat }, AlertNative, AlertOCSF),
	},
	{
		Name: "max-event-bytes", Section: sectionDecision, Default: "64MiB",
		Help: "largest input record after decompression; a larger one is a dead letter",
		kind: size(func(s *Settings) *int { return &s.MaxEventBytes }, 64<<10, 1<<30),
	},
	{
		Name: "admin-address", Section: sectionOther, Default: "127.0.0.1:9464",
		Help: "address that serves a page to look at, /metrics, /livez and /readyz, to whoever can reach it; port 0 is a free one",
		kind: text(func(s *Settings) *string { return &s.AdminAddress }, "address",
			"host:port, or none", parseListen),
	},
	{
		Name: "log-level", Section: sectionOther, Default: "info",
		Help: "least level that is logged",
		kind: choice(func(s *Settings) *string { return &s.LogLevel }, "debug", "info", "warn", "error"),
	},
	{
		Name: "log-format", Section: sectionOther, Default: "auto",
		Help: "form of the log; auto is text on a terminal and JSON elsewhere",
		kind: choice(func(s *Settings) *string { return &s.LogFormat }, "auto", "text", "json"),
	},
}

// start is the kind of the one setting that is a place in a topic.
func start() kind {
	k := one(func(s *Settings) *Start { return &s.Start }, parseStart, Start.String)
	k.Type, k.Choices = "place", []string{"earliest", "latest"}
	k.Allowed = "earliest, latest, or an RFC 3339 time such as 2026-11-01T00:00:00Z"
	return k
}
