package main

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestAdmin(t *testing.T) {
	defer goleak.VerifyNone(t)
	var missing error
	a, err := startAdmin(t.Context(), "127.0.0.1:0", newRegistry(), func() error { return missing }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	f := func(method, path string, status int, body string) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, "http://"+a.Address()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		got, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		if response.StatusCode != status || !strings.Contains(string(got), body) {
			t.Errorf("%s %s: %d %q, want %d %q", method, path, response.StatusCode, got, status, body)
		}
	}
	f("GET", "/livez", 200, "ok\n")
	f("HEAD", "/livez", 200, "")
	f("POST", "/livez", 405, "")
	f("GET", "/readyz", 200, "ready\n")
	f("GET", "/metrics", 200, `regionwatch_build_info{commit="`)
	f("GET", "/metrics", 200, "process_resident_memory_bytes")
	f("GET", "/debug/pprof/", 404, "")
	f("GET", "/", 404, "")
	missing = errors.New("no partitions assigned yet\n\x1b[2J")
	f("GET", "/readyz", 503, `not ready: no partitions assigned yet\n\x1b[2J`+"\n")
	f("GET", "/livez", 200, "ok\n")

	if _, err := startAdmin(t.Context(), a.Address(), newRegistry(), nil, slog.New(slog.DiscardHandler)); err == nil ||
		!strings.Contains(err.Error(), "--admin-address") {
		t.Errorf("an address in use: %v", err)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
}
