package admin

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/regionwatch/regionwatch/internal/broker/brokertest"
	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/alert"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// instance is what the test server shows.
type instance struct {
	status  atomic.Pointer[processor.Status]
	missing atomic.Pointer[error] // what Ready returns
	source  *Source
}

func newInstance(t testing.TB) *instance {
	t.Helper()
	p, err := policy.Compile(policy.Options{Version: "v1", Default: policy.Level{UnusedRegions: []string{"eu-west-3"}}})
	if err != nil {
		t.Fatal(err)
	}
	i := &instance{}
	i.status.Store(&processor.Status{})
	since := time.Now()
	i.source = &Source{
		Version: "test", Facts: []Fact{{"Group", "regionwatch"}}, Recent: NewRecent(alert.Native),
		Status: func() processor.Status { return *i.status.Load() },
		Policy: func() PolicyState { return PolicyState{Policy: p, Origin: "file policy.yaml", Since: since} },
	}
	return i
}

func (i *instance) ready() error {
	if err := i.missing.Load(); err != nil {
		return *err
	}
	return nil
}

// start serves the instance until the test ends, with options that set may change.
func (i *instance) start(ctx context.Context, t testing.TB, address string, set ...func(*Options)) *Server {
	t.Helper()
	o := Options{Address: address, Registry: prometheus.NewRegistry(), Ready: i.ready, Logger: slog.New(slog.DiscardHandler), Source: i.source}
	for _, f := range set {
		f(&o)
	}
	s, err := Start(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// answered is a response read to the end.
type answered struct {
	status int
	header http.Header
	body   string
}

// get sends a request with these headers, each "Name: value".
func get(t testing.TB, method, url string, headers ...string) answered {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			request.Host = value
		}
		request.Header.Set(name, value)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answered{response.StatusCode, response.Header, string(body)}
}

func TestRoutes(t *testing.T) {
	i := newInstance(t)
	s := i.start(t.Context(), t, "127.0.0.1:0")
	f := func(method, path string, status int, body string) {
		t.Helper()
		got := get(t, method, "http://"+s.Address()+path)
		if got.status != status || !strings.Contains(got.body, body) {
			t.Errorf("%s %s: %d %.200q, want %d %q", method, path, got.status, got.body, status, body)
		}
		for name, want := range map[string]string{
			"Content-Security-Policy": securityPolicy, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"Cross-Origin-Resource-Policy": "same-origin", "X-Frame-Options": "DENY",
		} {
			if got := got.header.Get(name); got != want {
				t.Errorf("%s %s: header %s is %q, want %q", method, path, name, got, want)
			}
		}
	}
	f("GET", "/", 200, "<h1>")
	f("HEAD", "/", 200, "")
	f("POST", "/", 405, "")
	f("DELETE", "/live", 405, "")
	f("HEAD", "/live", 200, "")
	f("GET", "/page.js", 200, "'use strict'")
	f("GET", "/page.css", 200, ":root")
	f("GET", "/icon.svg", 200, "<svg")
	f("GET", "/page.html", 404, "")
	f("GET", "/assets/page.html", 404, "")
	f("GET", "/debug/pprof/", 404, "")
	f("GET", "/livez", 200, "ok\n")
	f("HEAD", "/livez", 200, "")
	f("POST", "/livez", 405, "")
	f("GET", "/readyz", 200, "ready\n")
	f("GET", "/metrics", 200, "")
	missing := errors.New("no partitions assigned yet\n\x1b[2J")
	i.missing.Store(&missing)
	f("GET", "/readyz", 503, `not ready: no partitions assigned yet\n\x1b[2J`+"\n")
	f("GET", "/", 200, `no partitions assigned yet\n\x1b[2J`)
	f("GET", "/livez", 200, "ok\n")

	_, err := Start(t.Context(), Options{Address: s.Address(), Registry: prometheus.NewRegistry(), Ready: i.ready, Logger: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), "--admin-address") {
		t.Errorf("an address in use: %v", err)
	}
}

// A file of the page is fetched again only when it has changed.
func TestAssetUnchanged(t *testing.T) {
	s := newInstance(t).start(t.Context(), t, "127.0.0.1:0")
	first := get(t, "GET", "http://"+s.Address()+"/page.js")
	again := get(t, "GET", "http://"+s.Address()+"/page.js", "If-None-Match: "+first.header.Get("ETag"))
	if again.status != http.StatusNotModified || again.body != "" {
		t.Errorf("%d %q, want 304", again.status, again.body)
	}
}

// A DNS-rebinding request gets nothing, and pages of other sites can neither read from this server nor use up its live
// views.
func TestGuard(t *testing.T) {
	i := newInstance(t)
	s := i.start(t.Context(), t, "127.0.0.1:0")
	f := func(want int, path string, headers ...string) {
		t.Helper()
		if got := get(t, "GET", "http://"+s.Address()+path, headers...); got.status != want {
			t.Errorf("%s with %q: %d %.100q, want %d", path, headers, got.status, got.body, want)
		}
	}
	for _, host := range []string{"localhost", "localhost:9464", "LOCALHOST.", "x.localhost:1", "127.0.0.1", "127.9.9.9:9464", "[::1]:9464", "10.0.0.7:9464"} {
		f(200, "/metrics", "Host: "+host)
	}
	for _, host := range []string{"evil.example", "evil.example:9464", "localhost.evil.example", "127.0.0.1.evil.example", "xlocalhost", "a:b:c"} {
		for _, path := range []string{"/", "/live", "/metrics", "/readyz"} {
			f(421, path, "Host: "+host)
		}
	}
	f(200, "/", "Sec-Fetch-Site: none")
	f(200, "/", "Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: cors")
	f(200, "/", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document")
	f(403, "/", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe")
	f(403, "/metrics", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image")
	f(403, "/live", "Sec-Fetch-Site: same-site", "Sec-Fetch-Mode: cors")

	everywhere := i.start(t.Context(), t, "0.0.0.0:0", func(o *Options) { o.Hosts = []string{"regionwatch.monitoring.svc"} })
	_, port, _ := strings.Cut(everywhere.Address(), "]:")
	for host, want := range map[string]int{
		"regionwatch.monitoring.svc": 200, "Regionwatch.Monitoring.svc.:9464": 200, "10.1.2.3:9464": 200,
		"evil.example": 421, "x.regionwatch.monitoring.svc": 421,
	} {
		if got := get(t, "GET", "http://127.0.0.1:"+port+"/metrics", "Host: "+host); got.status != want {
			t.Errorf("listening everywhere, host %s: %d, want %d", host, got.status, want)
		}
	}
}

// The page can have its own address, or be disabled.
func TestPageAddress(t *testing.T) {
	i := newInstance(t)
	f := func(url, path string, want int) {
		t.Helper()
		if got := get(t, "GET", url+path); got.status != want {
			t.Errorf("%s%s: %d, want %d", url, path, got.status, want)
		}
	}
	apart := i.start(t.Context(), t, "127.0.0.1:0", func(o *Options) { o.PageAddress = "127.0.0.1:0" })
	admin, page := "http://"+apart.Address(), strings.TrimSuffix(apart.PageURL(), "/")
	if admin == page {
		t.Fatalf("both at %s", admin)
	}
	f(admin, "/", 404)
	f(admin, "/page.js", 404)
	f(admin, "/metrics", 200)
	f(page, "/", 200)
	f(page, "/page.js", 200)
	f(page, "/metrics", 404)
	f(page, "/livez", 404)
	if body := get(t, "GET", page+"/").body; strings.Contains(body, `href="metrics"`) {
		t.Error("the page links to metrics that are elsewhere")
	}
	none := i.start(t.Context(), t, "127.0.0.1:0", func(o *Options) { o.Source = nil })
	f("http://"+none.Address(), "/", 404)
	f("http://"+none.Address(), "/livez", 200)
	only := i.start(t.Context(), t, "", func(o *Options) { o.PageAddress = "127.0.0.1:0" })
	f("http://"+only.Address(), "/", 200)
	f("http://"+only.Address(), "/metrics", 404)
	profiled := i.start(t.Context(), t, "127.0.0.1:0", func(o *Options) { o.Pprof = true })
	f("http://"+profiled.Address(), "/debug/pprof/goroutine", 200)
}

// With a token file, all requests except probes need the token. The file may be rotated.
func TestToken(t *testing.T) {
	name := filepath.Join(t.TempDir(), "token")
	write := func(token string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(token+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("s3cret")
	s := newInstance(t).start(t.Context(), t, "127.0.0.1:0", func(o *Options) { o.TokenFile, o.Pprof = name, true })
	f := func(path string, want int, headers ...string) {
		t.Helper()
		got := get(t, "GET", "http://"+s.Address()+path, headers...)
		if got.status != want || want == 401 && len(got.header.Values("WWW-Authenticate")) != 2 {
			t.Errorf("%s with %q: %d, want %d", path, headers, got.status, want)
		}
	}
	basic := func(password string) string {
		return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("anyone:"+password))
	}
	for _, path := range []string{"/", "/live", "/page.js", "/metrics", "/debug/pprof/cmdline", "/nothing"} {
		f(path, 401)
		f(path, 401, "Authorization: Bearer wrong")
		f(path, 401, "Authorization: Bearer ")
		f(path, 401, basic(""))
		f(path, 401, basic("s3cre"))
	}
	f("/livez", 200)
	f("/readyz", 200)
	f("/metrics", 200, "Authorization: Bearer s3cret")
	f("/", 200, basic("s3cret"))
	write("next")
	f("/metrics", 401, "Authorization: Bearer s3cret")
	f("/metrics", 200, "Authorization: Bearer next")

	_, err := Start(t.Context(), Options{Address: "127.0.0.1:0", TokenFile: name + "x", Logger: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), "admin-token-file: reading") {
		t.Errorf("a missing token file: %v", err)
	}
}

// With a certificate, the server accepts only TLS 1.2 or newer.
func TestTLS(t *testing.T) {
	authority, err := brokertest.NewAuthority("test")
	if err != nil {
		t.Fatal(err)
	}
	pair, private, err := authority.Issue("localhost", time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	certificate, key := filepath.Join(t.TempDir(), "certificate"), filepath.Join(t.TempDir(), "key")
	if err := errors.Join(os.WriteFile(certificate, pair, 0o600), os.WriteFile(key, private, 0o600)); err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority.PEM)
	s := newInstance(t).start(t.Context(), t, "127.0.0.1:0", func(o *Options) { o.TLSCertificate, o.TLSKey = certificate, key })
	f := func(most uint16, ok bool) {
		t.Helper()
		config := &tls.Config{RootCAs: roots, ServerName: "localhost", MinVersion: tls.VersionTLS10, MaxVersion: most}
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}}
		request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, s.PageURL(), nil)
		response, err := client.Do(request)
		if err == nil {
			response.Body.Close()
		}
		if ok != (err == nil) {
			t.Errorf("TLS up to %s: %v", tls.VersionName(most), err)
		}
	}
	f(tls.VersionTLS11, false)
	f(tls.VersionTLS12, true)
	f(tls.VersionTLS13, true)
	if got := get(t, "GET", "http://"+s.Address()+"/livez"); got.status != http.StatusBadRequest {
		t.Errorf("plain HTTP: %d", got.status)
	}
}

// Connections beyond the bound are closed immediately, and closed connections make room.
//
// Guard: the comparison in boundedListener.Accept.
func TestConnectionsAreBounded(t *testing.T) {
	inner, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener := &boundedListener{Listener: inner}
	accepted := make(chan net.Conn, maxConnections+1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			accepted <- conn
		}
	}()
	var dialer net.Dialer
	dial := func() net.Conn {
		t.Helper()
		conn, err := dialer.DialContext(t.Context(), "tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
	var last net.Conn
	for range maxConnections {
		dial()
		last = <-accepted
		t.Cleanup(func() { _ = last.Close() })
	}
	if n, err := dial().Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("one connection too many reads %d bytes, %v", n, err)
	}
	_ = last.Close()
	_ = last.Close() // counts once
	dial()
	_ = (<-accepted).Close()
	if n := listener.open.Load(); n != maxConnections-1 {
		t.Errorf("%d connections are counted, want %d", n, maxConnections-1)
	}
	_ = listener.Close()
	<-ended
}
