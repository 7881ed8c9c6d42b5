package telemetry

import (
	"context"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/processor/deadletter"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/processor/processortest"
)

// span returns the span with a name in a trace, or nil.
func (r *receiver) span(trace, name string) *tracepb.Span {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, request := range r.traces {
		for _, scope := range request.ResourceSpans[0].ScopeSpans {
			for _, span := range scope.Spans {
				if hex.EncodeToString(span.TraceId) == trace && span.Name == name {
					return span
				}
			}
		}
	}
	return nil
}

// The alert of a record with a traceparent continues its trace below the span in which it was received, in both modes, and
// so does the span of a dead letter, whose headers stay as they came.
//
// Guards: traced; bounded.Inject.
func TestAlertContinuesTrace(t *testing.T) {
	const trace = "0af7651916cd43dd8448eb211c80319c"
	for _, delivery := range []processor.Delivery{processor.AtLeastOnce, processor.ExactlyOnce} {
		r, endpoint := receiveHTTP(t)
		t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", endpoint+"/v1/traces")
		sent := start(t)
		c := processortest.New(t, kfake.SeedTopics(1, "events", "alerts", "dead-letters"))
		regions, err := policy.Compile(policy.Options{Default: policy.Level{UnusedRegions: []string{"eu-central-1"}}})
		if err != nil {
			t.Fatal(err)
		}
		p, err := processor.New(processor.Options{
			Brokers: c.ListenAddrs(), ClientOpts: sent.ClientOpts(), InputTopics: []string{"events"}, AlertTopic: "alerts",
			DeadLetterTopic: "dead-letters", Group: "watchers", InstanceID: "one", Delivery: delivery, Sessions: 1, SessionTimeout: 10 * time.Second,
			Policy: func() *policy.Policy { return regions }, CopyHeaders: []string{"traceparent", "tracestate"},
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- p.Run(ctx) }()
		headers := []kgo.RecordHeader{{Key: "traceparent", Value: []byte(parent)}, {Key: "tracestate", Value: []byte("vendor=1")}}
		const event = `{"eventVersion":"1.08","eventID":"1","eventSource":"athena.amazonaws.com","awsRegion":"eu-central-1","readOnly":false}`
		c.Produce(&kgo.Record{Topic: "events", Value: []byte(event), Headers: headers}, &kgo.Record{Topic: "events", Value: []byte("?"), Headers: headers})
		alert := c.Read("alerts", 1)[0]
		letter, err := deadletter.Parse(c.Read("dead-letters", 1)[0])
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		sent.Close()

		received, published := r.span(trace, "events receive"), r.span(trace, "alerts publish")
		if received == nil || published == nil || string(published.ParentSpanId) != string(received.SpanId) {
			t.Fatalf("%v: received as %v, published as %v", delivery, received, published)
		}
		if got, want := header(alert, "traceparent"), "00-"+trace+"-"+hex.EncodeToString(published.SpanId)+"-01"; got != want {
			t.Errorf("%v: the alert's traceparent is %q, want %q", delivery, got, want)
		}
		if got := header(alert, "tracestate"); got != "vendor=1" {
			t.Errorf("%v: the alert's tracestate is %q", delivery, got)
		}
		if err != nil || len(letter.Headers) != 2 || string(letter.Headers[0].Value) != parent {
			t.Errorf("%v: the dead letter has %v, %v", delivery, letter, err)
		}
		if r.span(trace, "dead-letters publish") == nil {
			t.Errorf("%v: the dead letter is not in the trace", delivery)
		}
	}
}

// A record that no hook saw when it was fetched, because its batch was decompressed late, passes its trace on by its header.
//
// Guard: continued.
func TestHeaderContinuesTrace(t *testing.T) {
	f := func(traceparent string, in bool, state ...byte) {
		t.Helper()
		r := &kgo.Record{Context: t.Context(), Headers: []kgo.RecordHeader{{Key: "traceparent", Value: []byte(traceparent)}, {Key: "tracestate", Value: state}}}
		_, endpoint := receiveHTTP(t)
		t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", endpoint+"/v1/traces")
		sent := start(t)
		defer sent.Close()
		c := processortest.New(t, kfake.SeedTopics(1, "alerts"))
		r.Topic = "alerts"
		if err := c.Client(sent.ClientOpts()...).ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
		if got := header(r, "traceparent"); got == traceparent || (got[3:35] == parent[3:35]) != in {
			t.Errorf("%.100q becomes %q", traceparent, got)
		}
	}
	f(parent, true)
	f("00-short", false)
	f(parent+"-"+string(make([]byte, 1000)), false)
	// A version after the first may have more at its end, and each header may have exactly so much.
	longest := "01" + parent[2:] + "-" + strings.Repeat("0", maxTraceparent-len(parent)-1)
	f(longest, true)
	f(longest+"0", false)
	state := "a=" + strings.Repeat("x", 250) + ",b=" + strings.Repeat("x", maxTracestate-250-5)
	f(parent, true, []byte(state)...)
	f(parent, false, []byte(state+"x")...)
}
