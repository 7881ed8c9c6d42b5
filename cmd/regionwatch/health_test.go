package main

import (
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/regionwatch/regionwatch/internal/admin"
	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/setup"
)

// TestHealth runs the command against a real admin server.
func TestHealth(t *testing.T) {
	var missing atomic.Pointer[error]
	ready := func() error {
		if err := missing.Load(); err != nil {
			return *err
		}
		return nil
	}
	a, err := admin.Start(t.Context(), admin.Options{
		Address: "127.0.0.1:0", Registry: setup.Registry(thisBuild()), Ready: ready, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	f := func(status int, wantOut, wantErr string, args ...string) {
		t.Helper()
		stdout, stderr, got := runCommand(t, append([]string{"health", "--admin-address", a.Address()}, args...)...)
		if got != status || stdout != wantOut || !strings.Contains(stderr, wantErr) || (stderr == "") != (wantErr == "") {
			t.Errorf("%q: status %d, %q, %q; want %d, %q, %q", args, got, stdout, stderr, status, wantOut, wantErr)
		}
	}
	f(cli.ExitDone, "ok\n", "")
	f(cli.ExitDone, "ready\n", "", "--ready")
	gone := errors.New("no broker answers")
	missing.Store(&gone)
	f(cli.ExitDone, "ok\n", "")
	f(cli.ExitFault, "", "503 Service Unavailable: not ready: no broker answers", "--ready")
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	f(cli.ExitFault, "", "connection refused")
	f(cli.ExitMistake, "", "admin-address is none", "--admin-address", "none")
	f(cli.ExitMistake, "", "port 0", "--admin-address", "127.0.0.1:0")
}
