package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// rule is a condition on several settings. wrong returns what is violated, or "". It must not change the settings.
type rule struct {
	names []string
	wrong func(s *Settings) string
}

// rules hold for every command.
var rules = slices.Concat(topicRules(), policyRules(), []rule{
	{[]string{"input-topic", "input-topic-pattern"}, func(s *Settings) string {
		if s.InputPattern == "" || len(s.InputTopics) == 0 {
			return ""
		}
		return "input-topic and input-topic-pattern exclude each other; give one of them"
	}},
	{[]string{"incident-group", "group"}, func(s *Settings) string {
		if s.IncidentGroup != s.Group {
			return ""
		}
		return fmt.Sprintf("incident-group and group are both %q; they must differ", s.Group)
	}},
	{[]string{"delivery", "instance-id"}, func(s *Settings) string {
		if s.Delivery != ExactlyOnce || s.InstanceID != None {
			return ""
		}
		return "exactly-once needs an instance-id for its transactions; give one, or leave it out and one is made"
	}},
	{[]string{"commit-interval", "session-timeout"}, func(s *Settings) string {
		return shorter("commit-interval", s.CommitInterval, "session-timeout", s.SessionTimeout)
	}},
	{[]string{"commit-interval", "drain-timeout"}, func(s *Settings) string {
		return shorter("commit-interval", s.CommitInterval, "drain-timeout", s.DrainTimeout)
	}},
	{[]string{"session-timeout", "rebalance-timeout"}, func(s *Settings) string {
		if s.SessionTimeout <= s.RebalanceTimeout {
			return ""
		}
		return fmt.Sprintf("session-timeout %s must not be longer than rebalance-timeout %s",
			shortDuration(s.SessionTimeout), shortDuration(s.RebalanceTimeout))
	}},
	{[]string{"delivery-timeout", "rebalance-timeout"}, handOver},
	{[]string{"delivery", "commit-interval", "transaction-timeout"}, transactionTime},
	{[]string{"admin-tls-certificate", "admin-tls-key"}, needs("admin-tls-certificate", "admin-tls-key")},
	{[]string{"admin-tls-key", "admin-tls-certificate"}, needs("admin-tls-key", "admin-tls-certificate")},
	{[]string{"copy-headers"}, func(s *Settings) string {
		switch n := len(s.CopyHeaders); {
		case n > maxCopyHeaders:
			return fmt.Sprintf("copy-headers has %d names, more than %d", n, maxCopyHeaders)
		case n > 1 && slices.Contains(s.CopyHeaders, None):
			return "copy-headers is none and other names; give none alone, or leave it out"
		}
		return ""
	}},
	{[]string{"fetch-partition-bytes", "fetch-bytes"}, func(s *Settings) string {
		if s.FetchPartitionBytes <= s.FetchBytes {
			return ""
		}
		return fmt.Sprintf("fetch-partition-bytes %d is more than fetch-bytes %d", s.FetchPartitionBytes, s.FetchBytes)
	}},
	{[]string{"pprof", "admin-address"}, func(s *Settings) string {
		if !s.Pprof || s.AdminAddress != None {
			return ""
		}
		return "pprof needs an admin-address, but that is none"
	}},
	{[]string{"page-address", "admin-address"}, func(s *Settings) string {
		if s.PageAddress != s.AdminAddress || s.PageAddress == None || strings.HasSuffix(s.PageAddress, ":0") {
			return ""
		}
		return fmt.Sprintf("page-address and admin-address are both %q; leave page-address out", s.PageAddress)
	}},
})

// topicRules keep apart topics that must differ: reading alerts as input would alert again. Only those that take findings,
// the first three, may be one.
func topicRules() (rules []rule) {
	written := []struct {
		name  string
		topic func(*Settings) string
	}{
		{"alert-topic", func(s *Settings) string { return s.AlertTopic }},
		{"shadow-topic", func(s *Settings) string { return s.ShadowTopic }},
		{"exempted-topic", func(s *Settings) string { return s.ExemptedTopic }},
		{"dead-letter-topic", func(s *Settings) string { return s.DeadLetterTopic }},
		{"policy-topic", func(s *Settings) string { return s.PolicyTopic }},
		{"incident-topic", func(s *Settings) string { return s.IncidentTopic }},
		{"incident-state-topic", func(s *Settings) string { return s.IncidentStateTopic }},
	}
	const ofFindings = 3
	for i, w := range written {
		for _, other := range written[max(i+1, ofFindings):] {
			rules = append(rules, rule{[]string{w.name, other.name}, func(s *Settings) string {
				if w.topic(s) == "" || w.topic(s) != other.topic(s) {
					return ""
				}
				return bothAre(w.name, other.name, w.topic(s))
			}})
		}
	}
	for _, w := range written {
		rules = append(rules,
			rule{[]string{"input-topic", w.name}, func(s *Settings) string {
				if !slices.Contains(s.InputTopics, w.topic(s)) {
					return ""
				}
				return bothAre("input-topic", w.name, w.topic(s))
			}},
			rule{[]string{"input-topic-pattern", w.name}, func(s *Settings) string {
				if s.InputPattern == "" || w.topic(s) == "" || !s.ReadsTopic(w.topic(s)) {
					return ""
				}
				return fmt.Sprintf("input-topic-pattern %s matches %s %q, which would be read as input; change one of them",
					quote(s.InputPattern), w.name, w.topic(s))
			}})
	}
	return rules
}

func bothAre(name, other, topic string) string {
	return fmt.Sprintf("%s and %s are both %q; they must differ", name, other, topic)
}

// policyRules allow one source of the policy; otherwise one would be ignored silently.
func policyRules() (rules []rule) {
	sources := []string{"policy", "policy-topic", "unused-regions", "missing-read-only", "policy-version"}
	for i, name := range sources[:2] {
		for _, other := range sources[i+1:] {
			rules = append(rules, rule{[]string{name, other}, func(s *Settings) string {
				if s.Origin(name).Source == FromDefault || s.Origin(other).Source == FromDefault {
					return ""
				}
				return name + " and " + other + " are both given; the policy replaces the other, leave one out"
			}})
		}
	}
	for _, name := range []string{"policy-key", "policy-cache"} {
		rules = append(rules, rule{[]string{name}, func(s *Settings) string {
			if s.Origin(name).Source == FromDefault || s.Policy != "" || s.PolicyTopic != "" {
				return ""
			}
			return name + " needs policy or policy-topic"
		}})
	}
	return rules
}

// maxCopyHeaders is how many headers an alert may take from its record.
const maxCopyHeaders = 16

// commitTime is the time allowed for the commit when partitions are handed over.
const commitTime = 5 * time.Second

// handOver makes the group wait long enough for an instance that waits for its last acknowledgements.
func handOver(s *Settings) string {
	if s.DeliveryTimeout+commitTime <= s.RebalanceTimeout {
		return ""
	}
	return fmt.Sprintf("delivery-timeout %s and %s for a commit must fit into rebalance-timeout %s",
		shortDuration(s.DeliveryTimeout), shortDuration(commitTime), shortDuration(s.RebalanceTimeout))
}

// transactionTime keeps brokers from aborting a transaction that only waits for its interval.
func transactionTime(s *Settings) string {
	if s.Delivery != ExactlyOnce || time.Second+2*s.CommitInterval <= s.TransactionTimeout {
		return ""
	}
	return fmt.Sprintf("transaction-timeout %s must be at least 1s and twice commit-interval %s",
		shortDuration(s.TransactionTimeout), shortDuration(s.CommitInterval))
}

// WholeInputPattern returns the input pattern anchored to whole topic names.
func (s *Settings) WholeInputPattern() string { return wholePattern(s.InputPattern) }

func wholePattern(pattern string) string { return "^(?:" + pattern + ")$" }

// ReadsTopic reports whether the named topic is an input.
func (s *Settings) ReadsTopic(name string) bool {
	if s.InputPattern != "" {
		return regexp.MustCompile(s.WholeInputPattern()).MatchString(name) // parsePattern has compiled it
	}
	return slices.Contains(s.InputTopics, name)
}

func shorter(name string, value time.Duration, than string, bound time.Duration) string {
	if value < bound {
		return ""
	}
	return fmt.Sprintf("%s %s must be shorter than %s %s", name, shortDuration(value), than, shortDuration(bound))
}

// fit adds a fault for each violated rule. Rules about a setting with a bad value are skipped: the weaker value in its
// place would mislead.
func (l *loader) fit() {
	skip := func(name string) bool { return l.bad[name] || l.table.lookup(name) == nil }
	all := rules
	if l.reaches {
		all = slices.Concat(rules, securityRules)
	}
	for _, r := range all {
		if slices.ContainsFunc(r.names, skip) {
			continue
		}
		if wrong := r.wrong(l.Settings); wrong != "" {
			l.faults = append(l.faults, Fault{l.where(r.names), wrong})
		}
	}
}

// where returns the origins of the settings, given ones before defaults.
func (l *loader) where(names []string) string {
	var given, defaults []string
	for _, name := range names {
		origin := l.origins[name]
		if origin.Source == FromDefault {
			defaults = append(defaults, origin.String())
		} else {
			given = append(given, origin.String())
		}
	}
	return strings.Join(append(given, defaults...), ", ")
}
