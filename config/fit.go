package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// pair is a rule that several settings keep together. It returns what is wrong, or "".
type pair struct {
	names []string
	wrong func(s *Settings) string
}

var pairs = []pair{
	{[]string{"input-topic", "input-topic-pattern"}, topicsOrPattern},
	{[]string{"input-topic", "alert-topic"}, func(s *Settings) string {
		return inputIsOutput(s, "alert-topic", s.AlertTopic)
	}},
	{[]string{"input-topic", "dead-letter-topic"}, func(s *Settings) string {
		return inputIsOutput(s, "dead-letter-topic", s.DeadLetterTopic)
	}},
	{[]string{"input-topic-pattern", "alert-topic"}, func(s *Settings) string {
		return patternMeetsOutput(s, "alert-topic", s.AlertTopic)
	}},
	{[]string{"input-topic-pattern", "dead-letter-topic"}, func(s *Settings) string {
		return patternMeetsOutput(s, "dead-letter-topic", s.DeadLetterTopic)
	}},
	{[]string{"alert-topic", "dead-letter-topic"}, func(s *Settings) string {
		if s.AlertTopic != s.DeadLetterTopic {
			return ""
		}
		return fmt.Sprintf("alert-topic and dead-letter-topic are both %q; they must differ", s.AlertTopic)
	}},
	{[]string{"input-topic", "shadow-topic"}, func(s *Settings) string {
		return inputIsOutput(s, "shadow-topic", s.ShadowTopic)
	}},
	{[]string{"input-topic", "exempted-topic"}, func(s *Settings) string {
		return inputIsOutput(s, "exempted-topic", s.ExemptedTopic)
	}},
	{[]string{"input-topic", "policy-topic"}, func(s *Settings) string {
		return inputIsOutput(s, "policy-topic", s.PolicyTopic)
	}},
	{[]string{"input-topic-pattern", "shadow-topic"}, func(s *Settings) string {
		return patternMeetsOutput(s, "shadow-topic", s.ShadowTopic)
	}},
	{[]string{"input-topic-pattern", "exempted-topic"}, func(s *Settings) string {
		return patternMeetsOutput(s, "exempted-topic", s.ExemptedTopic)
	}},
	{[]string{"input-topic-pattern", "policy-topic"}, func(s *Settings) string {
		return patternMeetsOutput(s, "policy-topic", s.PolicyTopic)
	}},
	{[]string{"dead-letter-topic", "shadow-topic"}, func(s *Settings) string {
		return sameTopic("dead-letter-topic", s.DeadLetterTopic, "shadow-topic", s.ShadowTopic)
	}},
	{[]string{"dead-letter-topic", "exempted-topic"}, func(s *Settings) string {
		return sameTopic("dead-letter-topic", s.DeadLetterTopic, "exempted-topic", s.ExemptedTopic)
	}},
	{[]string{"policy", "policy-topic"}, onePolicy("policy", "policy-topic")},
	{[]string{"policy", "unused-regions"}, onePolicy("policy", "unused-regions")},
	{[]string{"policy", "missing-read-only"}, onePolicy("policy", "missing-read-only")},
	{[]string{"policy", "policy-version"}, onePolicy("policy", "policy-version")},
	{[]string{"policy-topic", "unused-regions"}, onePolicy("policy-topic", "unused-regions")},
	{[]string{"policy-topic", "missing-read-only"}, onePolicy("policy-topic", "missing-read-only")},
	{[]string{"policy-topic", "policy-version"}, onePolicy("policy-topic", "policy-version")},
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
		return atMost("session-timeout", s.SessionTimeout, "rebalance-timeout", s.RebalanceTimeout)
	}},
	{[]string{"delivery-timeout", "rebalance-timeout"}, handOver},
	{[]string{"delivery", "commit-interval", "transaction-timeout"}, transactionTime},
}

// onePolicy keeps two settings from being a policy each: one of them would be ignored, and nobody would see which.
func onePolicy(name, other string) func(*Settings) string {
	return func(s *Settings) string {
		if s.Origin(name).Source == FromDefault || s.Origin(other).Source == FromDefault {
			return ""
		}
		return name + " and " + other + " are both given; the policy says all of it, leave one out"
	}
}

// sameTopic keeps two topics apart.
func sameTopic(name, topic, other, otherTopic string) string {
	if topic != otherTopic {
		return ""
	}
	return fmt.Sprintf("%s and %s are both %q; they must differ", name, other, topic)
}

// commitTime is what a commit may take when partitions are handed over.
const commitTime = 5 * time.Second

// handOver keeps the group waiting for an instance that waits for its last acknowledgements.
func handOver(s *Settings) string {
	if s.DeliveryTimeout+commitTime <= s.RebalanceTimeout {
		return ""
	}
	return fmt.Sprintf("delivery-timeout %s and %s for a commit must fit into rebalance-timeout %s",
		shortDuration(s.DeliveryTimeout), shortDuration(commitTime), shortDuration(s.RebalanceTimeout))
}

// transactionTime keeps the brokers from ending transactions that are only waiting for their interval.
func transactionTime(s *Settings) string {
	if s.Delivery != ExactlyOnce || time.Second+2*s.CommitInterval <= s.TransactionTimeout {
		return ""
	}
	return fmt.Sprintf("transaction-timeout %s must be at least 1s and twice commit-interval %s",
		shortDuration(s.TransactionTimeout), shortDuration(s.CommitInterval))
}

// topicsOrPattern makes the pattern win over the default topic, and not over a topic that was given.
func topicsOrPattern(s *Settings) string {
	if s.InputPattern == "" {
		return ""
	}
	if s.origins["input-topic"].Source != FromDefault {
		return "input-topic and input-topic-pattern exclude each other; give one of them"
	}
	s.InputTopics = nil
	return ""
}

// inputIsOutput finds a topic that would be read and written: every alert would come back as input.
func inputIsOutput(s *Settings, name, output string) string {
	if s.InputPattern == "" && slices.Contains(s.InputTopics, output) {
		return fmt.Sprintf("input-topic and %s are both %q; they must differ", name, output)
	}
	return ""
}

// patternMeetsOutput finds the same where the input is a pattern.
func patternMeetsOutput(s *Settings, name, output string) string {
	if s.InputPattern == "" || output == "" || !regexp.MustCompile(s.WholeInputPattern()).MatchString(output) {
		return ""
	}
	return fmt.Sprintf("input-topic-pattern %s matches %s %q, which would be read as input; change one of them",
		quote(s.InputPattern), name, output)
}

// WholeInputPattern returns the input pattern so that it matches whole names only.
func (s *Settings) WholeInputPattern() string { return "^(?:" + s.InputPattern + ")$" }

// ReadsTopic reports whether a topic is one of those that are read.
func (s *Settings) ReadsTopic(name string) bool {
	if s.InputPattern != "" {
		return regexp.MustCompile(s.WholeInputPattern()).MatchString(name) // it was compiled when it was read
	}
	return slices.Contains(s.InputTopics, name)
}

func shorter(name string, value time.Duration, than string, bound time.Duration) string {
	if value < bound {
		return ""
	}
	return fmt.Sprintf("%s %s must be shorter than %s %s", name, shortDuration(value), than, shortDuration(bound))
}

func atMost(name string, value time.Duration, than string, bound time.Duration) string {
	if value <= bound {
		return ""
	}
	return fmt.Sprintf("%s %s must not be longer than %s %s", name, shortDuration(value), than, shortDuration(bound))
}

// fit notes the settings that do not fit together. A setting that is bad by itself is left out: its
// weaker value would only mislead.
func (l *loader) fit() {
	out := func(name string) bool { return l.bad[name] || l.table.lookup(name) == nil }
	rules := pairs
	if l.reaches {
		rules = slices.Concat(pairs, securityPairs)
	}
	for _, p := range rules {
		if slices.ContainsFunc(p.names, out) {
			continue
		}
		if wrong := p.wrong(l.Settings); wrong != "" {
			l.faults = append(l.faults, Fault{l.where(p.names), wrong})
		}
	}
}

// where names the origins of the settings, the default ones only where all are.
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
