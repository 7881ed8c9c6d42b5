package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/internal/setup"
	"github.com/regionwatch/regionwatch/processor/topics"
)

func newIncidentsRebuildCommand() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "rebuild",
		Short: "Make incidents forget everything and read all alerts again",
		Long: "Delete the offsets of incident-group, and delete and create incident-state-topic, with as many partitions as\n" +
			"alert-topic. The next start of incidents reads every alert that alert-topic still has. Incidents get the same ids\n" +
			"again, and revisions begin at 1: of several records of an incident, the last one in incident-topic counts. Nothing\n" +
			"is deleted from alert-topic or incident-topic.\n\n" +
			"It refuses while the group has live members. It asks first on a terminal, and needs --yes elsewhere. If it is\n" +
			"interrupted, run it again.",
		Example: "  regionwatch incidents rebuild --config regionwatch.yaml --yes",
		Args:    cli.NoArguments,
		RunE:    func(cmd *cobra.Command, _ []string) error { return rebuildIncidents(cmd, yes) },
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	addRunSettings(cmd)
	return cmd
}

// rebuildTimeout limits a rebuild.
const rebuildTimeout = time.Minute

func rebuildIncidents(cmd *cobra.Command, yes bool) error {
	s, err := cli.ReadSettings(cmd)
	if err != nil {
		return cli.Mistake(err)
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), rebuildTimeout)
	defer cancel()
	client, err := setup.Reach(ctx, s)
	if err != nil {
		return err
	}
	defer client.Close()
	r := topics.Rebuild{
		Admin: kadm.NewClient(client), Group: s.IncidentGroup, Input: s.AlertTopic, State: s.IncidentStateTopic,
		Replicas: setup.OrBroker(int16(s.Replicas)), // bounded by the settings table
	}
	partitions, err := r.Plan(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "This deletes the offsets of group %q, and everything in topic %q, which gets %d partitions.\n"+
		"The next start of incidents reads topic %q from its first alert.\n", r.Group, r.State, partitions, r.Input)
	cancel() // a person may take longer to answer
	if err := confirm(cmd, yes); err != nil {
		return err
	}
	ctx, cancel = context.WithTimeout(cmd.Context(), rebuildTimeout)
	defer cancel()
	if err := r.Run(ctx); err != nil {
		return err
	}
	fmt.Fprintln(cmd.ErrOrStderr(), "Done.")
	return nil
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
