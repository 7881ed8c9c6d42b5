package admin

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/alert"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// instance is what a test shows.
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

// start serves the instance on a free port until the test ends.
func (i *instance) start(ctx context.Context, t testing.TB, address string) *Server {
	t.Helper()
	s, err := Start(ctx, Options{
		Address: address, Registry: prometheus.NewRegistry(), Ready: i.ready, Logger: slog.New(slog.DiscardHandler), Source: i.source,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// answered is an answer that was read to its end.
type answered struct {
	status int
	header http.Header
	body   string
}

// get makes a request with these headers, each "Name: value".
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

// A browser that was told that the name of a site is our address gets nothing, and no page of another site reads here
// or takes a live view away from those who look.
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

	everywhere := i.start(t.Context(), t, "0.0.0.0:0")
	_, port, _ := strings.Cut(everywhere.Address(), "]:")
	got := get(t, "GET", "http://127.0.0.1:"+port+"/metrics", "Host: regionwatch.monitoring.svc")
	if got.status != http.StatusOK {
		t.Errorf("a server for other machines knows none of its names, but answers %d", got.status)
	}
}
