package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

// marker is a secret that must not appear in any output of the program.
const marker = "s3cret-marker"

// secretFile writes a file for one test and returns its name.
func secretFile(t *testing.T, content string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// No command reveals a secret: not when it prints the settings, finds mistakes in them, or is refused by the broker.
func TestSecretsAreNotTold(t *testing.T) {
	t.Parallel()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.EnableSASL(), kfake.Superuser("PLAIN", "admin", "admin"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	const inClear = "--allow-plaintext-credentials"
	brokers := "--brokers=" + strings.Join(cluster.ListenAddrs(), ",")
	password := "REGIONWATCH_SASL_PASSWORD=" + marker
	user := []string{brokers, "--sasl-mechanism=PLAIN", "--sasl-username=alice", inClear, "--log-level=debug"}
	with := func(args []string, more ...string) []string { return append(append([]string(nil), args...), more...) }
	for name, test := range map[string]struct {
		args   []string
		env    string
		status int
		want   string // part of the output, to show that the program got that far
	}{
		"help":                 {[]string{"run", "--help"}, password, 0, "--sasl-password-file"},
		"version":              {[]string{"version"}, password, 0, "regionwatch"},
		"validate":             {append([]string{"validate", "--settings"}, user[:4]...), password, 0, "(secret)"},
		"validate for program": {append([]string{"validate", "--format=json"}, user[:4]...), password, 0, "(secret)"},
		"validate by file":     {[]string{"validate", "--settings", "--config=" + secretFile(t, "brokers: a:1\nsasl-mechanism: PLAIN\nallow-plaintext-credentials: true\nsasl-username: a\nsasl-password: "+marker+"\n")}, "", 0, "(secret)"},
		"address":              {[]string{"validate", "--settings", brokers, inClear, "--sasl-mechanism=OAUTHBEARER", "--oauth-client-id=a", "--oauth-token-url=https://localhost/token?key=" + marker}, "REGIONWATCH_OAUTH_CLIENT_SECRET=x", 0, "token?(hidden)"},
		"wrong address":        {[]string{"check", brokers, "--sasl-mechanism=OAUTHBEARER", "--oauth-client-id=a", "--oauth-token-url=http://example.com/token?key=" + marker}, "REGIONWATCH_OAUTH_CLIENT_SECRET=x", 2, "token?(hidden)"},
		"address in file":      {[]string{"validate", "--config=" + secretFile(t, "brokers: a:1\noauth-token-url: ftp://id.example.com/?"+marker+"\n")}, "", 2, "/?(hidden)"},
		"shape of file":        {[]string{"validate", "--config=" + secretFile(t, "brokers: a:1\nsasl-password: ["+marker+"]\n")}, "", 2, "sasl-password: want one value"},
		"invalid YAML":         {[]string{"validate", "--config=" + secretFile(t, "brokers: a:1\nsasl-password: '"+marker+"\n")}, "", 2, "invalid YAML"},
		"wrong key":            {[]string{"validate", "--config=" + secretFile(t, "brokers: a:1\nsasl-passwort: "+marker+"\n")}, "", 2, "did you mean sasl_password?"},
		"wrong variable":       {append([]string{"validate"}, user...), "REGIONWATCH_SASL_PASSWORT=" + marker, 2, "REGIONWATCH_SASL_PASSWORT"},
		"flag":                 {append([]string{"run", "--sasl-password=" + marker}, user...), "", 2, "no such flag"},
		"no mechanism":         {[]string{"run", brokers}, password, 2, "sasl-password needs sasl-mechanism PLAIN"},
		"lines":                {append([]string{"run"}, user...), password + "\n" + marker, 2, "the value is not allowed"},
		"lines in file":        {with(user, "--sasl-password-file="+secretFile(t, marker+"\n"+marker)), "", 2, "it has more than one line"},
		"key as authority":     {append([]string{"run", "--tls", "--tls-ca=" + secretFile(t, marker)}, user...), password, 2, "no certificate in PEM"},
		"explain":              {append([]string{"explain", "trail:0:0"}, user[:4]...), password, 1, ""},
		"generate":             {append([]string{"generate", "--topic=trail", "--count=1"}, user[:4]...), password, 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if strings.HasPrefix(test.args[0], "--") {
				test.args = append([]string{"run", "--admin-address=none"}, test.args...)
			}
			cmd := command(t, test.args...)
			cmd.Env = append(cmd.Env, test.env)
			stdout, stderr, status := result(t, cmd)
			out := stdout + stderr
			if status != test.status || !strings.Contains(out, test.want) {
				t.Errorf("exit status %d, want %d and %q:\n%s", status, test.status, test.want, out)
			}
			if strings.Contains(out, marker) {
				t.Errorf("it shows the secret:\n%s", out)
			}
		})
	}
}

// A running program reveals its secret nowhere: not in its log and not on the admin address.
func TestSecretsAreNotServed(t *testing.T) {
	t.Parallel()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-512", "alice", marker),
		kfake.SeedTopics(1, "cloudtrail", "cloudtrail-alerts", "cloudtrail-dead-letters"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	r := startRun(t, strings.Join(cluster.ListenAddrs(), ","), "--sasl-mechanism=SCRAM-SHA-512", "--sasl-username=alice",
		"--sasl-password-file="+secretFile(t, marker), "--log-level=debug", "--log-format=json")
	end := time.Now().Add(time.Minute)
	for status := 0; status != http.StatusOK && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		status, _ = r.get("/readyz")
	}
	var said strings.Builder
	for _, path := range []string{"/", "/metrics", "/readyz", "/livez", "/debug", "/debug/vars", "/debug/pprof/cmdline"} {
		status, body := r.get(path)
		if path == "/readyz" && status != http.StatusOK {
			t.Errorf("not ready: %s", body)
		}
		said.WriteString(body)
	}
	r.signal(syscall.SIGTERM)
	if status := r.status(); status != 0 {
		t.Errorf("exit status %d", status)
	}
	for _, line := range r.log() {
		for _, value := range line {
			if text, ok := value.(string); ok {
				said.WriteString(text)
			}
		}
	}
	if strings.Contains(said.String(), marker) {
		t.Errorf("it shows the secret:\n%s", said.String())
	}
}
