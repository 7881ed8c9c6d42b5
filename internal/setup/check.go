package setup

import (
	"slices"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/broker"
	"github.com/regionwatch/regionwatch/internal/broker/check"
	"github.com/regionwatch/regionwatch/processor"
)

// Check returns what the settings need from the brokers. An empty principal is derived from the authentication settings.
func Check(s *config.Settings, connection *broker.Connection, principal string) check.Options {
	o := check.Options{
		Options: Processor(s), Connection: connection, Principal: principal, Identity: s.SASLUsername, PolicyTopic: s.PolicyTopic,
	}
	if s.InstanceID != config.None {
		o.InstanceID = s.InstanceID
	}
	if ours := connection.Certificate(); ours != nil && s.SASLMechanism == "" {
		o.Identity = ours.Subject.String() // RFC 2253, as on brokers
	}
	if o.Principal == "" && o.Identity != "" {
		o.Principal = "User:" + o.Identity
	}
	o.Outputs = []check.Output{
		{What: "alerts", Topic: s.AlertTopic}, {What: "dead letters", Topic: s.DeadLetterTopic},
		{What: "shadow findings", Topic: s.ShadowTopic}, {What: "exempted events", Topic: s.ExemptedTopic},
	}
	o.Outputs = slices.DeleteFunc(o.Outputs, func(output check.Output) bool { return output.Topic == "" })
	return o
}

// CheckIncidents returns what stage two needs from the brokers, which is always exactly once. An empty principal is derived
// from the authentication settings.
func CheckIncidents(s *config.Settings, connection *broker.Connection, principal string) check.Options {
	o := Check(s, connection, principal)
	o.InputTopics, o.InputPattern, o.Group = []string{s.AlertTopic}, false, s.IncidentGroup
	o.StateTopic, o.Delivery = s.IncidentStateTopic, processor.ExactlyOnce
	o.Outputs = []check.Output{{What: "incidents", Topic: s.IncidentTopic}, {What: "dead letters", Topic: s.DeadLetterTopic}}
	return o
}
