//go:build integration

package integration

import (
	"slices"
	"strings"
	"testing"
)

// TestKafkaLettersUnreachable wants one line with the remedy from each command on dead letters for each way in which a
// broker and the program part.
func TestKafkaLettersUnreachable(t *testing.T) {
	k := startSecuredKafka(t)
	ca := k.authorityFile(t)
	right, wrong := write(t, t.TempDir(), "right", []byte("alice-secret")), write(t, t.TempDir(), "wrong", []byte("wrong-secret"))
	alice, stranger := withPassword("PLAIN", "alice", right), withPassword("PLAIN", "alice", wrong)
	secure := []string{"--tls", "--tls-ca", ca}
	for name, test := range map[string]struct {
		brokers   string
		arguments []string
		words     []string
	}{
		"wrong password":      {k.secured[listenerSASL], append(secure, stranger...), []string{"PLAIN", "SASL_AUTHENTICATION_FAILED", "where the secret comes from"}},
		"no SASL":             {k.secured[listenerSASL], secure, []string{"--sasl-mechanism"}},
		"no TLS":              {k.secured[listenerSASL], alice, []string{"the port speaks TLS", "give --tls"}},
		"TLS where none is":   {k.brokers, append(secure, alice...), []string{"leave --tls out"}},
		"expired certificate": {k.secured[listenerExpired], append(secure, alice...), []string{"certificate has expired", "needs a new one"}},
		"no certificate":      {k.secured[listenerMutual], secure, []string{"--tls-certificate and --tls-key"}},
		"unknown host":        {"nowhere.invalid:9092", nil, []string{"nowhere.invalid", "--brokers"}},
	} {
		for _, command := range []string{"list", "show 0:0", "replay"} {
			t.Run(name+", "+command, func(t *testing.T) {
				t.Parallel()
				arguments := slices.Concat([]string{"deadletter"}, strings.Fields(command), []string{"--brokers", test.brokers}, test.arguments)
				p := start(t, arguments...)
				p.gives(t, test.words...)
				if n := strings.Count(p.log.String(), "\n"); n != 1 {
					t.Errorf("%d lines, want one", n)
				}
			})
		}
	}
}
