package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/internal/rebuild"
	"github.com/regionwatch/regionwatch/internal/setup"
	"github.com/regionwatch/regionwatch/processor/grouping"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/processor/policy/live"
	"github.com/regionwatch/regionwatch/processor/topics"
)

func newIncidentsRebuildCommand() *cobra.Command {
	var yes bool
	var acls aclFlags
	cmd := &cobra.Command{
		Use:   "rebuild",
		Short: "Make incidents forget everything and read all alerts again",
		Long: "Delete the offsets of incident-group, and delete and create incident-state-topic, with as many partitions as\n" +
			"alert-topic. The next start of incidents reads every alert that alert-topic still has. Incidents get the same ids\n" +
			"again, and revisions begin at 1: of several records of an incident, the last one in incident-topic counts. Nothing\n" +
			"is deleted from alert-topic or incident-topic.\n\n" +
			"After partitions were added to alert-topic, the alerts of an account are in several of them. So it first reads all\n" +
			"alerts, and if there is such an account it groups them itself: an account's alerts count in the partition of its\n" +
			"newest one. The next start goes on after them. That needs the memory and the policy of incidents.\n\n" +
			"It refuses while the group has live members. It asks first on a terminal, and needs --yes elsewhere. If it is\n" +
			"interrupted, run it again.",
		Example: "  regionwatch incidents rebuild --config regionwatch.yaml --yes",
		Args:    cli.NoArguments,
		RunE:    func(cmd *cobra.Command, _ []string) error { return rebuildIncidents(cmd, yes, &acls) },
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	acls.addTo(cmd, "the command")
	addRunSettings(cmd)
	used := append(config.Reach(), "config", "alert-topic", "incident-topic", "incident-group", "incident-state-topic", "incident-format", "replicas",
		"policy", "policy-topic", "policy-key", "memory-limit", "max-record-bytes", "output-compression")
	cli.HideSettings(cmd, func(s *config.Setting) bool { return !slices.Contains(used, s.Name) })
	return cmd
}

// rebuildTimeout limits each step of a rebuild but the reading of alerts.
const rebuildTimeout = time.Minute

func rebuildIncidents(cmd *cobra.Command, yes bool, acls *aclFlags) error {
	s, loaded, err := loadBoth(cmd)
	of, ofErr := setup.ForIncidents(s)
	if err = errors.Join(err, ofErr); err != nil {
		return cli.Mistake(err)
	}
	if acls.wanted {
		return acls.printRebuild(cmd, s)
	}
	needs := append(setup.Processor(of).MemoryNeeds(), grouping.MemoryNeed())
	if err := setup.Memory(s, needs, os.LookupEnv); err != nil {
		return cli.Mistake(err)
	}
	client, err := setup.Reach(cmd.Context(), s)
	if err != nil {
		return err
	}
	defer client.Close()
	r, err := newRebuild(cmd.Context(), s, of, loaded, client)
	if err != nil {
		return err
	}
	if err := planRebuild(cmd, &r.Topics); err != nil {
		return err
	}
	if err := confirm(cmd, yes); err != nil {
		return err
	}
	return runRebuild(cmd, r)
}

// newRebuild returns the rebuild that the settings describe.
func newRebuild(ctx context.Context, s, of *config.Settings, loaded live.Loaded, client *kgo.Client) (*rebuild.Rebuild, error) {
	compiled, err := replayPolicy(ctx, s, loaded, false)
	if err != nil {
		return nil, err
	}
	o := setup.Processor(of)
	o.Registry, o.Policy = prometheus.NewRegistry(), func() *policy.Policy { return compiled }
	stage, err := setup.Stage(s, &o)
	return &rebuild.Rebuild{
		Stage: stage, MaxRecordBytes: int32(of.MaxRecordBytes), // bounded by the settings table
		NewClient: func(opts ...kgo.Opt) (*kgo.Client, error) {
			return setup.Client(s, append(opts, setup.OutputCompression(s))...)
		},
		Topics: topics.Rebuild{
			Admin: kadm.NewClient(client), Group: s.IncidentGroup, Input: s.AlertTopic, State: s.IncidentStateTopic,
			Replicas: setup.OrBroker(int16(s.Replicas)), // bounded by the settings table
		},
	}, err
}

// planRebuild says what a rebuild does, or returns why it cannot be done.
func planRebuild(cmd *cobra.Command, r *topics.Rebuild) error {
	ctx, cancel := context.WithTimeout(cmd.Context(), rebuildTimeout)
	defer cancel()
	partitions, err := r.Plan(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "This deletes the offsets of group %q, and everything in topic %q, which gets %s.\n"+
		"Every alert in topic %q counts again.\n", r.Group, r.State, display.Plural(uint64(partitions), "partition"), r.Input)
	return nil
}

// runRebuild looks for accounts whose alerts are in several partitions, empties the state, and makes it anew if there are
// any.
func runRebuild(cmd *cobra.Command, r *rebuild.Rebuild) error {
	stderr := cmd.ErrOrStderr()
	fmt.Fprintf(stderr, "Reading topic %q to find accounts that have alerts in several partitions.\n", r.Topics.Input)
	placement, err := r.Find(cmd.Context())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), rebuildTimeout)
	defer cancel()
	if err := r.Topics.Run(ctx); err != nil {
		return err
	}
	if placement.Moved == 0 {
		fmt.Fprintf(stderr, "None has. Done. Now start the instances of regionwatch incidents again: they read %s from topic %q.\n",
			display.Plural(uint64(placement.Alerts), "record"), r.Topics.Input)
		return nil
	}
	fmt.Fprintf(stderr, "Grouping %s here: %s them in several partitions.\n", display.Plural(uint64(placement.Alerts), "record"),
		haveThem(placement.Moved))
	if err := r.Build(cmd.Context(), placement); err != nil {
		return fmt.Errorf("%w; run incidents rebuild again", err)
	}
	fmt.Fprintln(stderr, "Done. Now start the instances of regionwatch incidents again: they go on after them.")
	return nil
}

func haveThem(accounts int) string {
	if accounts == 1 {
		return "1 account has"
	}
	return display.Plural(uint64(accounts), "account") + " have"
}

// confirm returns nil if the user wants it.
func confirm(cmd *cobra.Command, yes bool) error {
	switch {
	case yes:
		return nil
	case !display.IsTerminal(os.Stdin):
		return cli.Mistake(errors.New("flag --yes: is required without a terminal"))
	}
	fmt.Fprint(cmd.ErrOrStderr(), "Go on (yes or no)? ")
	answer, _ := bufio.NewReader(cmd.InOrStdin()).ReadString('\n')
	if answer = strings.TrimSpace(answer); answer == "yes" || answer == "y" {
		return nil
	}
	return errors.New("nothing was changed")
}
