package main

import (
	"strings"
	"testing"

	"github.com/regionwatch/regionwatch/internal/cli"
)

// A mistake in a variable of the OpenTelemetry SDK ends run before it connects, as a mistake in a setting does. Other
// commands send nothing and do not read them.
func TestTelemetryMistake(t *testing.T) {
	f := func(want int, args ...string) {
		t.Helper()
		cmd := command(t, args...)
		cmd.Env = append(cmd.Env, "OTEL_EXPORTER_OTLP_ENDPOINT=collector:4318")
		out, _ := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != want {
			t.Errorf("%q: status %d, want %d:\n%s", args, got, want, out)
		}
		if said := strings.Contains(string(out), `OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4318" is not a URL`); said != (want != 0) {
			t.Errorf("%q:\n%s", args, out)
		}
	}
	f(cli.ExitMistake, "run", "--brokers=127.0.0.1:1", "--instance-id=none")
	f(0, "version")
}
