package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/processor/policy/regions"
)

func newRegionsCommand() *cobra.Command {
	format := cli.NewChoice("text", "json")
	cmd := &cobra.Command{
		Use:   "regions",
		Short: "List the AWS regions that policies may name",
		Long: "List the regions of every AWS partition with name, whether an account has to enable them before they\n" +
			"can be used, and the year in which they opened, where that is known. Under an allow list a region\n" +
			"that is not in this list is unused, so a catalogue that is older than AWS hides nothing there.",
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return printRegions(cmd.OutOrStdout(), format.String())
		},
	}
	format.AddTo(cmd, "format", "form of the output")
	return cmd
}

// listedRegion is the form of a region for programs.
type listedRegion struct {
	Code      string `json:"code"`
	Partition string `json:"partition"`
	Name      string `json:"name"`
	OptIn     bool   `json:"optIn"`
}

func printRegions(w io.Writer, format string) error {
	if format == "json" {
		lines := json.NewEncoder(w)
		for _, r := range regions.All() {
			if err := lines.Encode(listedRegion(r)); err != nil {
				return err
			}
		}
		return nil
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "REGION\tPARTITION\tNAME\tENABLED")
	for _, r := range regions.All() {
		enabled := "by default"
		if r.OptIn {
			enabled = "opt-in"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", r.Code, r.Partition, r.Name, enabled)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\nfrom %s of %s\n", regions.Source, regions.Date)
	return err
}
