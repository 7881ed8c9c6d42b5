package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
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
	{[]string{"alert-topic", "dead-letter-topic"}, func(s *Settings) string {
		if s.AlertTopic != s.DeadLetterTopic {
			return ""
		}
		return fmt.Sprintf("alert-topic and dead-letter-topic are both %q; they must differ", s.AlertTopic)
	}},
	{[]string{"delivery", "instance-id"}, func(s *Settings) string {
		if s.Delivery != ExactlyOnce || s.InstanceID != None {
			return ""
		}
		return "exactly-once needs an instance-id for its transactions; give one, or leave it out and one is made"
	}},
	{[]string{"commit-interval", "session-timeout"}, func(s *Settings) string {
		return shorter("commit-interval", shortDuration(s.CommitInterval), "session-timeout", shortDuration(s.SessionTimeout),
			s.CommitInterval < s.SessionTimeout)
	}},
	{[]string{"commit-interval", "drain-timeout"}, func(s *Settings) string {
		return shorter("commit-interval", shortDuration(s.CommitInterval), "drain-timeout", shortDuration(s.DrainTimeout),
			s.CommitInterval < s.DrainTimeout)
	}},
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
	if slices.Contains(s.InputTopics, output) {
		return fmt.Sprintf("input-topic and %s are both %q; they must differ", name, output)
	}
	return ""
}

// MatchesInput reports whether the topic is one of those that are read.
func (s *Settings) MatchesInput(topic string) bool {
	if s.InputPattern == "" {
		return slices.Contains(s.InputTopics, topic)
	}
	whole := regexp.MustCompile(s.WholeInputPattern())
	return whole.MatchString(topic)
}

// WholeInputPattern returns the input pattern anchored at both ends.
func (s *Settings) WholeInputPattern() string { return "^(?:" + s.InputPattern + ")$" }

func shorter(name, value, than, bound string, ok bool) string {
	if ok {
		return ""
	}
	return fmt.Sprintf("%s %s must be shorter than %s %s", name, value, than, bound)
}

// fit notes the settings that do not fit together. A setting that is bad by itself is left out: its
// weaker value would only mislead.
func (l *loader) fit() {
	for _, p := range pairs {
		if slices.ContainsFunc(p.names, func(name string) bool { return l.bad[name] }) {
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
