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
	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/processor/policy/policyfile"
	"github.com/regionwatch/regionwatch/processor/policy/regions"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

func newPolicyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "Look at policies, test and compare them, and make them of service control policies",
	}
	cmd.AddCommand(newPolicyShowCommand(), newPolicyTestCommand(), newPolicyDiffCommand(), newPolicyImportCommand(), newPolicySchemaCommand())
	return cmd
}

func newPolicyShowCommand() *cobra.Command {
	format, account := cli.NewChoice("text", "json"), ""
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Tell what holds for an account, and why",
		Long: "Tell what the policy comes to for one account: the level that holds, the regions that are unused, and\n" +
			"the exceptions that its account and group do not rule out. Without --account, for every account that\n" +
			"the policy does not name.",
		Example: "  regionwatch policy show --policy policy.yaml --account 222222222222",
		Args:    cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, policy, err := loadPolicy(cmd)
			if err != nil {
				return err
			}
			return showPolicy(cmd.OutOrStdout(), policy, account, format.String())
		},
	}
	format.AddTo(cmd, "format", "form of the output")
	cmd.Flags().StringVar(&account, "account", "", "id of the account")
	cli.AddSettings(cmd, "config", "policy", "unused-regions", "missing-read-only", "policy-version")
	return cmd
}

func showPolicy(w io.Writer, p *policy.Policy, account, format string) error {
	if account != "" && (len(account) != 12 || strings.Trim(account, "0123456789") != "") {
		return cli.Mistake(fmt.Errorf("flag --account: %q is no account id, which has 12 digits", account))
	}
	e := p.Effective(account, time.Now())
	if format == "json" {
		return json.NewEncoder(w).Encode(e)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(what, text string) { fmt.Fprintf(table, "%s\t%s\n", what, display.Text(text)) }
	if account == "" {
		account = "any that the policy does not name"
	}
	line("account", account)
	if e.Account != nil {
		line("known of it", string(e.Account))
	}
	line("level", e.Level+", which holds whole")
	line("regions", ruleText(&e))
	line("unused", regionList(e.Unused))
	if e.AllowList {
		line("", "and every region that AWS opens after "+regions.Date)
	}
	line("global services", map[bool]string{true: "pass in the region in which CloudTrail logs them", false: "as any other"}[e.ExemptGlobalServices])
	line("missing readOnly", e.MissingReadOnly)
	line("severity", e.Severity+", "+e.FailedSeverity+" for calls that failed")
	line("mode", map[bool]string{true: "shadow", false: "alert"}[e.Shadow])
	line("exceptions", display.List(e.Exceptions))
	line("policy", "version "+p.Version()+", content "+p.Hash())
	return table.Flush()
}

func newPolicySchemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Write the JSON Schema of a policy file, for editors",
		Args:  cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(policyfile.Schema())
			return err
		},
	}
}

func newPolicyTestCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "test CASES...",
		Short: "Decide cases by a policy, and tell which come out other than expected",
		Long: "Decide cases by a policy. A file of cases is YAML in the shape of Panther's rule tests, a list of\n" +
			"Name, ExpectedResult (whether the event alerts) and Log (the event), on its own or under the key\n" +
			"Tests. Exit status 1 where a case comes out other than expected.",
		Example: "  regionwatch policy test policy.tests.yaml --policy policy.yaml",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("no files given; name files of cases")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return testPolicy(cmd, args) },
	}
	cli.AddSettings(cmd, "config", "policy", "unused-regions", "missing-read-only", "policy-version", "max-event-bytes")
	return cmd
}

func testPolicy(cmd *cobra.Command, names []string) error {
	s, policy, err := loadPolicy(cmd)
	var cases []policyfile.Case
	for _, name := range names {
		list, casesErr := policyfile.LoadCases(name)
		cases, err = append(cases, list...), errors.Join(err, casesErr)
	}
	if err != nil {
		return cli.Mistake(err)
	}
	failed := 0
	for i := range cases {
		if !tryCase(cmd.OutOrStdout(), s, policy, &cases[i]) {
			failed++
		}
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%d of %d cases as expected, under policy %s\n", len(cases)-failed, len(cases), display.Text(policy.Version()))
	if failed > 0 {
		return fmt.Errorf("%d of %d cases are not as expected", failed, len(cases))
	}
	return nil
}

// tryCase decides one case and reports whether it comes out as expected.
func tryCase(w io.Writer, s *config.Settings, p *policy.Policy, c *policyfile.Case) bool {
	v := decideAll(p, s.MaxEventBytes, &detection.Record{Value: c.Event, File: c.At, DecidedAt: time.Now()})
	alerts, why := false, "there is no event in it"
	for _, d := range v {
		alerts, why = alerts || d.matches, d.text // a level on trial is tested as if it alerted
	}
	if alerts == c.Want {
		fmt.Fprintf(w, "ok    %s\n", display.Text(c.Name))
		return true
	}
	verb := map[bool]string{true: "an alert", false: "no alert"}
	fmt.Fprintf(w, "FAIL  %s (%s)\n      want: %s\n      got:  %s\n", display.Text(c.Name), display.Text(c.At), verb[c.Want], display.Text(why))
	return false
}

// verdict is what a policy says of one event.
type verdict struct {
	matches             bool // a finding, which a level on trial does not make an alert
	alerts              bool
	text                string
	account, region, id string
}

// verdicts collects what is decided. It is a detection.Witness.
type verdicts []verdict

// decideAll decides all events of a record.
func decideAll(p *policy.Policy, maxBytes int, r *detection.Record) verdicts {
	var v verdicts
	if err := detection.NewDetector(detection.Options{MaxEventBytes: maxBytes}).Explain(p, r, &v); err != nil {
		panic("BUG: " + err.Error()) // verdicts never fails
	}
	return v
}

// Event implements detection.Witness.
func (v *verdicts) Event(x *detection.Explanation) error {
	*v = append(*v, verdict{
		matches: x.Counted && x.Decision.IsFinding(), alerts: x.Counted && x.Decision.Outcome == policy.OutcomeAlerted,
		text:    x.DecisionText(),
		account: x.Event.RecipientAccountID.Text(), region: x.Event.AWSRegion.Text(), id: x.Event.EventID.Text(),
	})
	return nil
}

// Skip implements detection.Witness.
func (*verdicts) Skip(cloudtrail.Kind, cloudtrail.Chain) {}

// Fault implements detection.Witness.
func (*verdicts) Fault(*cloudtrail.Fault) error { return nil }
