package progress

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// What a broker sends before authentication succeeds does not count as an answer.
//
// Guard: the keys in OnBrokerRead.
func TestAnswerBeforeAuthentication(t *testing.T) {
	t.Parallel()
	for key, want := range map[kmsg.Key]bool{kmsg.ApiVersions: true, kmsg.SASLHandshake: true, kmsg.SASLAuthenticate: true, kmsg.Metadata: false} {
		h, given := NewHealth(1, time.Second, time.Second), false
		h.Begin(func(error) { given = true })
		h.answered = time.Now().Add(-h.Patience - time.Second)
		h.OnBrokerRead(kgo.BrokerMetadata{}, int16(key), 0, 0, 0, nil)
		h.OnBrokerConnect(kgo.BrokerMetadata{}, 0, nil, kerr.SaslAuthenticationFailed)
		if given != want {
			t.Errorf("after %s: given up %v, want %v", key.Name(), given, want)
		}
	}
}
