package progress

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
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

// A broker that refuses us ends the clients only once all brokers were silent for longer than Patience, or those of the
// group for longer than that and a rebalance.
//
// Guards: both times in OnBrokerRead, and both comparisons in OnBrokerConnect.
func TestSilenceOfBrokers(t *testing.T) {
	t.Parallel()
	const patience, rebalance = time.Minute, time.Hour
	f := func(name string, key kmsg.Key, answers int, silence time.Duration, want bool) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, given := NewHealth(1, patience, rebalance), false
				h.Begin(func(error) { given = true })
				for range answers {
					time.Sleep(patience)
					h.OnBrokerRead(kgo.BrokerMetadata{}, int16(key), 0, 0, 0, nil)
				}
				time.Sleep(silence)
				h.OnBrokerConnect(kgo.BrokerMetadata{}, 0, nil, kerr.SaslAuthenticationFailed)
				if given != want {
					t.Errorf("given up: %t, want %t", given, want)
				}
			})
		})
	}
	f("no answer", 0, 0, patience, false)
	f("no answer for too long", 0, 0, patience+1, true)
	f("an answer", kmsg.Metadata, 1, patience, false)
	f("silence after an answer", kmsg.Metadata, 1, patience+1, true)
	f("a silent group", kmsg.Metadata, 61, 0, false)
	f("a group silent for too long", kmsg.Metadata, 61, 1, true)
	f("a group that answers", kmsg.Heartbeat, 200, 1, false)
}

// A client that has left its group, or not joined it yet, is no member.
//
// Guard: Group asks for the id.
func TestClientWithoutGroup(t *testing.T) {
	client, err := kgo.NewClient()
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	h := NewHealth(1, time.Second, time.Second)
	h.Assigned(client, slices.Values([]kadm.Partition{{Topic: "cloudtrail"}}))
	if members := h.Group(); len(members) > 0 {
		t.Errorf("members %v, want none", members)
	}
}
