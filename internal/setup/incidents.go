package setup

import (
	"errors"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/memory"
	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/processor/grouping"
)

// ForIncidents returns the settings of the command incidents as those of a processor: it reads alerts in its own group,
// from the first, and writes incidents exactly once. The error names the settings that it cannot have.
func ForIncidents(s *config.Settings) (*config.Settings, error) {
	var errs []error
	if s.AlertFormat != config.AlertNative {
		errs = append(errs, s.Blame("alert-format", errors.New("incidents are made of native alerts; allowed: native")))
	}
	if s.InstanceID == config.None {
		errs = append(errs, s.Blame("instance-id", errors.New("incidents is always exactly once and needs a name; give one, or leave it out and one is made")))
	}
	of := *s
	of.InputTopics, of.InputPattern = []string{s.AlertTopic}, ""
	of.AlertTopic, of.ShadowTopic, of.ExemptedTopic, of.CopyHeaders = s.IncidentTopic, "", "", nil
	of.Group, of.Delivery, of.Start = s.IncidentGroup, config.ExactlyOnce, config.Start{}
	of.MaxRecordBytes = max(s.MaxRecordBytes, processor.DefaultMaxRecordBytes) // state has no smaller form
	return &of, errors.Join(errs...)
}

// Stage adds to the options what makes a processor group alerts. The policy, the registry and the log must be set.
func Stage(s *config.Settings, o *processor.Options) (*grouping.Stage, error) {
	stage, err := grouping.New(grouping.Options{
		IncidentTopic: s.IncidentTopic, StateTopic: s.IncidentStateTopic, OCSF: s.IncidentFormat == config.AlertOCSF,
		Policy: o.Policy, Registry: o.Registry, Logger: o.Logger,
	})
	o.Stage, o.StateTopic, o.Grow = stage, s.IncidentStateTopic, memory.Grow
	return stage, err
}
