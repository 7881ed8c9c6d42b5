package setup

import (
	"log/slog"
	"testing"

	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/processor"
)

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
