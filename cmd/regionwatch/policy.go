package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/internal/policies"
	"github.com/regionwatch/regionwatch/internal/scan"
	"github.com/regionwatch/regionwatch/processor/policy/policyfile"
	"github.com/regionwatch/regionwatch/processor/policy/scp"
)

// policySettings are the settings that define a policy.
var policySettings = []string{"config", "policy", "unused-regions", "missing-read-only", "policy-version"}

func newPolicyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "policy",
		Short:   "Show, test, compare and learn policies, and convert service control policies",
		Example: "  regionwatch policy show --policy policy.yaml",
	}
	cmd.AddCommand(newPolicyShowCommand(), newPolicyTestCommand(), newPolicyDiffCommand(), newPolicyImportCommand(), newPolicyExportCommand(), newPolicyLearnCommand(), newPolicySchemaCommand())
	return cmd
}

func newPolicyShowCommand() *cobra.Command {
	format, account := cli.NewChoice("text", "json"), ""
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Show what applies to an account, and why",
		Long: "Show what a policy means for one account: the level that applies, the unused regions, and the exceptions that\n" +
			"its account and group may use. Without --account, for every account that the policy does not name.",
		Example: "  regionwatch policy show --policy policy.yaml --account 222222222222",
		Args:    cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, p, err := loadPolicy(cmd)
			if err != nil {
				return err
			}
			if account != "" && (len(account) != 12 || strings.Trim(account, "0123456789") != "") {
				return cli.Mistake(fmt.Errorf("flag --account: %q is not an account id, which has 12 digits", account))
			}
			if format.String() == "json" {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(p.Effective(account, time.Now()))
			}
			return policies.Show(cmd.OutOrStdout(), p, account, time.Now())
		},
	}
	format.AddTo(cmd, "format", "format of the output")
	cmd.Flags().StringVar(&account, "account", "", "id of the account")
	cli.AddSettings(cmd, policySettings...)
	cli.Must(cmd.RegisterFlagCompletionFunc("account", func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		_, p, err := loadPolicy(cmd)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return policies.AccountWords(p), cobra.ShellCompDirectiveNoFileComp
	}))
	return cmd
}

func newPolicySchemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "schema",
		Short:   "Write the JSON Schema of a policy file, for editors",
		Example: "  regionwatch policy schema > policy.schema.json",
		Args:    cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(policyfile.Schema())
			return err
		},
	}
}

func newPolicyTestCommand() *cobra.Command {
	format := cli.NewChoice("text", "junit")
	cmd := &cobra.Command{
		Use:   "test CASES...",
		Short: "Test a policy against cases",
		Long: "Decide cases by a policy and report those with another result than expected; then the exit status is 1. A file of\n" +
			"cases is YAML in the shape of Panther's rule tests, a list of Name, ExpectedResult (whether the event alerts) and\n" +
			"Log (the event), on its own or under the key Tests.\n\n" +
			"Instead of ExpectedResult, a case may name its Outcome as metrics do, such as alerted, shadowed, exempted,\n" +
			"used-region or read-only. ExpectedResult true accepts a finding in shadow mode, so that cases hold before and\n" +
			"after a roll-out. Incidents, with the keys that a level's incidents has, is how the alerts of the event's account\n" +
			"must be grouped; what it leaves out is the default.",
		Example: "  regionwatch policy test policy.tests.yaml --policy policy.yaml\n" +
			"  regionwatch policy test policy.tests.yaml --policy policy.yaml --format junit > results.xml",
		Args: someArguments("files of cases"),
		RunE: func(cmd *cobra.Command, args []string) error { return testPolicy(cmd, args, format.String()) },
	}
	format.AddTo(cmd, "format", "format of the results; CI systems read JUnit")
	cli.AddSettings(cmd, append(policySettings, "max-event-bytes")...)
	return cmd
}

// someArguments requires one or more arguments; what names them.
func someArguments(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return errors.New("no files given; name " + what)
		}
		return nil
	}
}

// arguments requires exactly n arguments.
func arguments(n int, otherwise string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != n {
			return errors.New(otherwise)
		}
		return nil
	}
}

func testPolicy(cmd *cobra.Command, names []string, format string) error {
	s, p, err := loadPolicy(cmd)
	var cases []policyfile.Case
	for _, name := range names {
		list, casesErr := policyfile.LoadCases(name)
		cases, err = append(cases, list...), errors.Join(err, casesErr)
	}
	if err != nil {
		return cli.Mistake(err)
	}
	results := policies.Test(p, cases, s.MaxEventBytes, time.Now())
	if err := policies.WriteResults(cmd.OutOrStdout(), format, p, results); err != nil {
		return err
	}
	if n := policies.Failed(results); n > 0 {
		return fmt.Errorf("%d of %s not as expected", n, display.Plural(len(results), "case"))
	}
	return nil
}

// diffFlags are policy diff's own flags, apart from settings.
type diffFlags struct {
	format   *cli.Choice
	events   []string
	exitCode bool
}

func newPolicyDiffCommand() *cobra.Command {
	f := diffFlags{format: cli.NewChoice("text", "json")}
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Show what a new policy changes, by level and region",
		Long: "Show what a new policy changes for the accounts under each of its levels. With --events, files or folders of\n" +
			"CloudTrail, also which of those events would newly alert and which would fall silent. The exit status is 0\n" +
			"whether there are changes or not, unless --exit-code asks otherwise.",
		Example: "  regionwatch policy diff policy.yaml policy.new.yaml --events AWSLogs/\n" +
			"  git show main:policy.yaml > old.yaml && regionwatch policy diff old.yaml policy.yaml --exit-code",
		Args: arguments(2, "name two policies, the old one and the new one"),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0], args[1]) },
	}
	f.format.AddTo(cmd, "format", "format of the changes")
	cmd.Flags().StringSliceVar(&f.events, "events", nil, "files or folders of events to decide by both policies")
	cmd.Flags().BoolVar(&f.exitCode, "exit-code", false, "exit with status 1 if there are changes")
	cli.AddSettings(cmd, "max-event-bytes")
	return cmd
}

func (f *diffFlags) run(cmd *cobra.Command, oldName, newName string) error {
	s, err := cli.ReadSettings(cmd)
	before, oldErr := policyfile.Load(oldName, nil)
	after, newErr := policyfile.Load(newName, nil)
	if err := errors.Join(err, oldErr, newErr); err != nil {
		return cli.Mistake(err)
	}
	now := time.Now()
	d := policies.Compare(before.Policy, after.Policy, now)
	if len(f.events) > 0 {
		sources, listErr := scan.List(f.events, cmd.InOrStdin())
		if errors.Is(listErr, scan.ErrNoFile) {
			return cli.Mistake(listErr)
		}
		d.Events, err = policies.CompareEvents(before.Policy, after.Policy, sources, s.MaxEventBytes, now)
		err = errors.Join(listErr, err)
	}
	if err := errors.Join(d.Write(cmd.OutOrStdout(), f.format.String()), err); err != nil {
		return err
	}
	if f.exitCode && !d.Empty() {
		return errors.New("the policies differ")
	}
	return nil
}

func newPolicyImportCommand() *cobra.Command {
	target := scp.Target{}
	cmd := &cobra.Command{
		Use:   "import-scp FILE...",
		Short: "Make a policy from service control policies that deny regions",
		Long: "Make a policy with the meaning of service control policies of AWS Organizations that deny by\n" +
			"aws:RequestedRegion, and write it to standard output, with comments that name the source of each part. A file is\n" +
			"the policy itself or the output of aws organizations describe-policy. Several files count as attached to one\n" +
			"target: --group, --account, or else every account. Standard error lists what a policy cannot express; there the\n" +
			"import leans towards alerting.",
		Example: "  aws organizations describe-policy --policy-id p-example |\n" +
			"    regionwatch policy import-scp - > policy.yaml",
		Args: someArguments("files of service control policies, or - for standard input"),
		RunE: func(cmd *cobra.Command, args []string) error {
			imported, err := policies.ImportSCP(cmd.InOrStdin(), args, target)
			if err != nil {
				return cli.Mistake(err)
			}
			return writeWithNotes(cmd, imported.Policy, "not imported: ", imported.Notes)
		},
	}
	cmd.Flags().StringVar(&target.Group, "group", "", "name of the group they are for, as an organizational unit")
	cmd.Flags().StringVar(&target.Account, "account", "", "id of the account they are for")
	return cmd
}

func newPolicyExportCommand() *cobra.Command {
	target, folder := scp.Target{}, ""
	cmd := &cobra.Command{
		Use:   "export-scp POLICY",
		Short: "Make a service control policy that denies the unused regions",
		Long: "Make a service control policy of AWS Organizations that denies the regions that are unused under one level of a\n" +
			"policy: --group, --account, or else the default. It exempts the global services that AWS exempts in its own\n" +
			"example, and what the exceptions exempt by principal alone or by service alone. Standard error lists the other\n" +
			"exceptions, and who uses regions that it denies.\n\n" +
			"AWS allows 5,120 characters. Above that it becomes several, in files of --output-dir, if together they deny the\n" +
			"same; attach all of them to the target. Otherwise it is refused.",
		Example: "  regionwatch policy export-scp policy.yaml --group sandbox > scp.json\n" +
			"  regionwatch policy export-scp policy.yaml --output-dir scps/",
		Args: arguments(1, "name one policy"),
		RunE: func(cmd *cobra.Command, args []string) error {
			exported, err := policies.ExportSCP(args[0], target)
			if err != nil {
				return cli.Mistake(err)
			}
			return writeSCPs(cmd, exported, folder)
		},
	}
	cmd.Flags().StringVar(&target.Group, "group", "", "name of the group that it is for")
	cmd.Flags().StringVar(&target.Account, "account", "", "id of the account that it is for")
	cmd.Flags().StringVar(&folder, "output-dir", "", "folder for the files scp-1.json and so on, instead of standard output")
	return cmd
}

// writeSCPs writes service control policies to a folder, or the only one to standard output.
func writeSCPs(cmd *cobra.Command, x *scp.Exported, folder string) error {
	switch {
	case folder != "":
		if err := policies.WriteSCPs(folder, x.Policies); err != nil {
			return cli.Mistake(fmt.Errorf("flag --output-dir: %w", err))
		}
		return writeWithNotes(cmd, nil, "", x.Notes)
	case len(x.Policies) > 1:
		return cli.Mistake(fmt.Errorf("it takes %d service control policies, all attached to the target: name a folder for them with --output-dir", len(x.Policies)))
	}
	return writeWithNotes(cmd, x.Policies[0], "", x.Notes)
}

// writeWithNotes writes the result to standard output, and notes to standard error.
func writeWithNotes(cmd *cobra.Command, text []byte, before string, notes []string) error {
	for _, note := range notes {
		cli.Report(cmd.ErrOrStderr(), errors.New(before+note))
	}
	_, err := cmd.OutOrStdout().Write(text)
	return err
}
