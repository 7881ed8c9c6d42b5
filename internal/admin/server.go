// Package admin serves an instance's endpoints for operators and their tools: /metrics, /livez, /readyz, and a page
// that shows live what the instance does.
//
// It is read-only. It keeps a bounded number of the latest alerts and dead letters, and costs the pipeline one pointer
// per alert; everything else is computed when the page is viewed.
//
// Some of the text it shows comes from attackers. It goes through [display.Cut] and reaches the page through
// html/template or as textContent, under a Content-Security-Policy that allows only the page's own files. The server
// answers only to localhost, IP addresses and configured host names (against DNS rebinding), and refuses scripts of
// other sites. Connections are bounded; TLS and a token are optional.
//
// The server owns its goroutines; Close stops them and waits.
package admin

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof" // it also registers with the default mux, which is never served
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/internal/livefile"
)

// Options of a Server. Registry, Ready, Logger and one of the addresses are required.
type Options struct {
	Address     string // host:port; port 0 picks a free one; empty serves only the page
	PageAddress string // address of the page, if not Address
	// Source provides what the page shows; nil disables the page.
	Source   *Source
	Registry *prometheus.Registry
	Ready    func() error // nil, or why the instance is not ready; safe for concurrent use
	Logger   *slog.Logger

	Hosts          []string // host names to answer to, in lower case
	TLSCertificate string   // PEM file; empty means plain HTTP
	TLSKey         string   // PEM file; set exactly if TLSCertificate is
	TokenFile      string   // file with the token that all requests except probes must send; empty means none
	Pprof          bool     // profiles at /debug/pprof/ of Address
}

// Server serves until it is closed. It owns a goroutine per listener and one that samples the source.
type Server struct {
	listeners []net.Listener
	servers   []*http.Server
	serving   sync.WaitGroup
	live      *live // nil without a page
	tls       *livefile.Value[*tls.Certificate]
	token     *livefile.Value[string]
}

// Start listens and serves until Close. When ctx ends, because the instance was asked to stop, live views get a last
// update and end; everything else continues until Close.
func Start(ctx context.Context, o Options) (*Server, error) {
	s := &Server{}
	if err := s.open(ctx, &o); err != nil {
		for _, l := range s.listeners {
			_ = l.Close()
		}
		return nil, err
	}
	if o.Source != nil {
		s.live = newLive(o.Source, o.Ready)
		s.live.metrics = o.Address != "" && o.PageAddress == ""
		s.live.start(ctx)
	}
	for i, listener := range s.listeners {
		mux := http.NewServeMux()
		if o.Address != "" && i == 0 {
			s.addRoutes(mux, &o)
		}
		if s.live != nil && i == len(s.listeners)-1 {
			s.live.addRoutes(mux)
		}
		s.serve(listener, guard(s.authenticate(mux), o.Hosts), o.Logger)
	}
	return s, nil
}

// open reads the files and listens.
func (s *Server) open(ctx context.Context, o *Options) (err error) {
	if o.TLSCertificate != "" {
		if s.tls, err = livefile.OpenKeyPair("admin-tls-certificate", o.TLSCertificate, o.TLSKey, o.Logger); err != nil {
			return fmt.Errorf("admin-tls-certificate: %w", err)
		}
	}
	if o.TokenFile != "" {
		if s.token, err = livefile.OpenSecret("admin-token-file", o.TokenFile, o.Logger); err != nil {
			return fmt.Errorf("admin-token-file: %w", err)
		}
	}
	for _, l := range []struct{ setting, address string }{{"admin-address", o.Address}, {"page-address", o.PageAddress}} {
		if l.address == "" {
			continue
		}
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", l.address)
		if err != nil {
			return fmt.Errorf("listening on %s %s: %w (give another --%s, or none)", l.setting, l.address, err, l.setting)
		}
		s.listeners = append(s.listeners, &boundedListener{Listener: listener})
	}
	return nil
}

func (s *Server) serve(listener net.Listener, handler http.Handler, log *slog.Logger) {
	var protocols http.Protocols
	protocols.SetHTTP1(true) // without HTTP/2, the connection limit also bounds requests
	server := &http.Server{
		Handler:           handler,
		Protocols:         &protocols,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       30 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	run := func() error { return server.Serve(listener) }
	if s.tls != nil {
		server.TLSConfig = &tls.Config{
			MinVersion:     tls.VersionTLS12,
			GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return s.tls.Get(), nil },
		}
		run = func() error { return server.ServeTLS(listener, "", "") }
	}
	s.servers = append(s.servers, server)
	s.serving.Go(func() {
		if err := run(); !errors.Is(err, http.ErrServerClosed) {
			log.Error("admin server stopped", "error", err)
		}
	})
}

// Address returns the listening address: the page's address if there is no other.
func (s *Server) Address() string { return s.listeners[0].Addr().String() }

// PageURL returns the URL of the page, or "" without one.
func (s *Server) PageURL() string {
	if s.live == nil {
		return ""
	}
	scheme := "http"
	if s.tls != nil {
		scheme = "https"
	}
	return scheme + "://" + s.listeners[len(s.listeners)-1].Addr().String() + "/"
}

// Close stops the server immediately: its answers are short, and a new instance may need the address.
func (s *Server) Close() error {
	var errs []error
	for _, server := range s.servers {
		errs = append(errs, server.Close())
	}
	s.serving.Wait()
	if s.live != nil {
		s.live.stop()
	}
	return errors.Join(errs...)
}

func (s *Server) addRoutes(mux *http.ServeMux, o *Options) {
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
	if o.Pprof {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text+"\n") // the client may be gone
}
