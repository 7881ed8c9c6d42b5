package telemetry

import (
	"context"
	"errors"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/plugin/kotel"
	"go.opentelemetry.io/otel/propagation"
)

// ClientOpts returns what makes a Kafka client trace its records: nothing if traces are off.
func (t *Telemetry) ClientOpts() []kgo.Opt {
	if t.traces == nil {
		return nil
	}
	return []kgo.Opt{kgo.WithHooks(kotel.NewTracer(
		kotel.TracerProvider(t.traces),
		kotel.TracerPropagator(bounded{}),
		kotel.ConsumerGroup(t.o.Group),
		kotel.KeyFormatter(noKey),
	))}
}

// noKey keeps keys out of spans: producers choose them, and how long they are.
func noKey(*kgo.Record) (string, error) { return "", errors.New("keys are not traced") }

// The most that is taken from a record's headers, which any producer can write: a traceparent has 55 characters, and of a
// tracestate the specification asks for 512.
const (
	maxTraceparent = 64
	maxTracestate  = 512
)

// bounded is the W3C trace context, for headers of any size: one that is too long counts as absent.
type bounded struct{ propagation.TraceContext }

// Extract returns ctx with the span that the carrier names.
func (b bounded) Extract(ctx context.Context, c propagation.TextMapCarrier) context.Context {
	if len(c.Get("traceparent")) > maxTraceparent || len(c.Get("tracestate")) > maxTracestate {
		return ctx
	}
	return b.TraceContext.Extract(ctx, c)
}
