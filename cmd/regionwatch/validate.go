package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/processor/detection"
)

func newValidateCommand() *cobra.Command {
	format := newChoice("text", "json")
	cmd := &cobra.Command{
		Use:   "validate",
		Short: "Check settings and policy without connecting, and print what would hold",
		Long: "Check settings and policy as run would read them, without connecting to anything, and print each\n" +
			"setting with its value and where that came from. All mistakes are reported together; the exit\n" +
			"status is 2 where there are any.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, policy, err := loadPolicy(cmd)
			if err != nil {
				return err
			}
			return printSettings(cmd.OutOrStdout(), s, policy, format.String())
		},
	}
	addSettings(cmd, "brokers")
	format.addTo(cmd, "format", "form of the output")
	return cmd
}

// validated is the form of validate's output for programs.
type validated struct {
	Settings []validatedSetting `json:"settings"`
	Policy   string             `json:"policyVersion"`
}

type validatedSetting struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	From  string `json:"from"`
}

func printSettings(w io.Writer, s *config.Settings, policy *detection.Policy, format string) error {
	out := validated{Policy: policy.Version()}
	for _, e := range s.Effective() {
		out.Settings = append(out.Settings, validatedSetting{e.Setting.Name, e.Value, from(e.Origin)})
	}
	if format == "json" {
		return json.NewEncoder(w).Encode(out)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SETTING\tVALUE\tFROM")
	for _, row := range out.Settings {
		value := printable(row.Value)
		if value == "" {
			value = "-"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", row.Name, value, printable(row.From))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, "\npolicy version "+printable(out.Policy))
	return err
}

// from returns an origin without the setting's name, which stands beside it.
func from(o config.Origin) string {
	if o.Source == config.FromDefault {
		return "default"
	}
	return o.String()
}
