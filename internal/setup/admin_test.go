package setup

import (
	"bytes"
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/admin"
	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/processor/policy"
)

// Two instances on one host must run side by side without a flag. If an address was set explicitly and is taken, that is
// an error.
func TestAdminAddressTaken(t *testing.T) {
	f := func(args []string, want string) {
		t.Helper()
		cmd := &cobra.Command{}
		cli.AddSettings(cmd)
		if err := cmd.ParseFlags(append([]string{"--brokers=localhost:9092"}, args...)); err != nil {
			t.Fatal(err)
		}
		s, err := config.Load(config.Sources{Flags: cmd.Flags()})
		if err != nil {
			t.Fatal(err)
		}
		o := Processor(s)
		compiled, err := policy.Compile(policy.Options{Default: policy.Level{UnusedRegions: s.UnusedRegions}})
		if err != nil {
			t.Fatal(err)
		}
		o.Policy = func() *policy.Policy { return compiled }
		view := AdminSource(s, cli.Build{}, &o)
		view.Policy = func() admin.PolicyState { return admin.PolicyState{Policy: compiled} }
		p, err := processor.New(o)
		if err != nil {
			t.Fatal(err)
		}
		var taken net.ListenConfig
		if l, err := taken.Listen(t.Context(), "tcp", s.AdminAddress); err == nil {
			defer l.Close()
		} // otherwise another process on this host has it, which is just as good
		var log bytes.Buffer
		a, err := Admin(t.Context(), s, Registry(cli.Build{}), p, view, slog.New(slog.NewTextHandler(&log, nil)))
		if want != "" {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q: %v, want %q", args, err, want)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		if address := a.Address(); address == s.AdminAddress || !strings.Contains(log.String(), "--admin-address") {
			t.Errorf("address %s, log %q", address, log.String())
		}
	}
	f(nil, "")
	f([]string{"--admin-address=127.0.0.1:9464"}, "--admin-address")
}

// The processor's clients trace if the environment names a collector, and only then.
func TestTelemetry(t *testing.T) {
	f := func(traced bool) {
		t.Helper()
		o := processor.Options{Logger: slog.New(slog.DiscardHandler)}
		sent, err := Telemetry(t.Context(), Registry(cli.Build{}), cli.Build{}, &o)
		if err != nil {
			t.Fatal(err)
		}
		defer sent.Close()
		if got := len(o.ClientOpts) > 0; got != traced {
			t.Errorf("clients trace: %v, want %v", got, traced)
		}
	}
	f(false)
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:1/v1/traces")
	f(true)
}
