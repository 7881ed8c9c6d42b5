package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/broker/check"
	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/deadletters"
	"github.com/regionwatch/regionwatch/internal/deadletters/view"
	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/internal/setup"
	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/processor/deadletter"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/processor/policy/live"
)

// replayFlags are deadletter replay's own flags, apart from settings.
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
		Long: "Replay the records of the selected dead letters, by default all: after an upgrade that can read them, or with a\n" +
			"larger max-event-bytes. With --to decision they are decided here, with the settings of run, and their alerts and\n" +
			"new dead letters are written; alerts keep the ids and the origin they would have had. With --to input they are\n" +
			"written to the input topic again, where every reader sees them, at new offsets.\n\n" +
			"A record is replayed once: the dead-letter topic notes what was replayed, in the transaction that replays it, so\n" +
			"the same command again, another selection, or a run after a crash replays only the rest. Only one replay of a\n" +
			"topic runs at a time; a new one stops the one before. A record that still cannot be read becomes a new dead\n" +
			"letter, which counts its replays.\n\n" +
			"Letters from other input topics than the settings name are left to whatever reads those topics, since several\n" +
			"may share a dead-letter topic. They are counted and their topics named. Naming such a topic in --origin-topic is a\n" +
			"mistake.\n\n" +
			"--acls prints the required ACLs, for the given --to and --dry-run. Brokers check most of them at a write, so a\n" +
			"missing permission shows with the first record.\n\n" +
			"Exit status: 0 done; 1 a selected record could not be replayed or still cannot be read, or a fault; 2 a mistake in\n" +
			"flags, settings or policy.",
		Example: "  regionwatch deadletter replay --brokers kafka-1:9092 --reason too-large \\\n" +
			"    --max-event-bytes 256MiB --dry-run\n" +
			"  regionwatch deadletter replay --config regionwatch.yaml --since 2026-11-01T00:00:00Z --to input",
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.letters = addLetterFlags(cmd)
	f.to.AddTo(cmd, "to", "destination")
	f.format.AddTo(cmd, "format", "format of the summary, and of the records with --dry-run")
	cmd.Flags().Var(f.maxReplays, "max-replays", "refuse records whose replays failed so many times")
	cmd.Flags().BoolVar(&f.again, "again", false, "also replay what was replayed before")
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "list the records that would be replayed and what would be written, and write nothing")
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
	ctx, stop := cli.StopOnSignal(cmd.Context(), letterDrain, nil)
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
		Limit: uint64(f.letters.limit.Value), Again: f.again, DryRun: f.dryRun, OnPlan: view.Plan(stdout, f.format.String()),
	}
	if toInput {
		replay.To = deadletters.ToInput
	}
	summary, err := replay.Run(ctx)
	closeBar()
	if writeErr := view.Replay(stdout, f.format.String(), &summary, replay.To, f.dryRun); writeErr != nil {
		return errors.Join(letterError(ctx, err), writeErr)
	}
	if err == nil {
		err = summary.Whole()
	}
	if err != nil {
		return letterError(ctx, err)
	}
	if n := summary.StillUnreadable; n > 0 {
		return fmt.Errorf("%s still cannot be read", display.Plural(n, "record"))
	}
	return nil
}

// foreignOrigin returns a mistake if an origin topic is not an input topic, because nothing from it can be replayed.
func foreignOrigin(s *config.Settings, origins []string) error {
	for _, topic := range origins {
		if !s.ReadsTopic(topic) {
			return cli.Mistake(fmt.Errorf("flag --origin-topic: %q is not an input topic of the settings, so nothing from it can be replayed; give --input-topic", topic))
		}
	}
	return nil
}

// replayPolicy returns the policy that run would start with. With --to input nothing is decided.
func replayPolicy(ctx context.Context, s *config.Settings, loaded live.Loaded, toInput bool) (*policy.Policy, error) {
	if s.PolicyTopic == "" || toInput {
		return loaded.Policy, nil
	}
	keys, err := setup.PolicyKeys(s)
	if err != nil {
		return nil, err
	}
	c, err := setup.Connection(s, nil)
	if err != nil {
		return nil, err
	}
	newest, _, err := live.ReadTopic(ctx, s.PolicyTopic, c.ClientOpts(), keys)
	return newest.Policy, err
}

// replayOptions are the options of run that a replay uses.
func replayOptions(s *config.Settings, p *policy.Policy) processor.Options {
	o := setup.Processor(s)
	o.Delivery = processor.AtLeastOnce // a replay runs its own transactions
	o.Policy = func() *policy.Policy { return p }
	return o
}
