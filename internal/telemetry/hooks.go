package telemetry

import (
	"context"
	"errors"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/plugin/kotel"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/regionwatch/regionwatch/processor/deadletter"
)

// ClientOpts returns options with which a Kafka client traces its records, or none if traces are off.
func (t *Telemetry) ClientOpts() []kgo.Opt {
	if t.traces == nil {
		return nil
	}
	return []kgo.Opt{kgo.WithHooks(continued{}, kotel.NewTracer(
		kotel.TracerProvider(t.traces),
		kotel.TracerPropagator(bounded{}),
		kotel.ConsumerGroup(t.o.Group),
		kotel.KeyFormatter(noKey),
	))}
}

// noKey keeps keys out of spans, because producers choose them and their length.
func noKey(*kgo.Record) (string, error) { return "", errors.New("keys are not traced") }

// The limits on trace headers, which any producer can write: a traceparent has 55 characters, and the specification
// requires 512 for a tracestate.
const (
	maxTraceparent = 64
	maxTracestate  = 512
)

// bounded is the W3C trace context with limits: a header that is too long counts as absent.
type bounded struct{ propagation.TraceContext }

// Inject writes the span of ctx into the carrier. It leaves dead letters alone: their headers are those of the record,
// and the number of headers is part of the format.
func (b bounded) Inject(ctx context.Context, c propagation.TextMapCarrier) {
	if keys := c.Keys(); len(keys) > 0 && keys[0] == deadletter.HeaderTopic {
		return
	}
	b.TraceContext.Inject(ctx, c)
}

// Extract returns ctx with the span that the carrier names.
func (b bounded) Extract(ctx context.Context, c propagation.TextMapCarrier) context.Context {
	if len(c.Get("traceparent")) > maxTraceparent || len(c.Get("tracestate")) > maxTracestate {
		return ctx
	}
	return b.TraceContext.Extract(ctx, c)
}

// continued lets a produced record continue the trace in its own headers if its context has none, which happens if its
// input record was in a batch that was decompressed too late for the client's hooks.
type continued struct{}

// OnProduceRecordBuffered implements kgo.HookProduceRecordBuffered.
func (continued) OnProduceRecordBuffered(r *kgo.Record) {
	if !trace.SpanContextFromContext(r.Context).IsValid() {
		r.Context = bounded{}.Extract(r.Context, kotel.NewRecordCarrier(r))
	}
}
