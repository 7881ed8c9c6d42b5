package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/learn"
	"github.com/regionwatch/regionwatch/internal/policies"
	"github.com/regionwatch/regionwatch/internal/scan"
)

// learnFlags are policy learn's own flags, apart from settings.
type learnFlags struct {
	maxGroups              *cli.Parsed[int64]
	organization, evidence string
}

func newPolicyLearnCommand() *cobra.Command {
	f := learnFlags{maxGroups: cli.NewNumber("0", 0, 10_000)}
	cmd := &cobra.Command{
		Use:   "learn FILE...",
		Short: "Draft a policy from observed traffic",
		Long: "Draft a policy from the events in files, folders or standard input (-), read as scan reads them, and write it to\n" +
			"standard output with the evidence in comments. A region is allowed only where two principals wrote on several\n" +
			"days and began 14 days before the end of the traffic. Other regions with writes are marked REVIEW, with the reasons.\n\n" +
			"--max-groups merges groups until there are that many. It widens allow lists as little as possible and marks each\n" +
			"widened region REVIEW.",
		Example: "  regionwatch policy learn AWSLogs/ --organization accounts.json > policy.new.yaml\n" +
			"  regionwatch policy learn AWSLogs/ --max-groups 5 --evidence evidence.csv > policy.new.yaml",
		Args: scanArguments,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	cmd.Flags().Var(f.maxGroups, "max-groups", "most groups besides the default level; 0 means as many as there are different lists")
	cmd.Flags().StringVar(&f.organization, "organization", "", "file with the names of accounts: the output of aws organizations list-accounts, or CSV with account and name")
	cmd.Flags().StringVar(&f.evidence, "evidence", "", "new file for what was counted, by account and region: .ndjson or .csv")
	cli.AddSettings(cmd, "max-event-bytes")
	return cmd
}

func (f *learnFlags) run(cmd *cobra.Command, args []string) error {
	s, err := cli.ReadSettings(cmd)
	o := learn.Options{MaxGroups: int(f.maxGroups.Value), Source: strings.Join(args, " ")}
	if f.organization != "" && err == nil {
		var text []byte
		if text, err = policies.ReadInput(cmd.InOrStdin(), f.organization); err == nil {
			o.Names, err = learn.ReadOrganization(text)
		}
		if err != nil {
			err = fmt.Errorf("flag --organization: %s: %w", f.organization, err)
		}
	}
	if kind := filepath.Ext(f.evidence); f.evidence != "" && kind != ".csv" && kind != ".ndjson" {
		err = errors.Join(err, fmt.Errorf("flag --evidence: %q ends in neither .csv nor .ndjson", f.evidence))
	}
	if err != nil {
		return cli.Mistake(err)
	}
	sources, listErr := scan.List(args, cmd.InOrStdin())
	cli.Report(cmd.ErrOrStderr(), listErr)
	ctx, stop := cli.StopOnSignal(cmd.Context(), scanDrain, nil)
	defer stop()
	began := time.Now()
	learner := learn.NewLearner(began)
	summary, err := policies.LearnFrom(ctx, learner, sources, s.MaxEventBytes, cmd.ErrOrStderr(), func(err error) { cli.Report(cmd.ErrOrStderr(), err) })
	if err != nil || summary.Stopped != nil {
		return errors.Join(err, cli.Stopped(ctx)) // a draft of a part of the traffic would mislead
	}
	draft := learner.Draft(o)
	policies.ReportLearned(cmd.ErrOrStderr(), summary, draft, time.Since(began))
	if err := policies.WriteEvidence(draft, f.evidence); err != nil {
		return cli.Mistake(fmt.Errorf("flag --evidence: %w", err))
	}
	if err := draft.Write(cmd.OutOrStdout()); err != nil {
		return err
	}
	return (&scanFlags{}).verdict(summary, listErr)
}
