package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/admin"
	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/instance"
	"github.com/regionwatch/regionwatch/internal/setup"
	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/processor/policy/live"
)

func newRunCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Read CloudTrail from Kafka and write alerts, until a signal to stop",
		Long: "Read CloudTrail from Kafka and write alerts until SIGTERM or SIGINT. Then it finishes and commits its work in\n" +
			"flight, within drain-timeout, and exits with status 0. A second signal ends the process at once with 128 plus\n" +
			"the signal's number.\n\n" +
			"Each setting is a flag, an environment variable (--input-topic is REGIONWATCH_INPUT_TOPIC) and a key of the file\n" +
			"that --config names (input_topic). Flags override variables, variables the file, and the file the defaults.",
		Example: "  regionwatch run --brokers kafka-1:9092,kafka-2:9092 --input-topic cloudtrail --create-topics\n" +
			"  regionwatch run --config regionwatch.yaml --policy policy.yaml --delivery exactly-once",
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := cli.ReadSettings(cmd)
			return serve(cmd, s, err, func(*processor.Options, *admin.Source) error { return nil })
		},
	}
	addRunSettings(cmd)
	return cmd
}

// serve runs a processor with these settings, if nothing is wrong with them, with their files and their policy. Add adds
// the command's own part, once the policy is there.
func serve(cmd *cobra.Command, s *config.Settings, err error, add func(*processor.Options, *admin.Source) error) error {
	loaded, policyErr := setup.Policy(s)
	err = errors.Join(err, setup.CheckConnection(s))
	_, keyErr := setup.PolicyKeys(s) // no cache makes up for these
	if err != nil || keyErr != nil || policyErr != nil && s.PolicyCache == "" {
		return cli.Mistake(errors.Join(err, policyErr))
	}
	return runProcessor(cmd.Context(), s, loaded, policyErr, cmd.ErrOrStderr(), add)
}

// runProcessor runs until a signal. Once the log is open, errors go there.
func runProcessor(ctx context.Context, s *config.Settings, loaded live.Loaded, policyErr error, stderr io.Writer,
	add func(*processor.Options, *admin.Source) error,
) error {
	signal.Ignore(syscall.SIGHUP) // SIGHUP reloads a policy file; without a file it must not kill the process
	log := cli.NewLogger(stderr, s)
	logWarnings(log, s)
	o := setup.Processor(s)
	if err := setup.Memory(s, &o, os.LookupEnv); err != nil {
		return cli.Mistake(err)
	}
	id := instance.Identify(s, log)
	defer id.Close()
	registry := setup.Registry(thisBuild())

	connection, err := setup.Connection(s, log)
	if err != nil {
		return err
	}
	ctx, stop := cli.StopOnSignal(ctx, s.DrainTimeout, log)
	defer stop()
	o.ClientOpts = append(connection.ClientOpts(), setup.OutputCompression(s))
	o.InstanceID, o.Logger, o.Registry = id.Name, log, registry
	sent, err := setup.Telemetry(ctx, registry, thisBuild(), &o)
	if err != nil {
		return err
	}
	defer sent.Close()
	source, err := openPolicy(ctx, s, &o, loaded, policyErr)
	if err != nil && ctx.Err() != nil {
		return nil // stopped while waiting for the policy topic: nothing was read yet
	}
	if err != nil {
		return inLog(log, err)
	}
	defer source.Close()

	o.Policy = source.Policy
	view := setup.AdminSource(s, thisBuild(), &o)
	view.Policy = func() admin.PolicyState { return admin.PolicyState(source.State()) }
	if err := add(&o, view); err != nil {
		return inLog(log, err)
	}
	p, err := processor.New(o)
	if err != nil {
		return cli.Mistake(err)
	}

	address, closeAdmin, err := startAdmin(ctx, s, p, &o, view)
	if err != nil {
		return inLog(log, err)
	}
	defer closeAdmin()
	logStart(log, s, source.Policy(), id, address)
	return runToEnd(ctx, s, p, source, log)
}

// runToEnd runs the processor, and beside it what it needs, and logs how it ended.
func runToEnd(ctx context.Context, s *config.Settings, p *processor.Processor, source *live.Source, log *slog.Logger) error {
	began := time.Now()
	err := runBeside(ctx, p.Run, source.Run, func(ctx context.Context) error {
		instance.LogProgress(ctx, p, s.LogSummary, log)
		return nil
	})
	logSummary(log, p.Status(), time.Since(began))
	if err != nil {
		return inLog(log, err)
	}
	return nil
}

// startAdmin starts the admin server, if there is to be one, and returns its address.
func startAdmin(ctx context.Context, s *config.Settings, p *processor.Processor, o *processor.Options, view *admin.Source) (address string, stop func(), err error) {
	server, err := setup.Admin(ctx, s, o.Registry, p, view, o.Logger)
	if err != nil || server == nil {
		return config.None, func() {}, err
	}
	return server.Address(), func() { server.Close() }, nil
}

// openPolicy returns the source of the policy: what was loaded with the settings, or the policy topic.
func openPolicy(ctx context.Context, s *config.Settings, o *processor.Options, loaded live.Loaded, policyErr error) (*live.Source, error) {
	keys, err := setup.PolicyKeys(s)
	if err != nil {
		return nil, err
	}
	return live.Open(ctx, live.Options{
		First: loaded, FirstErr: policyErr, File: s.Policy, Topic: s.PolicyTopic, ClientOpts: o.ClientOpts,
		Keys: keys, Cache: s.PolicyCache, Origin: setup.PolicyOrigin(s), Logger: o.Logger, Registry: o.Registry,
	})
}

// runBeside runs work, with the other tasks beside it until work ends. If a task fails, work drains.
func runBeside(ctx context.Context, work func(context.Context) error, beside ...func(context.Context) error) error {
	group, ctx := errgroup.WithContext(ctx)
	working, done := context.WithCancel(ctx)
	for _, task := range beside {
		group.Go(func() error { return task(working) })
	}
	group.Go(func() error {
		defer done()
		return work(ctx)
	})
	return group.Wait()
}

// logWarnings logs what looks wrong in the settings.
func logWarnings(log *slog.Logger, s *config.Settings) {
	for _, w := range s.Warnings() {
		log.Warn("a setting looks wrong", "warning", w)
	}
}

// inLog logs the error that ends the process, and marks it as logged.
func inLog(log *slog.Logger, err error) error {
	log.Error("stopping for an error", "error", err)
	return cli.Logged(err)
}

// logStart logs the identity of this instance and what it is about to do.
func logStart(log *slog.Logger, s *config.Settings, p *policy.Policy, id instance.Identity, admin string) {
	log.Info("starting", "version", thisBuild().Version,
		"brokers", s.Brokers, "input_topics", s.InputTopics, "input_topic_pattern", s.InputPattern,
		"alert_topic", s.AlertTopic, "dead_letter_topic", s.DeadLetterTopic,
		"group", s.Group, "instance_id", id.Name, "delivery", s.Delivery, "start", s.Start.String(),
		"policy_version", p.Version(), "policy_hash", p.Hash(), "policy", setup.PolicyOrigin(s), "unused_regions", s.UnusedRegions, "admin_address", admin)
}

// logSummary logs the outcome of everything that was read.
func logSummary(log *slog.Logger, s processor.Status, took time.Duration) {
	c := &s.Counts
	log.Info("stopped", "seconds", took.Round(time.Millisecond).Seconds(),
		"records", c.Records, "records_done", c.Done, "records_dead_lettered", c.DeadLettered,
		"events", c.Events, "alerted", c.Outcomes[policy.OutcomeAlerted],
		"shadowed", c.Outcomes[policy.OutcomeShadowed], "exempted", c.Outcomes[policy.OutcomeExempted], "passed", c.Passed(), "partial", c.Partial,
		"alerts_acknowledged", s.Acked, "dead_letters_acknowledged", s.DeadLetter)
}
