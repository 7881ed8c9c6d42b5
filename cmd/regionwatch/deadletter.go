package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/broker/check"
	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/deadletters"
	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/internal/setup"
)

func newDeadLetterCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "deadletter",
		Short: "List, show and replay records that could not be read",
		Long: "List, show and replay dead letters: records that run could not read, as they came. Reading the topic commits\n" +
			"nothing, and stops where the topic ended at the start.",
		Example: "  regionwatch deadletter list --brokers kafka-1:9092",
	}
	cmd.AddCommand(newDeadLetterListCommand(), newDeadLetterShowCommand(), newDeadLetterReplayCommand())
	return cmd
}

// letterTopic returns the topic from the settings. On a terminal it shows a progress bar until closeBar is called. The
// error says why the brokers are unreachable; a plain client would retry for a long time and say less.
func letterTopic(ctx context.Context, s *config.Settings, stderr io.Writer) (topic deadletters.Topic, closeBar func(), err error) {
	return readableTopic(ctx, s, s.DeadLetterTopic, "reading dead letters", stderr)
}

// readableTopic is letterTopic for any topic.
func readableTopic(ctx context.Context, s *config.Settings, name, doing string, stderr io.Writer) (topic deadletters.Topic, closeBar func(), err error) {
	connection, err := setup.Connection(s, nil)
	if err != nil {
		return topic, nil, err
	}
	if err := check.Reach(ctx, connection); err != nil {
		return topic, nil, letterError(ctx, err)
	}
	bar := display.NewBar(stderr, -1, display.IsTerminal(stderr), progressbar.OptionSetDescription(doing), progressbar.OptionShowCount())
	topic = deadletters.Topic{
		Name:          name,
		MaxBatchBytes: s.MaxBatchBytes,
		Client: func(opts ...kgo.Opt) (*kgo.Client, error) {
			return kgo.NewClient(append(append(connection.ClientOpts(), setup.OutputCompression(s)), opts...)...)
		},
		Progress: func(read, total int64) {
			bar.ChangeMax64(total)
			_ = bar.Set64(read) // ignore progress bar errors
		},
	}
	return topic, func() { _ = bar.Exit() }, nil
}

// letterDrain bounds how long a command may take to end after a signal. A replay finishes its transaction.
const letterDrain = 45 * time.Second

// letterError adds the exit status mark and the remedy to a command's error.
func letterError(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return cli.Stopped(ctx)
	case errors.Is(err, deadletters.ErrNoTopic), errors.Is(err, deadletters.ErrNotFound):
		return cli.Mistake(err)
	case check.Denied(err):
		return fmt.Errorf("%w: the brokers deny access; the same command with --acls prints what it needs", err)
	case errors.Is(err, deadletters.ErrNoInput):
		return errors.Join(err, errors.New("the same command with --acls prints the required ACLs"))
	}
	return err
}
