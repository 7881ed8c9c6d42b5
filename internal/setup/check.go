package setup

import (
	"slices"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/broker"
	"github.com/regionwatch/regionwatch/internal/broker/check"
)

// Check returns what the settings need from the brokers. An empty principal is derived from the authentication settings.
func Check(s *config.Settings, connection *broker.Connection, principal string) check.Options {
	o := check.Options{
		Connection:       connection,
		Principal:        principal,
		Identity:         s.SASLUsername,
		InputTopics:      s.InputTopics,
		InputPattern:     s.InputPattern,
		PolicyTopic:      s.PolicyTopic,
		CreateTopics:     s.CreateTopics,
		Partitions:       int32(s.Partitions), // bounded by the settings table
		Replicas:         int16(s.Replicas),   // bounded by the settings table
		Group:            s.Group,
		SessionTimeout:   s.SessionTimeout,
		RebalanceTimeout: s.RebalanceTimeout,
		ExactlyOnce:      s.Delivery == config.ExactlyOnce,
		Sessions:         s.Sessions,
	}
	if s.InputPattern != "" {
		o.InputTopics = nil
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
	o.InputTopics, o.InputPattern, o.Group = []string{s.AlertTopic}, "", s.IncidentGroup
	o.StateTopic, o.ExactlyOnce = s.IncidentStateTopic, true
	o.Outputs = []check.Output{{What: "incidents", Topic: s.IncidentTopic}, {What: "dead letters", Topic: s.DeadLetterTopic}}
	return o
}
