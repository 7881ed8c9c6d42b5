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

// ClientOpts returns what makes a Kafka client trace its records: nothing if traces are off.
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

// Inject writes the span of ctx into the carrier. A dead letter is left as it is: its headers are those of its record, and
// how many there are is a part of its format.
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

// continued lets a record that is produced continue the trace that its own headers name, where its context is in none: its
// input record was in a batch that was decompressed too late for the client's hooks.
type continued struct{}

// OnProduceRecordBuffered implements kgo.HookProduceRecordBuffered.
func (continued) OnProduceRecordBuffered(r *kgo.Record) {
	if !trace.SpanContextFromContext(r.Context).IsValid() {
		r.Context = bounded{}.Extract(r.Context, kotel.NewRecordCarrier(r))
	}
}
