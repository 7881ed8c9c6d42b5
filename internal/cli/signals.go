package cli

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// DrainGrace is how long the process may overrun its drain timeout before it exits by force.
const DrainGrace = 5 * time.Second

// StopOnSignal returns a context that is canceled on SIGTERM or SIGINT. A second signal ends the process at once with 128
// plus its number. A drain that exceeds its timeout by DrainGrace ends it with status 1, because an instance that hangs
// would keep its partitions from others. The log may be nil. The caller calls stop when its work is done; stop waits for
// the watching goroutine.
func StopOnSignal(parent context.Context, drain time.Duration, log *slog.Logger) (ctx context.Context, stop func()) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	ctx, cancel := context.WithCancelCause(parent)
	done, watched := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		watchSignals(signals, done, func(s os.Signal) { cancel(stopped{s}) }, drain+DrainGrace, log, os.Exit)
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		<-watched
		cancel(nil)
	}
}

// SameSignal is how long after the first signal another one counts as the same: a wrapper such as timeout(1) signals the
// process and then its process group.
const SameSignal = 300 * time.Millisecond

// watchSignals waits for two signals, or until done is closed.
func watchSignals(signals <-chan os.Signal, done <-chan struct{}, drain func(os.Signal), limit time.Duration, log *slog.Logger, exit func(int)) {
	select {
	case <-done:
		return
	case s := <-signals:
		log.Info("draining; a second signal stops at once", "signal", s.String())
		drain(s)
	}
	first := time.Now()
	deadline := time.After(limit)
	for {
		select {
		case <-done:
			return
		case s := <-signals:
			if time.Since(first) < SameSignal {
				continue
			}
			log.Warn("stopping at once", "signal", s.String())
			exit(signalStatus(s))
			return
		case <-deadline:
			log.Error("stopping at once: draining timed out", "after", limit.String())
			exit(ExitFault)
			return
		}
	}
}

// signalStatus returns the exit status that shells report for a process killed by a signal.
func signalStatus(s os.Signal) int {
	if number, ok := s.(syscall.Signal); ok {
		return 128 + int(number)
	}
	return ExitFault
}

// stopped is the cancellation cause of a [StopOnSignal] context.
type stopped struct{ signal os.Signal }

// Error implements error.
func (s stopped) Error() string { return "stopped by a signal" }

// Stopped returns the error of a command that a signal stopped before its work was done. Its exit status is the one shells
// report for such processes. ctx is from [StopOnSignal] and is done.
func Stopped(ctx context.Context) error { return context.Cause(ctx) }
