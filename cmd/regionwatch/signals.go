package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// drainGrace is how long beyond the drain timeout the process waits for its own end.
const drainGrace = 5 * time.Second

// stopOnSignal returns a context that SIGTERM or SIGINT ends. A second signal ends the process at once
// with 128 plus its number, and so does a drain that outlasts its timeout by drainGrace, with status 1:
// an instance that hangs would hold its partitions idle. The caller calls stop when its work is done; it
// waits for the goroutine that watches.
func stopOnSignal(parent context.Context, drain time.Duration, log *slog.Logger) (ctx context.Context, stop func()) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	ctx, cancel := context.WithCancel(parent)
	done, watched := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		watchSignals(signals, done, cancel, drain+drainGrace, log, os.Exit)
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		<-watched
		cancel()
	}
}

// sameSignal is how soon after the first a signal counts as the same one: a wrapper such as timeout(1)
// sends it to the process and then to its group.
const sameSignal = 300 * time.Millisecond

// watchSignals waits for two signals, or for done.
func watchSignals(signals <-chan os.Signal, done <-chan struct{}, drain func(), limit time.Duration, log *slog.Logger, exit func(int)) {
	select {
	case <-done:
		return
	case s := <-signals:
		log.Info("draining; a second signal stops at once", "signal", s.String())
		drain()
	}
	first := time.Now()
	deadline := time.After(limit)
	for {
		select {
		case <-done:
			return
		case s := <-signals:
			if time.Since(first) < sameSignal {
				continue
			}
			log.Warn("stopping at once", "signal", s.String())
			exit(signalStatus(s))
			return
		case <-deadline:
			log.Error("stopping at once: draining did not end", "after", limit.String())
			exit(exitFault)
			return
		}
	}
}

// signalStatus returns the exit status that shells use for a process that a signal ended.
func signalStatus(s os.Signal) int {
	if number, ok := s.(syscall.Signal); ok {
		return 128 + int(number)
	}
	return exitFault
}
