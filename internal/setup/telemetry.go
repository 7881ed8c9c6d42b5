package setup

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/telemetry"
	"github.com/regionwatch/regionwatch/processor"
)

// Telemetry starts to send the registry's metrics, and has the processor's clients trace their records, if the
// environment names a collector. The caller closes it when the processor has ended.
func Telemetry(ctx context.Context, registry *prometheus.Registry, b cli.Build, o *processor.Options) (*telemetry.Telemetry, error) {
	t, err := telemetry.Start(ctx, telemetry.Options{
		Gatherer: registry, Version: b.Version, Instance: o.InstanceID, Group: o.Group, Logger: o.Logger,
	})
	if err != nil {
		return nil, cli.Mistake(err)
	}
	o.ClientOpts = append(o.ClientOpts, t.ClientOpts()...)
	return t, nil
}
