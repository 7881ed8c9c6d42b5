package main

import (
	"errors"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/alert"
)

// requiredKey is the annotation of a command that takes settings: the names of those that it needs.
const requiredKey = "required-settings"

// addSettings gives a command all settings as flags, with completion of their values.
func addSettings(cmd *cobra.Command, required ...string) {
	config.AddFlags(cmd.Flags())
	cmd.Annotations = map[string]string{requiredKey: strings.Join(required, " ")}
	for _, setting := range config.Table() {
		if len(setting.Choices) > 0 {
			complete := cobra.FixedCompletions(setting.Choices, cobra.ShellCompDirectiveNoFileComp)
			mustBeKnown(cmd.RegisterFlagCompletionFunc(setting.Name, complete))
		}
	}
	mustBeKnown(cmd.MarkFlagFilename("config", "yaml", "yml"))
	mustBeKnown(cmd.MarkFlagFilename("policy", "yaml", "yml"))
}

// mustBeKnown stops at a flag that was never added, which only a change of this file can bring about.
func mustBeKnown(err error) {
	if err != nil {
		panic("BUG: " + err.Error())
	}
}

// takesSettings reports whether the command was given to addSettings.
func takesSettings(cmd *cobra.Command) bool {
	_, ok := cmd.Annotations[requiredKey]
	return ok
}

// loadPolicy returns the settings of a command and the policy that they describe. The error holds every
// mistake in both.
func loadPolicy(cmd *cobra.Command) (*config.Settings, *policy.Policy, error) {
	s, policy, err := loadBoth(cmd)
	if err != nil {
		return nil, nil, mistake{err}
	}
	return s, policy.Policy, nil
}

// loadBoth is loadPolicy with the policy's file. The settings are returned in any case.
func loadBoth(cmd *cobra.Command) (*config.Settings, loadedPolicy, error) {
	s, err := readSettings(cmd, strings.Fields(cmd.Annotations[requiredKey])...)
	policy, policyErr := newPolicy(s)
	return s, policy, errors.Join(err, policyErr)
}

// readSettings reads the settings of a command, of which some are required. They are returned in any case.
func readSettings(cmd *cobra.Command, required ...string) (*config.Settings, error) {
	return config.Load(config.Sources{Flags: cmd.Flags(), Environ: os.Environ(), Required: required})
}

// newOptions returns the processor's options that settings decide.
func newOptions(s *config.Settings) processor.Options {
	o := processor.Options{
		Brokers:            s.Brokers,
		InputTopics:        s.InputTopics,
		AlertTopic:         s.AlertTopic,
		DeadLetterTopic:    s.DeadLetterTopic,
		ShadowTopic:        s.ShadowTopic,
		ExemptedTopic:      s.ExemptedTopic,
		CreateTopics:       s.CreateTopics,
		Partitions:         int32(s.Partitions), // bounded by the table
		Replicas:           int16(s.Replicas),   // bounded by the table
		Group:              s.Group,
		Start:              processor.Start{Latest: s.Start.Latest, At: s.Start.At},
		Sessions:           s.Sessions,
		SessionTimeout:     s.SessionTimeout,
		RebalanceTimeout:   s.RebalanceTimeout,
		CommitInterval:     s.CommitInterval,
		DeliveryTimeout:    s.DeliveryTimeout,
		TransactionTimeout: s.TransactionTimeout,
		DrainTimeout:       s.DrainTimeout,
		MaxRecordBytes:     s.MaxRecordBytes,
		MaxBatchBytes:      s.MaxBatchBytes,
		MaxEventBytes:      s.MaxEventBytes,
		NoEventCopy:        s.NoEventCopy,
	}
	if s.InputPattern != "" {
		o.InputTopics, o.InputPattern = []string{s.WholeInputPattern()}, true
	}
	if s.AlertFormat == config.AlertOCSF {
		o.AlertFormat = alert.OCSF
	}
	if s.Delivery == config.ExactlyOnce {
		o.Delivery = processor.ExactlyOnce
	}
	return o
}
