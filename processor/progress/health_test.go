package progress

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/processor/retry"
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

// Whatever is not a refusal is for the client to overcome, for however long.
//
// Guard: IsAuthFailure in OnBrokerConnect.
func TestSilenceWithoutRefusal(t *testing.T) {
	t.Parallel()
	for _, err := range []error{nil, io.EOF, kerr.SaslAuthenticationFailed} {
		h, given := NewHealth(1, time.Second, 0), false
		h.Begin(func(error) { given = true })
		h.answered = time.Now().Add(-time.Hour)
		h.OnBrokerConnect(kgo.BrokerMetadata{}, 0, nil, err)
		if want := errors.Is(err, kerr.SaslAuthenticationFailed); given != want {
			t.Errorf("%v: given up %t", err, given)
		}
	}
}

// Members are the clients that are in the group with an assignment, by id; one that has not joined it yet is none.
//
// Guard: Group asks for the id.
func TestGroup(t *testing.T) {
	t.Parallel()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "cloudtrail"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	join := func(opts ...kgo.Opt) *kgo.Client {
		client, err := kgo.NewClient(append(opts, kgo.SeedBrokers(c.ListenAddrs()...), kgo.ConsumeTopics("cloudtrail"))...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(client.Close)
		return client
	}
	outside, one, two := join(), join(kgo.ConsumerGroup("a")), join(kgo.ConsumerGroup("b"))
	h := NewHealth(3, time.Second, time.Second)
	var want []Member
	for _, client := range []*kgo.Client{one, two} {
		id, generation := client.GroupMetadata()
		for ; id == "" || generation <= 0; id, generation = client.GroupMetadata() {
			if retry.Sleep(t.Context(), time.Millisecond) != nil {
				t.Fatal("never in the group")
			}
		}
		want = append(want, Member{id, generation})
	}
	for _, client := range []*kgo.Client{outside, two, one} {
		h.Assigned(client, slices.Values([]kadm.Partition{{Topic: "cloudtrail"}}))
	}
	slices.SortFunc(want, func(a, b Member) int { return strings.Compare(a.ID, b.ID) })
	for range 2 {
		if members := h.Group(); !slices.Equal(members, want) {
			t.Errorf("members %v, want %v", members, want)
		}
	}
}

// Ready says what is missing, the first of it.
//
// Guards: the cases of Ready.
func TestReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, client := NewHealth(1, time.Minute, 0), new(kgo.Client)
		check := func(want string) {
			t.Helper()
			got := "ready"
			if err := h.Ready(); err != nil {
				got = err.Error()
			}
			if got != want {
				t.Errorf("%s, want %s", got, want)
			}
		}
		check("not started")
		if h.Connected() {
			t.Error("connected without an answer")
		}
		h.Waiting("waiting")
		h.Waiting("waiting for the brokers")
		check("waiting for the brokers")
		h.Begin(nil)
		check("0 of 1 group members have their partitions")
		h.SetMissing(`topic "a"`)
		check(`missing topic "a"`)
		h.SetMissing("")
		h.Assigned(client, slices.Values([]kadm.Partition{{}, {Partition: 1}}))
		check("ready")
		time.Sleep(time.Minute)
		check("ready")
		time.Sleep(time.Second)
		check("no broker has answered for 1m1s")
		h.SetMissing(`topic "a"`)
		h.Lost(client)
		check("no broker has answered for 1m1s")
		h.SetMissing("")
		h.Assigned(client, slices.Values([]kadm.Partition{{}, {Partition: 1}}))
		h.OnBrokerRead(kgo.BrokerMetadata{}, int16(kmsg.Metadata), 0, 0, 0, nil)
		check("ready")
		if !h.Connected() || h.Partitions() != 2 || h.Partitions() != 2 {
			t.Errorf("connected %t, %d partitions", h.Connected(), h.Partitions())
		}
		h.Lost(client)
		check("0 of 1 group members have their partitions")
		h.GiveUp(kerr.InvalidConfig) // nobody listens yet
		var given []error
		h.Begin(func(err error) { given = append(given, err) })
		h.GiveUp(kerr.InvalidConfig)
		h.GiveUp(kerr.InvalidConfig)
		if !slices.Equal(given, []error{kerr.InvalidConfig, kerr.InvalidConfig}) {
			t.Errorf("given up with %v", given)
		}
	})
}

// Trouble is a connection that failed, but not because we have ended it, for as long as the patience lasts.
//
// Guard: fail.
func TestTroubled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for err, want := range map[error]bool{
			nil: false, context.Canceled: false, net.ErrClosed: false, kgo.ErrClientClosed: false, io.EOF: true, context.DeadlineExceeded: true,
		} {
			h := NewHealth(1, time.Minute, 0)
			for _, report := range []func(){
				func() { h.OnBrokerConnect(kgo.BrokerMetadata{}, 0, nil, err) },
				func() { h.OnBrokerRead(kgo.BrokerMetadata{}, int16(kmsg.Metadata), 0, 0, 0, err) },
			} {
				h.failed = time.Time{}
				report()
				for range 2 {
					if h.Troubled() != want {
						t.Errorf("%v: troubled %t, want %t", err, h.Troubled(), want)
					}
				}
			}
			if want {
				time.Sleep(time.Minute)
				if !h.Troubled() {
					t.Error("no longer troubled when the patience ends")
				}
				if time.Sleep(time.Nanosecond); h.Troubled() {
					t.Error("troubled after the patience has ended")
				}
			}
			if h.Connected() != (err == nil) {
				t.Errorf("%v: connected %t", err, h.Connected())
			}
		}
		h, began := NewHealth(1, time.Minute, 0), time.Now()
		time.Sleep(time.Minute)
		if h.Held(began) {
			t.Error("a place counts as kept too early")
		}
		if time.Sleep(time.Nanosecond); !h.Held(began) {
			t.Error("a place that was kept for long does not count")
		}
	})
}
