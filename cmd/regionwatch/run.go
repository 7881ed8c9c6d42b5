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
	"github.com/regionwatch/regionwatch/processor/policy/live"
)

func newRunCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Read CloudTrail from Kafka and write alerts, until a signal to stop",
		Long: "Read CloudTrail from Kafka and write alerts, until SIGTERM or SIGINT: then what is in flight is\n" +
			"finished and committed within drain-timeout, and the exit status is 0. A second signal ends the\n" +
			"process at once with 128 plus the signal's number.\n\n" +
			"Each setting is a flag, an environment variable (--input-topic is REGIONWATCH_INPUT_TOPIC) and a\n" +
			"key of the file that --config names (input-topic); flags come before variables, variables before\n" +
			"the file, the file before defaults.",
		Example: "  regionwatch run --brokers kafka-1:9092,kafka-2:9092 --input-topic cloudtrail --create-topics",
		Args:    cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, policy, err := loadBoth(cmd)
			if err = errors.Join(err, setup.CheckConnection(s)); err != nil {
				return cli.Mistake(err)
			}
			return runProcessor(cmd.Context(), s, policy, cmd.ErrOrStderr())
		},
	}
	addRunSettings(cmd)
	return cmd
}

// runProcessor runs until a signal. Once the log stands, its errors are in there.
func runProcessor(ctx context.Context, s *config.Settings, loaded live.Loaded, stderr io.Writer) error {
	signal.Ignore(syscall.SIGHUP) // a policy file is read again; a reload of anything else must not end a watcher
	log := cli.NewLogger(stderr, s)
	for _, w := range s.Warnings() {
		log.Warn("a setting looks wrong", "warning", w)
	}
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
	source, err := live.Open(ctx, live.Options{
		First: loaded, File: s.Policy, Topic: s.PolicyTopic, ClientOpts: connection.ClientOpts(), Origin: policyOrigin(s),
		Logger: log, Registry: registry,
	})
	if err != nil && ctx.Err() != nil {
		return nil // told to stop while it waited for the policy's topic: nothing was read yet
	}
	if err != nil {
		return inLog(log, err)
	}
	defer source.Close()

	o.ClientOpts = connection.ClientOpts()
	o.InstanceID, o.Logger, o.Registry = id.Name, log, registry
	o.Policy = source.Policy
	view := setup.AdminSource(s, thisBuild(), &o)
	view.Policy = func() admin.PolicyState { return admin.PolicyState(source.State()) }
	p, err := processor.New(o)
	if err != nil {
		return cli.Mistake(err)
	}

	server, err := setup.Admin(ctx, s, registry, p, view, log)
	if err != nil {
		return inLog(log, err)
	}
	address := config.None
	if server != nil {
		address = server.Address()
		defer server.Close()
	}

	logStart(log, s, source.Policy(), id, address)
	began := time.Now()
	err = runBeside(ctx, source.Run, p.Run)
	logAccount(log, p.Status(), time.Since(began))
	if err != nil {
		return inLog(log, err)
	}
	return nil
}

// runBeside runs work, and beside it what keeps the policy up to date. Where that fails the work is drained.
func runBeside(ctx context.Context, beside, work func(context.Context) error) error {
	group, ctx := errgroup.WithContext(ctx)
	working, done := context.WithCancel(ctx)
	group.Go(func() error { return beside(working) })
	group.Go(func() error {
		defer done()
		return work(ctx)
	})
	return group.Wait()
}

// inLog writes the error that ends the process, and marks it as written.
func inLog(log *slog.Logger, err error) error {
	log.Error("stopping for an error", "error", err)
	return cli.Logged(err)
}
