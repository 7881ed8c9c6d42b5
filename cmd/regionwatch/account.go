package main

import (
	"log/slog"
	"time"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/instance"
	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/processor/policy"
)

// logStart writes what this instance is and what it is about to do.
func logStart(log *slog.Logger, s *config.Settings, p *policy.Policy, id instance.Identity, admin string) {
	log.Info("starting", "version", thisBuild().Version,
		"brokers", s.Brokers, "input_topics", s.InputTopics, "input_topic_pattern", s.InputPattern,
		"alert_topic", s.AlertTopic, "dead_letter_topic", s.DeadLetterTopic,
		"group", s.Group, "instance_id", id.Name, "delivery", s.Delivery, "start", s.Start.String(),
		"policy_version", p.Version(), "policy_hash", p.Hash(), "policy", policyOrigin(s), "unused_regions", s.UnusedRegions, "admin_address", admin)
}

// logAccount writes what became of everything that was read.
func logAccount(log *slog.Logger, s processor.Status, took time.Duration) {
	c := &s.Counts
	log.Info("stopped", "seconds", took.Round(time.Millisecond).Seconds(),
		"records", c.Records, "records_done", c.Done, "records_dead_lettered", c.DeadLettered,
		"events", c.Events, "alerted", c.Outcomes[policy.OutcomeAlerted],
		"shadowed", c.Outcomes[policy.OutcomeShadowed], "exempted", c.Outcomes[policy.OutcomeExempted], "passed", c.Passed(), "partial", c.Partial,
		"alerts_acknowledged", s.Acked, "dead_letters_acknowledged", s.DeadLetter)
}
