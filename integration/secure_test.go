//go:build integration

package integration

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// alerting runs the program where the scene says, and wants an alert.
func alerting(t *testing.T, s *scene, more ...string) *process {
	t.Helper()
	p := start(t, s.run(more...)...)
	s.produce(t, &kgo.Record{Value: []byte(event(eventID(1), "eu-central-1", false))})
	s.settle(t, time.Minute, p.ended)
	if got := len(s.readAll(t, s.alerts)); got != 1 {
		t.Errorf("%d alerts, want 1", got)
	}
	return p
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
