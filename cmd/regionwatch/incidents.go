package main

import (
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/admin"
	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/setup"
	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/processor/grouping"
)

// notOfIncidents are the settings of run that have no effect on incidents.
var notOfIncidents = []string{
	"input-topic", "input-topic-pattern", "shadow-topic", "exempted-topic", "group", "delivery", "start",
	"unused-regions", "missing-read-only", "no-event-copy", "copy-headers",
}

func newIncidentsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "incidents",
		Short: "Read alerts from Kafka and write incidents, until a signal to stop",
		Long: "Read the alerts of run from alert-topic, group them, and write incidents to incident-topic, until SIGTERM or SIGINT.\n" +
			"The policy says how alerts are grouped (incidents). What it remembers is in incident-state-topic, so it goes on\n" +
			"after a crash where it was, and each alert counts once.\n\n" +
			"It is always exactly once, and reads alerts from the first one. Its group is incident-group. It accepts all settings\n" +
			"of run, so that one file serves both; those that are not listed here have no effect.",
		Example: "  regionwatch incidents --brokers kafka-1:9092,kafka-2:9092 --create-topics\n" +
			"  regionwatch incidents --config regionwatch.yaml --policy policy.yaml",
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := cli.ReadSettings(cmd)
			of, ofErr := setup.ForIncidents(s)
			return serve(cmd, of, errors.Join(err, ofErr), []processor.Need{grouping.MemoryNeed()}, func(o *processor.Options, view *admin.Source) error {
				stage, err := setup.Stage(s, o)
				setup.ShowIncidents(o, view, stage.Open)
				return err
			})
		},
	}
	addRunSettings(cmd)
	cli.HideSettings(cmd, func(s *config.Setting) bool { return slices.Contains(notOfIncidents, s.Name) })
	cmd.AddCommand(newIncidentsRebuildCommand())
	return cmd
}
