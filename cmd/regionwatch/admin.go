package main

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
)

// admin serves what operators and their machines ask for: /metrics, /livez and /readyz. It owns one
// goroutine, which Close waits for.
type admin struct {
	server   *http.Server
	listener net.Listener
	done     chan struct{}
}

// startAdmin listens on the address and serves until Close. Ready returns nil, or why the instance is not ready.
func startAdmin(ctx context.Context, address string, registry *prometheus.Registry, ready func() error, log *slog.Logger) (*admin, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listening on admin-address %s: %w (another --admin-address, or none, avoids it)", address, err)
	}
	a := &admin{
		listener: listener,
		done:     make(chan struct{}),
		server: &http.Server{
			Handler:           adminRoutes(registry, ready),
			ReadHeaderTimeout: 5 * time.Second,
			ReadTimeout:       10 * time.Second,
			WriteTimeout:      30 * time.Second,
			IdleTimeout:       2 * time.Minute,
			MaxHeaderBytes:    16 << 10,
			ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		},
	}
	go a.serve(log)
	return a, nil
}

func (a *admin) serve(log *slog.Logger) {
	defer close(a.done)
	if err := a.server.Serve(a.listener); !errors.Is(err, http.ErrServerClosed) {
		log.Error("admin server stopped", "error", err)
	}
}

// Address returns where it listens.
func (a *admin) Address() string { return a.listener.Addr().String() }

// Close stops the server at once: its answers are short, and a new instance may want the address.
func (a *admin) Close() error {
	err := a.server.Close()
	<-a.done
	return err
}

// adminRoutes returns the three pages, for GET and HEAD.
func adminRoutes(registry *prometheus.Registry, ready func() error) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		Registry:            registry,
		MaxRequestsInFlight: 4,
		Timeout:             10 * time.Second,
	}))
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if err := ready(); err != nil {
			answer(w, http.StatusServiceUnavailable, "not ready: "+printable(err.Error()))
			return
		}
		answer(w, http.StatusOK, "ready")
	})
	return mux
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text+"\n") // a client that has gone does not matter
}
