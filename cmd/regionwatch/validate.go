package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/internal/setup"
	"github.com/regionwatch/regionwatch/processor/policy/live"
)

func newValidateCommand() *cobra.Command {
	format, strict := cli.NewChoice("text", "json"), false
	cmd := &cobra.Command{
		Use:   "validate",
		Short: "Check settings and policy without connecting, and print what would hold",
		Long: "Check settings and policy as run would read them, without connecting to anything, and print each\n" +
			"setting with its value and where that came from, and what the policy comes to. All mistakes are\n" +
			"reported together; the exit status is 2 where there are any. What is valid and looks wrong all the\n" +
			"same is a warning, which --strict makes a mistake: an exception that expires within 14 days, an\n" +
			"allowed region that is not enabled by default, a list that mixes partitions, a deny list that says\n" +
			"nothing of regions that are enabled in every account or that are new.\n\n" +
			"With --policy the brokers need not be given, so that a policy can be checked on its own.",
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return validate(cmd, format.String(), strict) },
	}
	addRunSettings(cmd)
	format.AddTo(cmd, "format", "form of the output")
	cmd.Flags().BoolVar(&strict, "strict", false, "take warnings for mistakes")
	return cmd
}

// validated is the form of validate's output for programs.
type validated struct {
	Settings []validatedSetting `json:"settings,omitempty"`
	Policy   string             `json:"policyVersion,omitempty"`
	Hash     string             `json:"policyHash,omitempty"`
	Summary  *policySummary     `json:"policySummary,omitempty"`
	Faults   []string           `json:"faults,omitempty"`
	Warnings []string           `json:"warnings,omitempty"`
}

type validatedSetting struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	From  string `json:"from"`
}

// errWarnings is what --strict makes of warnings.
var errWarnings = errors.New("there are warnings, and --strict takes them for mistakes")

func validate(cmd *cobra.Command, format string, strict bool) error {
	s, policy, err := loadValidated(cmd)
	if err = errors.Join(err, setup.CheckConnection(s)); err != nil {
		if format == "json" {
			_ = json.NewEncoder(cmd.OutOrStdout()).Encode(validated{Faults: splitLines(err)}) // standard error tells too
		}
		return cli.Mistake(err)
	}
	now := time.Now()
	out := validated{Policy: policy.Version(), Hash: policy.Hash(), Summary: newPolicySummary(policy.Policy, now), Warnings: append(s.Warnings(), policy.Warnings(now)...)}
	for _, e := range s.Effective() {
		out.Settings = append(out.Settings, validatedSetting{e.Setting.Name, e.Value, from(e.Origin)})
	}
	if err := out.print(cmd.OutOrStdout(), format); err != nil {
		return err
	}
	for _, w := range out.Warnings {
		cli.Report(cmd.ErrOrStderr(), errors.New("warning: "+w))
	}
	if strict && len(out.Warnings) > 0 {
		return cli.Mistake(errWarnings)
	}
	return nil
}

// loadValidated loads settings and policy. The brokers may be left out where a policy is given.
func loadValidated(cmd *cobra.Command) (*config.Settings, live.Loaded, error) {
	if s, err := cli.ReadSomeSettings(cmd); s.Policy != "" {
		p, policyErr := newPolicy(s)
		return s, p, errors.Join(err, policyErr)
	}
	return loadBoth(cmd)
}

// splitLines returns the lines of an error, one for each mistake.
func splitLines(err error) (lines []string) {
	for line := range strings.Lines(err.Error()) {
		lines = append(lines, strings.TrimRight(line, "\r\n"))
	}
	return lines
}

func (v *validated) print(w io.Writer, format string) error {
	if format == "json" {
		return json.NewEncoder(w).Encode(v)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SETTING\tVALUE\tFROM")
	for _, row := range v.Settings {
		value := display.Text(row.Value)
		if value == "" {
			value = "-"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", row.Name, value, display.Text(row.From))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w)
	if err := v.Summary.print(w); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\npolicy version %s, content %s\n", display.Text(v.Policy), v.Hash)
	return err
}

// from returns an origin without the setting's name, which stands beside it.
func from(o config.Origin) string {
	if o.Source == config.FromDefault {
		return "default"
	}
	return o.String()
}
