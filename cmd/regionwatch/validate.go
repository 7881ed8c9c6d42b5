package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/internal/policies"
	"github.com/regionwatch/regionwatch/internal/setup"
	"github.com/regionwatch/regionwatch/processor/policy/live"
)

// validateFlags are validate's own flags, apart from settings.
type validateFlags struct {
	format           *cli.Choice
	strict, settings bool
}

func newValidateCommand() *cobra.Command {
	f := validateFlags{format: cli.NewChoice("text", "json")}
	cmd := &cobra.Command{
		Use:   "validate",
		Short: "Check settings and policy without connecting, and show what they mean",
		Long: "Check settings and policy as run would read them, without connecting to anything, and show what the policy means:\n" +
			"its levels, its unused regions, and the exceptions that expire. All mistakes are reported together, with exit\n" +
			"status 2. Warnings are about what is valid but looks wrong: an exception that expires within 14 days, an allowed\n" +
			"region that is not enabled by default, a list that mixes partitions, a deny list that leaves regions out.\n" +
			"--strict makes them mistakes.\n\n" +
			"With --policy the brokers may be left out, so that a policy can be checked on its own.",
		Example: "  regionwatch validate --policy policy.yaml --strict\n" +
			"  regionwatch validate --config regionwatch.yaml --settings",
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	addRunSettings(cmd)
	f.format.AddTo(cmd, "format", "format of the output; json always has the settings")
	cmd.Flags().BoolVar(&f.strict, "strict", false, "treat warnings as mistakes")
	cmd.Flags().BoolVar(&f.settings, "settings", false, "also show every setting with its value and where that comes from")
	return cmd
}

// validated is the JSON output of validate.
type validated struct {
	Settings []validatedSetting `json:"settings,omitempty"`
	Policy   string             `json:"policyVersion,omitempty"`
	Hash     string             `json:"policyHash,omitempty"`
	Summary  *policies.Summary  `json:"policySummary,omitempty"`
	Faults   []string           `json:"faults,omitempty"`
	Warnings []string           `json:"warnings,omitempty"`
}

type validatedSetting struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	From  string `json:"from"`
}

func (f *validateFlags) run(cmd *cobra.Command) error {
	s, p, err := loadValidated(cmd)
	if err = errors.Join(err, setup.CheckConnection(s)); err != nil {
		if f.format.String() == "json" {
			_ = json.NewEncoder(cmd.OutOrStdout()).Encode(validated{Faults: strings.Split(err.Error(), "\n")}) // also on standard error
		}
		return cli.Mistake(err)
	}
	now := time.Now()
	v := validated{Policy: p.Version(), Hash: p.Hash(), Summary: policies.Summarize(p.Policy, now), Warnings: append(s.Warnings(), p.Warnings(now)...)}
	for _, e := range s.Effective() {
		v.Settings = append(v.Settings, validatedSetting{e.Setting.Name, e.Value, from(e.Origin)})
	}
	if f.format.String() == "json" {
		err = json.NewEncoder(cmd.OutOrStdout()).Encode(v)
	} else {
		err = v.print(cmd.OutOrStdout(), s, f.settings)
	}
	if err != nil {
		return err
	}
	for _, w := range v.Warnings {
		cli.Warn(cmd.ErrOrStderr(), w)
	}
	if f.strict && len(v.Warnings) > 0 {
		return cli.Mistake(fmt.Errorf("%s; --strict treats them as mistakes", display.Plural(len(v.Warnings), "warning")))
	}
	return nil
}

// loadValidated loads the settings and the policy. The brokers are optional if a policy is given.
func loadValidated(cmd *cobra.Command) (*config.Settings, live.Loaded, error) {
	if s, err := cli.ReadSomeSettings(cmd); s.Policy != "" {
		p, policyErr := setup.Policy(s)
		return s, p, errors.Join(err, policyErr)
	}
	return loadBoth(cmd)
}

// print writes the verdict first, then what the policy means, then the settings if requested.
func (v *validated) print(w io.Writer, s *config.Settings, settings bool) error {
	verdict := "valid"
	if n := len(v.Warnings); n > 0 {
		verdict += ", with " + display.Plural(n, "warning")
	}
	fmt.Fprintf(w, "%s: %s\npolicy version %s, content %s\n\n", display.Text(setup.PolicyOrigin(s)), verdict, display.Text(v.Policy), v.Hash)
	if err := v.Summary.Print(w); err != nil || !settings {
		return err
	}
	fmt.Fprintln(w)
	table := display.NewTable(w, "SETTING", "VALUE", "FROM")
	for _, row := range v.Settings {
		value := row.Value
		if value == "" {
			value = "-"
		}
		table.Row(row.Name, value, row.From)
	}
	return table.Flush()
}

// from returns an origin without the name of the setting.
func from(o config.Origin) string {
	if o.Source == config.FromDefault {
		return "default"
	}
	return o.String()
}
