package instance

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/cli"
)

// An instance that is alive but not ready is an error when asked whether it is ready, with what it says. So is one that
// cannot be asked.
func TestAsk(t *testing.T) {
	answer := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/livez" {
			fmt.Fprintln(w, "alive")
			return
		}
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprintln(w, r.URL.Path+" waits for partitions"+strings.Repeat("x", maxAnswer))
	}
	for _, secured := range []bool{false, true} {
		server := httptest.NewUnstartedServer(http.HandlerFunc(answer))
		s := &config.Settings{AdminAddress: server.Listener.Addr().String()}
		if server.Start(); secured {
			server.Close()
			server = httptest.NewTLSServer(http.HandlerFunc(answer))
			s = &config.Settings{AdminAddress: server.Listener.Addr().String(), AdminTLSCertificate: "server.pem"}
		}
		if got, err := Ask(t.Context(), s, false); err != nil || got != "alive" {
			t.Errorf("alive: %q, %v", got, err)
		}
		got, err := Ask(t.Context(), s, true)
		if err == nil || got != "" || !strings.Contains(err.Error(), "503 Service Unavailable: /readyz waits for partitions") || len(err.Error()) > maxAnswer+100 {
			t.Errorf("ready: %q, %v", got, err)
		}
		server.Close()
		if _, err := Ask(t.Context(), s, false); err == nil || !strings.Contains(err.Error(), "asking the instance: ") {
			t.Errorf("gone: %v", err)
		}
	}
	for address, want := range map[string]string{config.None: "cannot be asked", "a:0": "set a port", "a": "missing port"} {
		_, err := Ask(t.Context(), &config.Settings{AdminAddress: address}, false)
		if err == nil || !strings.Contains(err.Error(), want) || cli.ExitStatus(err) != 2 {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestAskAt(t *testing.T) {
	f := func(listens, want string) {
		t.Helper()
		if got, err := askAt(listens); err != nil || got != want {
			t.Errorf("askAt(%s) = %s, %v; want %s", listens, got, err, want)
		}
	}
	f("127.0.0.1:9464", "127.0.0.1:9464")
	f("0.0.0.0:9464", "127.0.0.1:9464")
	f(":9464", "127.0.0.1:9464")
	f("[::]:80", "[::1]:80")
	f("[fe80::1]:80", "[fe80::1]:80")
	f("pod-0.regionwatch:9464", "pod-0.regionwatch:9464")
}
