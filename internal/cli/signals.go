package cli

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// DrainGrace is how long the process waits for its own end after the drain timeout.
const DrainGrace = 5 * time.Second

// StopOnSignal returns a context that SIGTERM or SIGINT ends. A second signal ends the process at once with 128 plus
// its number. A drain that outlasts its timeout by DrainGrace ends it with status 1: an instance that hangs would keep
// its partitions from others. The log may be nil. The caller calls stop when its work is done; stop waits for the
// goroutine that watches.
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

// SameSignal is how soon after the first a signal counts as the same one: a wrapper such as timeout(1) sends it to the
// process and then to its group.
const SameSignal = 300 * time.Millisecond

// watchSignals waits for two signals, or for done.
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

// signalStatus returns the exit status that shells give to a process ended by a signal.
func signalStatus(s os.Signal) int {
	if number, ok := s.(syscall.Signal); ok {
		return 128 + int(number)
	}
	return ExitFault
}

// stopped is why a context of [StopOnSignal] ended.
type stopped struct{ signal os.Signal }

// Error implements error.
func (s stopped) Error() string { return "stopped by a signal" }

// Stopped returns the error of a command that a signal ended before its work was done: the exit status is the one that
// shells give to such processes. ctx is from [StopOnSignal] and has ended.
func Stopped(ctx context.Context) error { return context.Cause(ctx) }
