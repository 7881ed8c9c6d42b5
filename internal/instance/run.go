package instance

import (
	"context"
	"io"
	"log/slog"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/admin"
	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/setup"
	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/processor/policy/live"
)

// Options are what a run needs besides settings. Policy or PolicyErr is there, and everything else is required.
type Options struct {
	Policy    live.Loaded // what was loaded with the settings
	PolicyErr error       // why there is no policy; the cache makes up for it
	Build     cli.Build
	Stderr    io.Writer
	// Add adds the command's own part, once the policy is there.
	Add func(*processor.Options, *admin.Source) error
}

// Run runs a processor, with all that stands beside it, until a signal. Once the log is open, errors go there.
func Run(ctx context.Context, s *config.Settings, r Options) error {
	signal.Ignore(syscall.SIGHUP) // SIGHUP reloads a policy file; without a file it must not kill the process
	log := cli.NewLogger(r.Stderr, s)
	logWarnings(log, s)
	o := setup.Processor(s)
	id := Identify(s, log)
	defer id.Close()
	registry := setup.Registry(r.Build)

	connection, err := setup.Connection(s, log)
	if err != nil {
		return err
	}
	ctx, stop := cli.StopOnSignal(ctx, s.DrainTimeout, log)
	defer stop()
	o.ClientOpts = append(connection.ClientOpts(), setup.OutputCompression(s))
	o.InstanceID, o.Logger, o.Registry = id.Name, log, registry
	sent, err := setup.Telemetry(ctx, registry, r.Build, &o)
	if err != nil {
		return err
	}
	defer sent.Close()
	source, err := openPolicy(ctx, s, &o, &r)
	if err != nil && ctx.Err() != nil {
		return nil // stopped while waiting for the policy topic: nothing was read yet
	}
	if err != nil {
		return inLog(log, err)
	}
	defer source.Close()

	o.Policy = source.Policy
	view := setup.AdminSource(s, r.Build, &o)
	view.Policy = func() admin.PolicyState { return admin.PolicyState(source.State()) }
	if err := r.Add(&o, view); err != nil {
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
	logStart(log, s, &o, source.Policy(), r.Build.Version, address)
	return runToEnd(ctx, s, p, source, log)
}

// runToEnd runs the processor, and beside it what it needs, and logs how it ended.
func runToEnd(ctx context.Context, s *config.Settings, p *processor.Processor, source *live.Source, log *slog.Logger) error {
	began := time.Now()
	err := runBeside(ctx, p.Run, source.Run, func(ctx context.Context) error {
		LogProgress(ctx, p, s.LogSummary, log)
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
func openPolicy(ctx context.Context, s *config.Settings, o *processor.Options, r *Options) (*live.Source, error) {
	keys, err := setup.PolicyKeys(s)
	if err != nil {
		return nil, err
	}
	return live.Open(ctx, live.Options{
		First: r.Policy, FirstErr: r.PolicyErr, File: s.Policy, Topic: s.PolicyTopic, ClientOpts: o.ClientOpts,
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
func logStart(log *slog.Logger, s *config.Settings, o *processor.Options, p *policy.Policy, version, address string) {
	topics := []any{
		"input_topics", s.InputTopics, "input_topic_pattern", s.InputPattern, "alert_topic", s.AlertTopic,
		"start", s.Start.String(),
	}
	if s.Policy == "" && s.PolicyTopic == "" {
		topics = append(topics, "unused_regions", s.UnusedRegions)
	}
	if o.Stage != nil { // see setup.ForIncidents
		topics = []any{"alert_topic", s.InputTopics[0], "incident_topic", s.AlertTopic, "incident_state_topic", o.StateTopic}
	}
	log.With(topics...).Info("starting", "version", version,
		"brokers", s.Brokers, "dead_letter_topic", s.DeadLetterTopic,
		"group", s.Group, "instance_id", o.InstanceID, "delivery", s.Delivery,
		"policy_version", p.Version(), "policy_hash", p.Hash(), "policy", setup.PolicyOrigin(s), "admin_address", address)
}

// logSummary logs the outcome of everything that was read.
func logSummary(log *slog.Logger, s processor.Status, took time.Duration) {
	c := &s.Counts
	log = log.With("seconds", float64(took.Milliseconds())/1000,
		"records", c.Records, "records_done", c.Done, "records_dead_lettered", c.DeadLettered)
	if s.Stage != nil {
		log.With(stageCounts(nil, s.Stage)...).Info("stopped", "dead_letters_acknowledged", s.DeadLetter)
		return
	}
	log.Info("stopped", "events", c.Events, "alerted", c.Outcomes[policy.OutcomeAlerted],
		"shadowed", c.Outcomes[policy.OutcomeShadowed], "exempted", c.Outcomes[policy.OutcomeExempted], "passed", c.Passed(), "partial", c.Partial,
		"alerts_acknowledged", s.Acked, "dead_letters_acknowledged", s.DeadLetter)
}
