package cli

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// watched runs watchSignals and records what it did.
type watched struct {
	signals chan os.Signal
	done    chan struct{}
	drained int
	status  int // -1: it did not exit
	ended   chan struct{}
}

func newWatched(limit time.Duration) *watched {
	w := &watched{make(chan os.Signal, 2), make(chan struct{}), 0, -1, make(chan struct{})}
	go func() {
		defer close(w.ended)
		watchSignals(w.signals, w.done, func(os.Signal) { w.drained++ }, limit, slog.New(slog.DiscardHandler), func(s int) { w.status = s })
	}()
	return w
}

func (w *watched) want(t *testing.T, drained, status int) {
	t.Helper()
	<-w.ended
	if w.drained != drained || w.status != status {
		t.Errorf("drained %d times, status %d; want %d, %d", w.drained, w.status, drained, status)
	}
}

func TestSignals(t *testing.T) {
	f := func(name string, drained, status int, play func(w *watched)) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWatched(30 * time.Second)
				play(w)
				w.want(t, drained, status)
			})
		})
	}
	f("none", 0, -1, func(w *watched) { close(w.done) })
	f("one", 1, -1, func(w *watched) {
		w.signals <- syscall.SIGTERM
		time.Sleep(29 * time.Second)
		close(w.done)
	})
	f("two of SIGTERM", 1, 143, func(w *watched) {
		w.signals <- syscall.SIGTERM
		time.Sleep(SameSignal)
		w.signals <- syscall.SIGTERM
	})
	f("the same twice", 1, -1, func(w *watched) {
		w.signals <- syscall.SIGTERM
		w.signals <- syscall.SIGTERM
		time.Sleep(time.Second)
		close(w.done)
	})
	f("SIGTERM, then SIGINT", 1, 130, func(w *watched) {
		w.signals <- syscall.SIGTERM
		time.Sleep(time.Second)
		w.signals <- syscall.SIGINT
	})
	f("a drain that hangs", 1, ExitFault, func(w *watched) { w.signals <- syscall.SIGINT; time.Sleep(31 * time.Second) })
}

// TestStopOnSignal sends a real signal to this process.
func TestStopOnSignal(t *testing.T) {
	var log strings.Builder
	ctx, stop := StopOnSignal(t.Context(), time.Minute, slog.New(slog.NewTextHandler(&log, nil)))
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if err := self.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-ctx.Done()
	if status := ExitStatus(fmt.Errorf("scanning: %w", Stopped(ctx))); status != 143 {
		t.Errorf("status %d, want 143", status)
	}
	stop()
	if !strings.Contains(log.String(), "signal=terminated") {
		t.Errorf("log %q", log.String())
	}
}
