package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/deadletters"
	"github.com/regionwatch/regionwatch/internal/memory"
	"github.com/regionwatch/regionwatch/internal/policies"
	"github.com/regionwatch/regionwatch/internal/scan"
)

func newPolicyLearnCommand() *cobra.Command {
	maxGroups, from, l := cli.NewNumber("0", 0, 10_000), cli.NewPast(), policies.Learning{}
	cmd := &cobra.Command{
		Use:   "learn [FILE...]",
		Short: "Draft a policy from observed traffic",
		Long: "Draft a policy from the events in files, folders or standard input (-), read as scan reads them, and write it to\n" +
			"standard output with the evidence in comments. A region is allowed only where two principals wrote on several\n" +
			"days and began 14 days before the end of the traffic. Other regions with writes are marked REVIEW, with the reasons.\n\n" +
			"With --input-topic and no files it reads topics, until where they end at the start. It joins no group and commits\n" +
			"nothing.\n\n" +
			"--max-groups merges groups until there are that many. It widens allow lists as little as possible and marks each\n" +
			"widened region REVIEW.",
		Example: "  regionwatch policy learn AWSLogs/ --organization organization/ > policy.new.yaml\n" +
			"  regionwatch policy learn AWSLogs/ --max-groups 5 --evidence evidence.csv > policy.new.yaml\n" +
			"  regionwatch policy learn --brokers kafka-1:9092 --input-topic cloudtrail \\\n" +
			"    --from 90d > policy.new.yaml",
		Args: learnArguments,
		RunE: func(cmd *cobra.Command, args []string) error {
			l.MaxGroups, l.Files = int(maxGroups.Value), args
			memory.Tune(memory.ContainerLimit("/"), os.LookupEnv)
			if len(args) == 0 {
				return learnFromTopics(cmd, &l, from.Value)
			}
			return runLearning(cmd, &l)
		},
	}
	cmd.Flags().Var(from, "from", "only records of the topic written then or later (RFC 3339, or an age: 36h, 7d)")
	cmd.Flags().Var(maxGroups, "max-groups", "most groups besides the default level; 0 means as many as there are different lists")
	cmd.Flags().StringVar(&l.Organization, "organization", "", "names, organizational units and tags of the accounts: a folder of the AWS CLI's outputs, the output of aws organizations list-accounts, or CSV with account,name,ou,tags")
	cmd.Flags().StringVar(&l.Evidence, "evidence", "", "new file for what was counted, by account and region: .ndjson or .csv")
	cmd.Flags().StringVar(&l.Snapshot, "snapshot", "", "file to keep what was learned in, every half minute and on a signal: the same command continues, and learns from new files")
	cli.AddSettings(cmd, append(config.Reach(), "config", "input-topic", "max-event-bytes", "max-batch-bytes")...)
	return cmd
}

// learnArguments checks that there are files or a topic, and not both.
func learnArguments(cmd *cobra.Command, args []string) error {
	fromTopic := cmd.Flags().Changed("input-topic")
	for _, name := range []string{"input-topic", "from"} {
		if len(args) > 0 && cmd.Flags().Changed(name) {
			return fmt.Errorf("flag --%s: it is for topics; name either files or --input-topic", name)
		}
	}
	switch {
	case len(args) == 0 && !fromTopic:
		return errors.New("no files given; name files or folders, - for standard input, or --input-topic for topics")
	case fromTopic && cmd.Flags().Changed("snapshot"):
		return errors.New("flag --snapshot: it is for files; a topic is read in one run")
	case fromTopic:
		return nil
	}
	return scanArguments(cmd, args)
}

func learnFromTopics(cmd *cobra.Command, l *policies.Learning, from time.Time) error {
	s, err := cli.ReadSomeSettings(cmd, "brokers")
	l.MaxEventBytes = s.MaxEventBytes
	if err = errors.Join(err, l.Check(cmd.InOrStdin())); err != nil {
		return cli.Mistake(err)
	}
	ctx, stop := cli.StopOnSignal(cmd.Context(), scanDrain, nil)
	defer stop()
	topics := make([]deadletters.Topic, len(s.InputTopics))
	for i, name := range s.InputTopics {
		topic, closeBar, err := readableTopic(ctx, s, name, "reading "+name, cmd.ErrOrStderr())
		if err != nil {
			return err
		}
		defer closeBar()
		topics[i] = topic
	}
	err = l.RunTopics(ctx, topics, from, cmd.OutOrStdout(), cmd.ErrOrStderr())
	switch {
	case ctx.Err() != nil:
		return cli.Stopped(ctx)
	case errors.Is(err, deadletters.ErrNoTopic):
		return cli.Mistake(err)
	}
	return err
}

func runLearning(cmd *cobra.Command, l *policies.Learning) error {
	s, err := cli.ReadSettings(cmd)
	l.MaxEventBytes = s.MaxEventBytes
	if err = errors.Join(err, l.Check(cmd.InOrStdin())); err != nil {
		return cli.Mistake(err)
	}
	sources, listErr := scan.List(l.Files, cmd.InOrStdin())
	cli.Report(cmd.ErrOrStderr(), listErr)
	ctx, stop := cli.StopOnSignal(cmd.Context(), scanDrain, nil)
	defer stop()
	summary, err := l.Run(ctx, sources, cmd.OutOrStdout(), cmd.ErrOrStderr())
	if err != nil || summary.Stopped != nil {
		return errors.Join(err, cli.Stopped(ctx)) // a draft of a part of the traffic would mislead
	}
	return (&scanFlags{}).verdict(summary, listErr)
}
