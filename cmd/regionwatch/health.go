package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/internal/instance"
)

func newHealthCommand() *cobra.Command {
	ready := false
	cmd := &cobra.Command{
		Use:   "health",
		Short: "Ask a running instance of this host or container whether it is alive",
		Long: "Ask the instance at admin-address whether it is alive, or with --ready whether it has its partitions\n" +
			"and a broker answers. The exit status is 0 if so, 1 if not or if nothing answers.\n\n" +
			"It is for health checks where there is no shell and no curl, as in an image made from scratch. It\n" +
			"reads the settings as run does: give both the same environment or file.",
		Example: "  regionwatch health --config /etc/regionwatch.yaml\n" +
			"  regionwatch health --ready --admin-address 127.0.0.1:9464",
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := cli.ReadSettings(cmd)
			if err != nil {
				return cli.Mistake(err)
			}
			answer, err := instance.Ask(cmd.Context(), s, ready)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), display.Text(answer))
			return err
		},
	}
	cli.AddSettings(cmd, "config", "admin-address", "admin-tls-certificate", "admin-tls-key")
	cmd.Flags().BoolVar(&ready, "ready", false, "ask whether it is ready, not only alive")
	return cmd
}
