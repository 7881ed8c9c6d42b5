package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/regionwatch/regionwatch/internal/display"
)

// Options of a Server. All but Source are required.
type Options struct {
	Address  string // host:port; port 0 is a free one
	Registry *prometheus.Registry
	Ready    func() error // nil, or why the instance is not ready; safe for concurrent use
	Logger   *slog.Logger
	// Source is what the page shows; without it there is no page.
	Source *Source
}

// Server serves until it is closed. It owns one goroutine that serves, one that follows the source, and those of the
// requests; Close waits for all of them but for requests that are being answered.
type Server struct {
	server   *http.Server
	listener net.Listener
	served   chan struct{}
	live     *live // nil without a page
}

// Start listens and serves until Close. As ctx ends, which is when the instance is told to stop, the live views are told
// and end; all else goes on until Close.
func Start(ctx context.Context, o Options) (*Server, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", o.Address)
	if err != nil {
		return nil, fmt.Errorf("listening on admin-address %s: %w (another --admin-address, or none, avoids it)", o.Address, err)
	}
	s := &Server{listener: listener, served: make(chan struct{})}
	if o.Source != nil {
		s.live = newLive(o.Source, o.Ready)
		s.live.start(ctx)
	}
	s.server = &http.Server{
		Handler:           guard(s.routes(&o), isLoopback(listener.Addr())),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(o.Logger.Handler(), slog.LevelDebug),
	}
	go s.serve(o.Logger)
	return s, nil
}

func (s *Server) serve(log *slog.Logger) {
	defer close(s.served)
	if err := s.server.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		log.Error("admin server stopped", "error", err)
	}
}

// Address returns where it listens.
func (s *Server) Address() string { return s.listener.Addr().String() }

// Close stops the server at once: its answers are short, and a new instance may want the address.
func (s *Server) Close() error {
	err := s.server.Close()
	<-s.served
	if s.live != nil {
		s.live.stop()
	}
	return err
}

func (s *Server) routes(o *Options) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(o.Registry, promhttp.HandlerOpts{
		Registry:            o.Registry,
		MaxRequestsInFlight: 4,
		Timeout:             10 * time.Second,
	}))
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if err := o.Ready(); err != nil {
			answer(w, http.StatusServiceUnavailable, "not ready: "+display.Text(err.Error()))
			return
		}
		answer(w, http.StatusOK, "ready")
	})
	if s.live != nil {
		mux.HandleFunc("GET /{$}", s.live.servePage)
		mux.HandleFunc("GET /live", s.live.serveStream)
		for _, a := range assets {
			mux.Handle("GET /"+a.name, a)
		}
	}
	return mux
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text+"\n") // a client that has gone does not matter
}
