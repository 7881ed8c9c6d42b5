package integration

import (
	"encoding/base64"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// alerting runs the program where the scene says, and wants an alert.
func alerting(t *testing.T, s *scene, more ...string) *process {
	t.Helper()
	p := start(t, s.run(more...)...)
	s.alertOn(t, p, 1)
	return p
}

// alertOn wants an alert on one more event, the n-th of the scene.
func (s *scene) alertOn(t *testing.T, p *process, n int) {
	t.Helper()
	s.produce(t, &kgo.Record{Value: []byte(event(eventID(n), "eu-central-1", false))})
	s.settle(t, time.Minute, p.ended)
	if got := len(s.readAll(t, s.alerts)); got != n {
		t.Errorf("%d alerts, want %d", got, n)
	}
}

// says waits for a line of the log.
func (p *process) says(t *testing.T, text string) {
	t.Helper()
	eventually(t, time.Minute, func() error {
		if strings.Contains(p.log.String(), text) {
			return nil
		}
		if err := p.ended(); err != nil {
			return fmt.Errorf("%w: %w", errStop, err)
		}
		return fmt.Errorf("the log does not say %q", text)
	})
}

// gives expects the process to end with one error, on one line, which has these words in it.
func (p *process) gives(t *testing.T, words ...string) {
	t.Helper()
	if status := p.wait(t, time.Minute); status != 1 {
		t.Errorf("exit status %d, want 1", status)
	}
	line := p.log.lastLine()
	for _, word := range words {
		if !strings.Contains(line, word) {
			t.Errorf("the last line lacks %q: %s", word, line)
		}
	}
	if log := p.log.String(); strings.Contains(log, "-secret") {
		t.Errorf("the log has the password:\n%s", log)
	}
}

// TestKafkaSecureScram wants alerts by SCRAM over TLS.
func TestKafkaSecureScram(t *testing.T) {
	k := startSecuredKafka(t)
	k.setPassword(t, "scram", "scram-secret")
	k.allowAll(t, "scram")
	bothModes(t, func(t *testing.T, delivery string) {
		s := newScene(t, k.brokers, 2)
		s.reach, _ = k.byPassword(t, "SCRAM-SHA-512", "scram", "scram-secret")
		alerting(t, s, "--delivery", delivery).stop(t)
	})
}

// TestKafkaSecurePlain wants alerts by PLAIN over TLS.
func TestKafkaSecurePlain(t *testing.T) {
	k := startSecuredKafka(t)
	k.allowAll(t, "alice")
	s := newScene(t, k.brokers, 2)
	s.reach, _ = k.byPassword(t, "PLAIN", "alice", "alice-secret")
	alerting(t, s).stop(t)
}

// TestKafkaSecureMutual expects alerts with a client certificate, and more of them after it was replaced
// while the program ran.
func TestKafkaSecureMutual(t *testing.T) {
	k := startSecuredKafka(t)
	k.allowAll(t, "first")
	k.allowAll(t, "second")
	dir := t.TempDir()
	rotate := func(name string) (certificate, key string) {
		t.Helper()
		c, private, err := k.authority.Issue(name, time.Now().Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		return write(t, dir, "client.pem", c), write(t, dir, "client.key", private)
	}
	certificate, key := rotate("first")
	bothModes(t, func(t *testing.T, delivery string) {
		s := newScene(t, k.brokers, 2)
		s.reach = k.by(t, listenerMutual, "--tls-certificate", certificate, "--tls-key", key)
		p := alerting(t, s, "--delivery", delivery)
		rotate("second") // shown where a connection is made: the broker ends those that are idle
		p.says(t, "read changed files")
		s.alertOn(t, p, 2)
		p.stop(t)
	})
}

// unsignedToken is what the broker takes for a token of alice, until then.
func unsignedToken(until time.Time) []byte {
	part := func(format string, values ...any) string {
		return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, format, values...))
	}
	return []byte(part(`{"alg":"none"}`) + "." + part(`{"sub":"alice","iat":%d,"exp":%d}`, time.Now().Add(-time.Minute).Unix(), until.Unix()) + ".")
}

// TestKafkaSecureToken wants alerts by a token, and by the next one when that has expired: the broker ends
// the connections of those that do not authenticate again. An expired token is reported.
func TestKafkaSecureToken(t *testing.T) {
	k := startSecuredKafka(t)
	k.allowAll(t, "alice")
	dir := t.TempDir()
	file := write(t, dir, "token", unsignedToken(time.Now().Add(15*time.Second)))
	s := newScene(t, k.brokers, 2)
	s.reach = k.by(t, listenerSASL, "--sasl-mechanism", "OAUTHBEARER", "--oauth-token-file", file)
	p := alerting(t, s)
	write(t, dir, "token", unsignedToken(time.Now().Add(time.Hour)))
	p.says(t, "read changed files")
	s.alertOn(t, p, 2)
	p.stop(t)

	write(t, dir, "token", unsignedToken(time.Now().Add(-time.Minute)))
	start(t, s.run()...).gives(t, "SASL_AUTHENTICATION_FAILED", "invalid_token", "OAUTHBEARER", "not expired")
}

// TestKafkaSecurePassword wants one clear line for a password that is wrong, at the start and when it turns
// wrong while the program runs, and for a mechanism that the broker does not have.
func TestKafkaSecurePassword(t *testing.T) {
	k := startSecuredKafka(t)
	k.setPassword(t, "changing", "old-secret")
	k.allowAll(t, "changing")
	bothModes(t, func(t *testing.T, delivery string) {
		s := newScene(t, k.brokers, 2)
		s.reach, _ = k.byPassword(t, "SCRAM-SHA-512", "changing", "wrong-secret")
		start(t, s.run("--delivery", delivery)...).gives(t, "SASL_AUTHENTICATION_FAILED", "(mechanism SCRAM-SHA-512)")

		file := write(t, t.TempDir(), "password", []byte("old-secret"))
		s.reach = k.by(t, listenerBrief, withPassword("SCRAM-SHA-512", "changing", file)...)
		p := alerting(t, s, "--delivery", delivery)
		k.setPassword(t, "changing", "new-secret")
		p.gives(t, "SASL_AUTHENTICATION_FAILED", "(mechanism SCRAM-SHA-512)")
		k.setPassword(t, "changing", "old-secret")
	})
	s := newScene(t, k.brokers, 1)
	s.reach = k.by(t, listenerSASL, "--sasl-mechanism", "AWS_MSK_IAM")
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "aws-secret")
	start(t, s.run()...).gives(t, "UNSUPPORTED_SASL_MECHANISM", "(mechanism AWS_MSK_IAM)")
}

// TestKafkaSecureDistrust wants one clear line for each way in which the two sides do not trust each other.
func TestKafkaSecureDistrust(t *testing.T) {
	k := startSecuredKafka(t)
	s := newScene(t, k.brokers, 1)
	file := write(t, t.TempDir(), "password", []byte("alice-secret"))
	alice := withPassword("PLAIN", "alice", file)
	f := func(reach []string, words ...string) {
		t.Helper()
		s.reach = reach
		start(t, s.run()...).gives(t, words...)
	}
	f(append(k.by(t, listenerExpired), alice...), "certificate has expired", "needs a new one")
	f(append([]string{"--brokers", k.secured[listenerSASL], "--tls"}, alice...), "unknown authority", "regionwatch test authority", "--tls-ca")
	f(append(k.by(t, listenerSASL, "--tls-server-name", "kafka.example.com"), alice...), "kafka.example.com", "--tls-server-name")
	f(k.by(t, listenerMutual), "requires a client certificate", "--tls-certificate and --tls-key")
	f(append([]string{"--brokers", k.secured[listenerSASL], "--allow-plaintext-credentials"}, alice...), "answers with TLS", "give --tls")
	f([]string{"--brokers", k.secured[listenerSASL]}, "answers with TLS", "give --tls")

	s.reach = append([]string{"--brokers", k.brokers, "--tls", "--tls-ca", k.authorityFile(t)}, alice...)
	p := start(t, s.run()...) // the port may come to speak TLS, so it waits
	p.says(t, "omit --tls")
	p.stop(t)
}

// TestKafkaSecureCommands wants each command that speaks to brokers to reach secured ones.
func TestKafkaSecureCommands(t *testing.T) {
	k := startSecuredKafka(t)
	k.setPassword(t, "commands", "commands-secret")
	k.allowAll(t, "commands")
	s := newScene(t, k.brokers, 1)
	reach, _ := k.byPassword(t, "SCRAM-SHA-512", "commands", "commands-secret")
	command := func(want string, arguments ...string) {
		t.Helper()
		c := exec.CommandContext(t.Context(), binary, slices.Concat(arguments, reach)...)
		c.Env = withoutSettings()
		out, err := c.CombinedOutput()
		if err != nil || !strings.Contains(string(out), want) || strings.Contains(string(out), "commands-secret") {
			t.Errorf("%q: %v, want %q:\n%s", arguments, err, want, out)
		}
	}
	command("", "generate", "--topic", s.input, "--count", "10")
	if got := len(s.readAll(t, s.input)); got == 0 {
		t.Error("nothing was generated")
	}
	command(s.input, "explain", s.input+":0:0")

	policy := s.input + "-policy"
	compact := "compact"
	s.makeTopic(t, policy, map[string]*string{"cleanup.policy": &compact})
	if err := s.client.ProduceSync(t.Context(), &kgo.Record{Topic: policy, Key: []byte("policy"),
		Value: []byte("version: by-topic\ndefault:\n  unused_regions: [eu-central-1]\n")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	s.reach = reach
	s.input += "-watched"
	s.makeTopic(t, s.input, nil)
	alerting(t, s, "--policy-topic", policy).stop(t)
	if alerts := s.readAll(t, s.alerts); !strings.Contains(string(alerts[0].Value), "by-topic") {
		t.Errorf("the alert is not of the topic's policy: %s", alerts[0].Value)
	}
}
