package telemetry

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "OTEL_") {
			os.Unsetenv(name)
		}
	}
	goleak.VerifyTestMain(m)
}

// start starts telemetry of one counter, fixtures_total, at 3.
func start(t *testing.T) *Telemetry {
	t.Helper()
	registry := prometheus.NewRegistry()
	counter := prometheus.NewCounter(prometheus.CounterOpts{Name: "fixtures_total", Help: "For this test."})
	registry.MustRegister(counter)
	counter.Add(3)
	telemetry, err := Start(t.Context(), Options{
		Gatherer: registry, Version: "v1.2.3", Instance: "watch-0", Group: "watchers", Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return telemetry
}

// produceAndFetch writes a record that carries headers, and reads it, with clients that trace.
func produceAndFetch(t *testing.T, telemetry *Telemetry, headers ...kgo.RecordHeader) *kgo.Record {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "events", "alerts"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	plain, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.DefaultProduceTopic("events"))
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	if err := plain.ProduceSync(t.Context(), &kgo.Record{Key: []byte("secret key"), Value: []byte("secret value"), Headers: headers}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	traced, err := kgo.NewClient(append(telemetry.ClientOpts(), kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.ConsumeTopics("events"))...)
	if err != nil {
		t.Fatal(err)
	}
	defer traced.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	fetched := traced.PollFetches(ctx)
	if err := fetched.Err(); err != nil {
		t.Fatal(err)
	}
	in := fetched.Records()[0]
	out := &kgo.Record{Topic: "alerts", Value: []byte("{}"), Context: in.Context}
	if err := traced.ProduceSync(ctx, out).FirstErr(); err != nil {
		t.Fatal(err)
	}
	return out
}

const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

// Metrics of the registry and spans of the clients arrive in either protocol, and say whose they are.
func TestSent(t *testing.T) {
	f := func(protocol string, receive func(*testing.T) (*receiver, string)) {
		t.Helper()
		r, endpoint := receive(t)
		t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
		t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
		telemetry := start(t)
		out := produceAndFetch(t, telemetry, kgo.RecordHeader{Key: "traceparent", Value: []byte(parent)})
		telemetry.Close()
		r.wantCounter(t, "fixtures_total", 3)
		r.wantResource(t, "service.name=regionwatch", "service.version=v1.2.3", "service.instance.id=watch-0")
		spans := r.spans("0af7651916cd43dd8448eb211c80319c")
		if want := []string{"alerts publish", "events receive"}; !slices.Equal(spans, want) {
			t.Errorf("%s: spans %q in the trace of the record, want %q", protocol, spans, want)
		}
		if got := header(out, "traceparent"); !strings.HasPrefix(got, "00-0af7651916cd43dd8448eb211c80319c-") || got == parent {
			t.Errorf("%s: traceparent %q in the record written", protocol, got)
		}
		if r.mentions("secret") {
			t.Errorf("%s: a span holds the record's key or value", protocol)
		}
	}
	f("http/protobuf", receiveHTTP)
	f("grpc", receiveGRPC)
	t.Setenv("OTEL_SERVICE_NAME", "siem-regions")
	r, endpoint := receiveHTTP(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "")
	start(t).Close()
	r.wantResource(t, "service.name=siem-regions")
}

// A header that is longer than the specification allows begins a new trace.
func TestLongHeaders(t *testing.T) {
	f := func(headers ...kgo.RecordHeader) {
		t.Helper()
		r, endpoint := receiveHTTP(t)
		t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
		telemetry := start(t)
		out := produceAndFetch(t, telemetry, headers...)
		telemetry.Close()
		if spans := r.spans("0af7651916cd43dd8448eb211c80319c"); len(spans) != 0 {
			t.Errorf("spans %q", spans)
		}
		if got := header(out, "tracestate"); got != "" {
			t.Errorf("tracestate of %d bytes in the record written", len(got))
		}
	}
	f(kgo.RecordHeader{Key: "traceparent", Value: []byte(parent + "-" + strings.Repeat("0", 1000))})
	f(kgo.RecordHeader{Key: "traceparent", Value: []byte(parent)},
		kgo.RecordHeader{Key: "tracestate", Value: []byte("a=" + strings.Repeat("x", 200) + ",b=" + strings.Repeat("x", 200) + ",c=" + strings.Repeat("x", 200))})
}

// Nothing is sent without an endpoint, and what is switched off is not sent.
func TestOff(t *testing.T) {
	f := func(metrics, traces bool, variables ...string) {
		t.Helper()
		t.Run(strings.Join(variables, " "), func(t *testing.T) {
			for i := 0; i < len(variables); i += 2 {
				t.Setenv(variables[i], variables[i+1])
			}
			telemetry := start(t)
			defer telemetry.Close()
			if got := telemetry.metrics != nil; got != metrics {
				t.Errorf("metrics %v, want %v", got, metrics)
			}
			if got := len(telemetry.ClientOpts()) > 0; got != traces {
				t.Errorf("traces %v, want %v", got, traces)
			}
		})
	}
	_, endpoint := receiveHTTP(t)
	f(false, false)
	f(false, false, "OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
	f(true, true, "OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
	f(false, false, "OTEL_EXPORTER_OTLP_ENDPOINT", endpoint, "OTEL_SDK_DISABLED", "True")
	f(true, false, "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", endpoint+"/v1/metrics")
	f(false, true, "OTEL_EXPORTER_OTLP_ENDPOINT", endpoint, "OTEL_METRICS_EXPORTER", "none")
	f(true, false, "OTEL_EXPORTER_OTLP_ENDPOINT", endpoint, "OTEL_TRACES_EXPORTER", "none")
}

// A mistake names the variable, the value and what is allowed, and no password.
func TestMistakes(t *testing.T) {
	f := func(want string, variables ...string) {
		t.Helper()
		t.Run(want, func(t *testing.T) {
			t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
			for i := 0; i < len(variables); i += 2 {
				t.Setenv(variables[i], variables[i+1])
			}
			_, err := Start(t.Context(), Options{Gatherer: prometheus.NewRegistry(), Logger: slog.New(slog.DiscardHandler)})
			if err == nil || err.Error() != want {
				t.Errorf("%v", err)
			}
		})
	}
	f(`OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4318" is not a URL such as http://collector:4318`, "OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318")
	f(`OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "ftp://me:xxxxx@collector" is not a URL such as http://collector:4318`, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "ftp://me:hunter2@collector")
	f(`OTEL_EXPORTER_OTLP_ENDPOINT: "(hidden)" is not a URL such as http://collector:4318`, "OTEL_EXPORTER_OTLP_ENDPOINT", "http://me:hunter2@collector:port")
	f(`OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" is not http/protobuf or grpc`, "OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")
	f(`OTEL_TRACES_EXPORTER: "zipkin" is not otlp or none`, "OTEL_TRACES_EXPORTER", "zipkin")
}

// A collector that is down causes one warning a minute, which counts the others.
func TestWarnings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		w := &warnings{log: slog.New(slog.NewTextHandler(&out, nil))}
		for range 30 {
			w.Handle(errors.New("connection refused"))
			time.Sleep(3 * time.Second)
		}
		if got := strings.Count(out.String(), "connection refused"); got != 2 || !strings.Contains(out.String(), "errors_before=19") {
			t.Errorf("%d warnings:\n%s", got, out.String())
		}
	})
}
