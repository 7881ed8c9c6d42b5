package telemetry

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/trace"
)

// metricExporter returns an exporter of metrics for the signal's protocol.
func (s signal) metricExporter(ctx context.Context) (metric.Exporter, error) {
	if s.protocol == protocolGRPC {
		return otlpmetricgrpc.New(ctx)
	}
	return otlpmetrichttp.New(ctx)
}

// traceExporter returns an exporter of spans for the signal's protocol.
func (s signal) traceExporter(ctx context.Context) (trace.SpanExporter, error) {
	if s.protocol == protocolGRPC {
		return otlptracegrpc.New(ctx)
	}
	return otlptracehttp.New(ctx)
}

// warnEvery is the minimum time between warnings: an unreachable collector would cause one every few seconds.
const warnEvery = time.Minute

// warnings logs the SDK's errors, at most one per minute. It is safe for concurrent use.
type warnings struct {
	log  *slog.Logger
	mu   sync.Mutex
	next time.Time
	held int // since the last logged one
}

// Handle logs err, or counts it.
func (w *warnings) Handle(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	if now.Before(w.next) {
		w.held++
		return
	}
	w.log.Warn("telemetry was not sent", "error", err, "errors_before", w.held)
	w.next, w.held = now.Add(warnEvery), 0
}
