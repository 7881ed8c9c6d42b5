package main

import (
	"errors"
	"os"

	"github.com/spf13/cobra"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/admin"
	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/instance"
	"github.com/regionwatch/regionwatch/internal/setup"
	"github.com/regionwatch/regionwatch/processor"
)

func newRunCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Read CloudTrail from Kafka and write alerts, until a signal to stop",
		Long: "Read CloudTrail from Kafka and write alerts until SIGTERM or SIGINT. Then it finishes and commits its work in\n" +
			"flight, within drain-timeout, and exits with status 0. A second signal ends the process at once with 128 plus\n" +
			"the signal's number.\n\n" +
			"Each setting is a flag, an environment variable (--input-topic is REGIONWATCH_INPUT_TOPIC) and a key of the file\n" +
			"that --config names (input_topic). Flags override variables, variables the file, and the file the defaults.",
		Example: "  regionwatch run --brokers kafka-1:9092,kafka-2:9092 --input-topic cloudtrail --create-topics\n" +
			"  regionwatch run --config regionwatch.yaml --policy policy.yaml --delivery exactly-once",
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := cli.ReadSettings(cmd)
			return serve(cmd, s, err, nil, func(*processor.Options, *admin.Source) error { return nil })
		},
	}
	addRunSettings(cmd)
	cli.HideSettings(cmd, (*config.Setting).OfIncidents)
	return cmd
}

// serve runs a processor with these settings, if nothing is wrong with them, with their files and their policy. More is
// the memory that the command needs beside the processor. Add adds the command's own part, once the policy is there.
func serve(cmd *cobra.Command, s *config.Settings, err error, more []processor.Need, add func(*processor.Options, *admin.Source) error) error {
	if err == nil { // before the policy, which may be large or far away
		if err := setup.Memory(s, append(setup.Processor(s).MemoryNeeds(), more...), os.LookupEnv); err != nil {
			return cli.Mistake(err)
		}
	}
	loaded, policyErr := setup.Policy(s)
	err = errors.Join(err, setup.CheckConnection(s))
	_, keyErr := setup.PolicyKeys(s) // no cache makes up for these
	if err != nil || keyErr != nil || policyErr != nil && s.PolicyCache == "" {
		return cli.Mistake(errors.Join(err, policyErr))
	}
	return instance.Run(cmd.Context(), s, instance.Options{
		Policy: loaded, PolicyErr: policyErr, Build: thisBuild(), Stderr: cmd.ErrOrStderr(), Add: add,
	})
}
