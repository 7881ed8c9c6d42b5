package main

import (
	"errors"
	"os"

	"github.com/spf13/cobra"

	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/memory"
	"github.com/regionwatch/regionwatch/internal/policies"
	"github.com/regionwatch/regionwatch/internal/scan"
)

func newPolicyLearnCommand() *cobra.Command {
	maxGroups, l := cli.NewNumber("0", 0, 10_000), policies.Learning{}
	cmd := &cobra.Command{
		Use:   "learn FILE...",
		Short: "Draft a policy from observed traffic",
		Long: "Draft a policy from the events in files, folders or standard input (-), read as scan reads them, and write it to\n" +
			"standard output with the evidence in comments. A region is allowed only where two principals wrote on several\n" +
			"days and began 14 days before the end of the traffic. Other regions with writes are marked REVIEW, with the reasons.\n\n" +
			"--max-groups merges groups until there are that many. It widens allow lists as little as possible and marks each\n" +
			"widened region REVIEW.",
		Example: "  regionwatch policy learn AWSLogs/ --organization organization/ > policy.new.yaml\n" +
			"  regionwatch policy learn AWSLogs/ --max-groups 5 --evidence evidence.csv > policy.new.yaml",
		Args: scanArguments,
		RunE: func(cmd *cobra.Command, args []string) error {
			l.MaxGroups, l.Files = int(maxGroups.Value), args
			return runLearning(cmd, &l)
		},
	}
	cmd.Flags().Var(maxGroups, "max-groups", "most groups besides the default level; 0 means as many as there are different lists")
	cmd.Flags().StringVar(&l.Organization, "organization", "", "names, organizational units and tags of the accounts: a folder of the AWS CLI's outputs, the output of aws organizations list-accounts, or CSV with account,name,ou,tags")
	cmd.Flags().StringVar(&l.Evidence, "evidence", "", "new file for what was counted, by account and region: .ndjson or .csv")
	cmd.Flags().StringVar(&l.Snapshot, "snapshot", "", "file to keep what was learned in, every half minute and on a signal: the same command continues, and learns from new files")
	cli.AddSettings(cmd, "max-event-bytes")
	return cmd
}

func runLearning(cmd *cobra.Command, l *policies.Learning) error {
	s, err := cli.ReadSettings(cmd)
	l.MaxEventBytes = s.MaxEventBytes
	if err = errors.Join(err, l.Check(cmd.InOrStdin())); err != nil {
		return cli.Mistake(err)
	}
	sources, listErr := scan.List(l.Files, cmd.InOrStdin())
	cli.Report(cmd.ErrOrStderr(), listErr)
	memory.Tune(memory.ContainerLimit("/"), os.LookupEnv)
	ctx, stop := cli.StopOnSignal(cmd.Context(), scanDrain, nil)
	defer stop()
	summary, err := l.Run(ctx, sources, cmd.OutOrStdout(), cmd.ErrOrStderr())
	if err != nil || summary.Stopped != nil {
		return errors.Join(err, cli.Stopped(ctx)) // a draft of a part of the traffic would mislead
	}
	return (&scanFlags{}).verdict(summary, listErr)
}
