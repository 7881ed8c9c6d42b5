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
		Short: "List, show and replay what could not be read",
		Long: "List, show and replay dead letters: records that run could not read, as they came. Reading the topic\n" +
			"commits nothing, and ends where the topic ended at the start.",
	}
	cmd.AddCommand(newDeadLetterListCommand(), newDeadLetterShowCommand(), newDeadLetterReplayCommand())
	return cmd
}

// letterTopic returns the topic of the settings, and shows on a terminal how far a reading is. close takes that
// away. The error tells what stands between us and the brokers: a client alone would try again for long, and say less.
func letterTopic(ctx context.Context, s *config.Settings, stderr io.Writer) (topic deadletters.Topic, closeBar func(), err error) {
	connection, err := setup.Connection(s, nil)
	if err != nil {
		return topic, nil, err
	}
	if err := check.Reach(ctx, connection); err != nil {
		return topic, nil, letterError(ctx, err)
	}
	bar := newOffsetBar(stderr)
	topic = deadletters.Topic{
		Name:          s.DeadLetterTopic,
		MaxBatchBytes: s.MaxBatchBytes,
		Client: func(opts ...kgo.Opt) (*kgo.Client, error) {
			return kgo.NewClient(append(connection.ClientOpts(), opts...)...)
		},
		Progress: bar.progress,
	}
	return topic, bar.close, nil
}

// offsetBar shows how many offsets of how many are read, on a terminal.
type offsetBar struct{ bar *progressbar.ProgressBar }

func newOffsetBar(w io.Writer) offsetBar {
	return offsetBar{progressbar.NewOptions64(-1,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetVisibility(display.IsTerminal(w)),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionSetDescription("reading dead letters"),
		progressbar.OptionShowCount(),
		progressbar.OptionSetWidth(24),
		progressbar.OptionUseANSICodes(true),
		progressbar.OptionClearOnFinish(),
	)}
}

func (b offsetBar) progress(read, total int64) {
	b.bar.ChangeMax64(total)
	_ = b.bar.Set64(read) // a bar that cannot be drawn does not matter
}

func (b offsetBar) close() {
	_ = b.bar.Clear()
	_ = b.bar.Exit()
}

// letterDrain is how long a command may take to end after a signal. A replay finishes the transaction that is
// under way.
const letterDrain = 45 * time.Second

func stopLetters(cmd *cobra.Command) (context.Context, func()) {
	return cli.StopOnSignal(cmd.Context(), letterDrain, nil)
}

// letterError returns the error of a command as its status wants it.
func letterError(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return errors.New("stopped by a signal")
	case errors.Is(err, deadletters.ErrNoTopic), errors.Is(err, deadletters.ErrNotFound):
		return cli.Mistake(err)
	case check.Denied(err):
		return fmt.Errorf("%w: the brokers' access control refuses it; the same command with --acls prints what it needs", err)
	case errors.Is(err, deadletters.ErrNoInput):
		return errors.Join(err, errors.New("the same command with --acls prints what access control has to allow"))
	}
	return err
}
