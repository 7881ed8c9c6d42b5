package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/broker/check"
	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/deadletters"
	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/internal/setup"
	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/processor/deadletter"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/processor/policy/live"
)

// replayFlags are the flags of deadletter replay that are no settings.
type replayFlags struct {
	letters    *letterFlags
	to         *cli.Choice
	format     *cli.Choice
	maxReplays *cli.Parsed[int64]
	again      bool
	dryRun     bool
	acls       aclFlags
}

func newDeadLetterReplayCommand() *cobra.Command {
	f := replayFlags{
		to: cli.NewChoice(deadletters.ToDecision.String(), deadletters.ToInput.String()), format: cli.NewChoice("table", "json"),
		maxReplays: cli.NewNumber("1", 1, deadletter.MaxReplays),
	}
	cmd := &cobra.Command{
		Use:   "replay",
		Short: "Replay the records of dead letters, each once",
		Long: "Replay the records of dead letters that are selected, all unless flags say otherwise; after an upgrade that\n" +
			"reads them, or with a larger max-event-bytes. To the decision they are decided here, under the settings of\n" +
			"run, and their alerts and new dead letters are written; alerts have the ids and the origin that they would\n" +
			"have had. To the input they are written to the input topic once more: whoever else reads it sees them too,\n" +
			"and their place in the topic is a new one.\n\n" +
			"A record is replayed once: what was replayed is noted in the dead-letter topic, in the transaction that\n" +
			"replays it, so the same command, or another selection, or one after a crash, replays the rest only. Only one\n" +
			"replay of a topic runs at a time: a new one stops the one before. What cannot be read again becomes a new\n" +
			"dead letter that counts its replays.\n\n" +
			"Letters of records that are not of the input topic of the settings are left to whoever reads that topic, as\n" +
			"where several share a dead-letter topic: they are counted, and their topics named. Such a topic in\n" +
			"--origin-topic is a mistake.\n\n" +
			"--acls prints what access control has to allow, for --to and --dry-run as they are given. The brokers look at\n" +
			"most of it when something is written: a right to write to a topic is missed by the first record for it.\n\n" +
			"Exit status: 0 done, 1 something that was selected could not be replayed or a fault, 2 a mistake in flags,\n" +
			"settings or policy.",
		Example: "  regionwatch deadletter replay --brokers kafka-1:9092 --reason too-large --max-event-bytes 256MiB --dry-run\n" +
			"  regionwatch deadletter replay --config regionwatch.yaml --since 2026-11-01T00:00:00Z --to input",
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.letters = addLetterFlags(cmd)
	f.to.AddTo(cmd, "to", "where to")
	f.format.AddTo(cmd, "format", "form of the account, and of the records with --dry-run")
	cmd.Flags().Var(f.maxReplays, "max-replays", "refuse records that were replayed as often and failed each time")
	cmd.Flags().BoolVar(&f.again, "again", false, "replay what was replayed before, too")
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "say which records would be replayed and what would be written where, and write nothing")
	f.acls.addTo(cmd, "the command")
	addRunSettings(cmd)
	return cmd
}

func (f *replayFlags) run(cmd *cobra.Command) error {
	s, loaded, err := loadBoth(cmd)
	if err != nil {
		return cli.Mistake(err)
	}
	selection, err := f.letters.selection()
	if err = errors.Join(err, foreignOrigin(s, f.letters.originTopics)); err != nil {
		return err
	}
	toInput := f.to.String() == deadletters.ToInput.String()
	if f.acls.wanted {
		return f.acls.printLetters(cmd, f.format.String(), s, check.Letters{Replay: true, ToInput: toInput, DryRun: f.dryRun})
	}
	ctx, stop := stopLetters(cmd)
	defer stop()
	topic, closeBar, err := letterTopic(ctx, s, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer closeBar()
	policy, err := replayPolicy(ctx, s, loaded, toInput)
	if err != nil {
		return letterError(ctx, err)
	}
	stdout := cmd.OutOrStdout()
	replay := deadletters.Replay{
		Topic: topic, Selection: selection, Options: replayOptions(s, policy), MaxReplays: int(f.maxReplays.Value),
		Limit: uint64(f.letters.limit.Value), Again: f.again, DryRun: f.dryRun, OnPlan: f.writePlan(stdout),
	}
	if toInput {
		replay.To = deadletters.ToInput
	}
	account, err := replay.Run(ctx)
	closeBar()
	if writeErr := f.writeAccount(stdout, &account); writeErr != nil {
		return errors.Join(letterError(ctx, err), writeErr)
	}
	if err != nil {
		return letterError(ctx, err)
	}
	if err := account.Whole(); err != nil {
		return letterError(ctx, err)
	}
	return nil
}

// foreignOrigin returns a mistake where letters are asked for by a topic of which none can be replayed.
func foreignOrigin(s *config.Settings, origins []string) error {
	for _, topic := range origins {
		if !s.ReadsTopic(topic) {
			return cli.Mistake(fmt.Errorf("flag --origin-topic: %q is no input topic of the settings, so nothing of it can be replayed; give --input-topic", topic))
		}
	}
	return nil
}

// replayPolicy returns the policy that run would begin with. Into the input nothing is decided.
func replayPolicy(ctx context.Context, s *config.Settings, loaded live.Loaded, toInput bool) (*policy.Policy, error) {
	if s.PolicyTopic == "" || toInput {
		return loaded.Policy, nil
	}
	c, err := setup.Connection(s, nil)
	if err != nil {
		return nil, err
	}
	newest, err := live.ReadTopic(ctx, s.PolicyTopic, c.ClientOpts())
	return newest.Policy, err
}

// replayOptions are those of run, as far as a replay has a use for them.
func replayOptions(s *config.Settings, p *policy.Policy) processor.Options {
	o := setup.Processor(s)
	o.Delivery = processor.AtLeastOnce // a replay has no instance that a session would be named after
	o.Policy = func() *policy.Policy { return p }
	return o
}

// writePlan returns what tells of a record that would be replayed.
func (f *replayFlags) writePlan(w io.Writer) func(*deadletters.Plan) error {
	if f.format.String() == "json" {
		encoder := display.NewEncoder(w)
		return func(p *deadletters.Plan) error { return encoder.Encode(newShownPlan(p)) }
	}
	return func(p *deadletters.Plan) error {
		shown := newShownPlan(p)
		line := fmt.Sprintf("%d:%d  %s  %s ->", shown.Letter.Partition, shown.Letter.Offset, p.Letter.Origin, shown.Reason)
		if len(shown.Writes) == 0 {
			line += " nothing to write"
		}
		for _, write := range shown.Writes {
			line += fmt.Sprintf(" %s %s", display.Number(write.Count), write.Name)
		}
		_, err := fmt.Fprintln(w, display.Text(line))
		return err
	}
}
