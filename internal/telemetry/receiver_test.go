package telemetry

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	metricspb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	tracespb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

// receiver is a collector that keeps what it receives.
type receiver struct {
	mu      sync.Mutex
	metrics []*metricspb.ExportMetricsServiceRequest
	traces  []*tracespb.ExportTraceServiceRequest
}

// Export of the two services has the same name and different types: these are the two.
type (
	metricsService struct {
		metricspb.UnimplementedMetricsServiceServer
		*receiver
	}
	tracesService struct {
		tracespb.UnimplementedTraceServiceServer
		*receiver
	}
)

func (s metricsService) Export(_ context.Context, r *metricspb.ExportMetricsServiceRequest) (*metricspb.ExportMetricsServiceResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.metrics = append(s.metrics, r)
	return &metricspb.ExportMetricsServiceResponse{}, nil
}

func (s tracesService) Export(_ context.Context, r *tracespb.ExportTraceServiceRequest) (*tracespb.ExportTraceServiceResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.traces = append(s.traces, r)
	return &tracespb.ExportTraceServiceResponse{}, nil
}

// receiveHTTP serves OTLP over HTTP and returns the endpoint.
func receiveHTTP(t *testing.T) (*receiver, string) {
	t.Helper()
	r := &receiver{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		var metrics metricspb.ExportMetricsServiceRequest
		var traces tracespb.ExportTraceServiceRequest
		switch {
		case err != nil:
		case q.URL.Path == "/v1/metrics":
			if err = proto.Unmarshal(body, &metrics); err == nil {
				_, err = metricsService{receiver: r}.Export(q.Context(), &metrics)
			}
		case q.URL.Path == "/v1/traces":
			if err = proto.Unmarshal(body, &traces); err == nil {
				_, err = tracesService{receiver: r}.Export(q.Context(), &traces)
			}
		default:
			t.Errorf("request of %s", q.URL.Path)
		}
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(server.Close)
	return r, server.URL
}

// receiveGRPC serves OTLP over gRPC and returns the endpoint.
func receiveGRPC(t *testing.T) (*receiver, string) {
	t.Helper()
	r, server := &receiver{}, grpc.NewServer()
	metricspb.RegisterMetricsServiceServer(server, metricsService{receiver: r})
	tracespb.RegisterTraceServiceServer(server, tracesService{receiver: r})
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := server.Serve(listener); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { server.Stop(); serving.Wait() })
	return r, "http://" + listener.Addr().String()
}
