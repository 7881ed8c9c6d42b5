// Package telemetry sends metrics and traces to an OpenTelemetry collector. The environment variables of the
// OpenTelemetry SDK say where, how and what to send; without an endpoint the package does nothing.
//
// The metrics are those of the Prometheus registry, bridged, so none is defined twice. The traces are spans of the
// Kafka client, one for each record fetched and one for each record produced. Sending never holds up a record: what the
// collector does not accept in time is dropped, with at most one warning per minute.
//
// The SDK owns the goroutines that send. They run from [Start] until [Telemetry.Close], which waits for them.
package telemetry

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	bridge "go.opentelemetry.io/contrib/bridges/prometheus"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
)

// closeTimeout limits the last export.
const closeTimeout = 3 * time.Second

// Options of [Start]. Gatherer and Logger are required.
type Options struct {
	Gatherer prometheus.Gatherer // of the metrics
	Version  string              // of the program
	Instance string              // name of this instance
	Group    string              // consumer group
	Logger   *slog.Logger
}

// Telemetry sends metrics and traces.
type Telemetry struct {
	o       Options
	metrics *metric.MeterProvider // nil if metrics are off
	traces  *trace.TracerProvider // nil if traces are off
}

// Start starts what the environment asks for. An error names the wrong variable.
func Start(ctx context.Context, o Options) (*Telemetry, error) {
	plan, err := readEnvironment()
	if err != nil {
		return nil, err
	}
	t := &Telemetry{o: o}
	if !plan.metrics.on && !plan.traces.on {
		return t, nil
	}
	otel.SetLogger(logr.FromSlogHandler(o.Logger.Handler()))
	otel.SetErrorHandler(&warnings{log: o.Logger})
	origin, err := t.origin(ctx)
	if err != nil {
		return nil, err
	}
	if err := t.start(ctx, plan, origin); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

// start makes the two providers.
func (t *Telemetry) start(ctx context.Context, p plan, origin *resource.Resource) error {
	if p.metrics.on {
		exporter, err := p.metrics.metricExporter(ctx)
		if err != nil {
			return err
		}
		reader := metric.NewPeriodicReader(exporter, metric.WithProducer(bridge.NewMetricProducer(bridge.WithGatherer(t.o.Gatherer))))
		t.metrics = metric.NewMeterProvider(metric.WithReader(reader), metric.WithResource(origin))
	}
	if p.traces.on {
		exporter, err := p.traces.traceExporter(ctx)
		if err != nil {
			return err
		}
		t.traces = trace.NewTracerProvider(trace.WithBatcher(exporter), trace.WithResource(origin))
	}
	return nil
}

// origin describes this process. OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES override it.
func (t *Telemetry) origin(ctx context.Context) (*resource.Resource, error) {
	attributes := []attribute.KeyValue{
		attribute.String("service.name", "regionwatch"),
		attribute.String("service.version", t.o.Version),
	}
	if t.o.Instance != "" {
		attributes = append(attributes, attribute.String("service.instance.id", t.o.Instance))
	}
	return resource.New(ctx, resource.WithTelemetrySDK(), resource.WithAttributes(attributes...), resource.WithFromEnv())
}

// Close exports what is left, within three seconds, and waits for the exporters to end.
func (t *Telemetry) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	var errs []error
	if t.traces != nil {
		errs = append(errs, t.traces.Shutdown(ctx))
	}
	if t.metrics != nil {
		errs = append(errs, t.metrics.Shutdown(ctx))
	}
	if err := errors.Join(errs...); err != nil {
		t.o.Logger.Warn("the last telemetry was not sent", "error", err)
	}
}
