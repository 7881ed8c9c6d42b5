package output

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/processor/deadletter"
	"github.com/regionwatch/regionwatch/schema/alert"
)

// A broker that cannot be reached is asked again; one that refuses leaves the limit as it is set.
//
// Guard: Ask returns transient errors only.
func TestAskInVain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cause error
		again bool
	}{
		"unreachable": {&net.OpError{Op: "dial", Err: errors.New("refused")}, true},
		"refused":     {errors.New("not allowed"), false},
	} {
		client, err := kgo.NewClient(kgo.RequestRetries(0), kgo.Dialer(func(context.Context, string, string) (net.Conn, error) { return nil, c.cause }))
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		l := NewLimits(1_000_000)
		err = l.Ask(t.Context(), kadm.NewClient(client), slog.New(slog.DiscardHandler), "alerts")
		if (err != nil) != c.again || l.Batch("alerts") != 1_000_000 {
			t.Errorf("%s: %v and a limit of %d", name, err, l.Batch("alerts"))
		}
	}
}

// What a broker says of a topic is its limit; other settings are not, and what it does not say changes nothing.
//
// Guards: the conditions in Ask.
func TestAsk(t *testing.T) {
	t.Parallel()
	c, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	said, other := "50000", "60000"
	c.ControlKey(int16(kmsg.DescribeConfigs), func(req kmsg.Request) (kmsg.Response, error, bool) {
		resp := req.ResponseKind().(*kmsg.DescribeConfigsResponse)
		add := func(topic string, err *kerr.Error, configs ...kmsg.DescribeConfigsResponseResourceConfig) {
			r := kmsg.DescribeConfigsResponseResource{ResourceType: kmsg.ConfigResourceTypeTopic, ResourceName: topic, Configs: configs}
			if err != nil {
				r.ErrorCode = err.Code
			}
			resp.Resources = append(resp.Resources, r)
		}
		config := func(name string, value *string) kmsg.DescribeConfigsResponseResourceConfig {
			return kmsg.DescribeConfigsResponseResourceConfig{Name: name, Value: value}
		}
		add("alerts", nil, config("max.message.bytes", &said), config("segment.bytes", &other))
		add("secret", nil, config("max.message.bytes", nil))
		add("gone", kerr.UnknownTopicOrPartition)
		return resp, nil, true
	})
	l, log := NewLimits(1_000_000), new(strings.Builder)
	if err := l.Ask(t.Context(), kadm.NewClient(client), slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})), "alerts", "secret", "gone"); err != nil {
		t.Fatal(err)
	}
	for topic, want := range map[string]int{"alerts": 50_000, "secret": 1_000_000, "gone": 1_000_000} {
		if got := l.Batch(topic); got != want {
			t.Errorf("%s: a limit of %d, want %d", topic, got, want)
		}
	}
	if told := log.String(); strings.Count(told, "asking for the largest record") != 1 || !strings.Contains(told, "topic=gone") {
		t.Error(told)
	}
}

// An alert counts as shrunk if it is made smaller before it is sent, and if it is after a rejection.
//
// Guards: the counts in Alert and shrink.
func TestShrunkAlertsCount(t *testing.T) {
	t.Parallel()
	outputs := testOutputs(t)
	var sent *kgo.Record
	out := outputs.Open(t.Context(), func(_ context.Context, r *kgo.Record, promise func(*kgo.Record, error)) {
		sent = r
		promise(r, nil)
	}, func() error { return nil })
	event := append(append([]byte{'"'}, make([]byte, 100_000)...), '"')
	for i := range event[1 : len(event)-1] {
		event[1+i] = 'x'
	}
	f := func(name string, want uint64, act func() error) {
		t.Helper()
		before := outputs.o.Tally.Snapshot().AlertsShrunk
		if err := act(); err != nil {
			t.Fatal(err)
		}
		if got := outputs.o.Tally.Snapshot().AlertsShrunk - before; got != want {
			t.Errorf("%s: %d counted, want %d", name, got, want)
		}
	}
	send := func() error {
		out.Begin(&kgo.Record{Topic: "cloudtrail"})
		a := alert.Alert{ID: "a", Event: event}
		err := out.Alert(&a)
		if fits := out.s.limits.Batch("alerts") > len(event); (a.Event != nil) != fits {
			t.Errorf("an event that fits (%t) was encoded (%t)", fits, a.Event != nil)
		}
		return err
	}
	f("it fits", 0, send)
	f("it still fits", 0, func() error { return out.shrink(sent) })
	outputs.limits.learn("alerts", strconv.Itoa(deadletter.Size(sent)))
	f("it fits exactly", 0, func() error { return out.shrink(sent) })
	large := *sent
	outputs.limits.learn("alerts", "50000")
	f("too large", 1, send)
	f("rejected", 1, func() error { return out.shrink(&large) })
	if size := deadletter.Size(&large); size > 50_000 {
		t.Errorf("it has %d bytes after all", size)
	}
}

// An alert that cannot be made smaller is an error, before it is sent and after a rejection: it must not be passed over.
//
// Guards: the errors of Shrink, and of resize in smaller.
func TestNotShrunk(t *testing.T) {
	t.Parallel()
	broken := []byte(strings.Repeat("x", MinRecordBytes/2))
	for sent, act := range map[int]func(*Output) error{
		0: func(out *Output) error {
			return out.Alert(&alert.Alert{UserAgent: broken, SourceIPAddress: broken})
		},
		2: func(out *Output) error {
			out.send(&kgo.Record{Topic: "alerts", Value: append(broken, broken...)}, nil)
			return out.Flush()
		},
	} {
		outputs, client := testOutputs(t), &script{errs: []error{kerr.MessageTooLarge, kerr.MessageTooLarge}}
		outputs.limits.learn("alerts", "1")
		out := outputs.Open(t.Context(), client.produce, func() error { return nil })
		out.Begin(&kgo.Record{Topic: "cloudtrail"})
		if err := act(out); err == nil || !strings.Contains(err.Error(), "shrinking alert") || len(client.produced) != sent {
			t.Errorf("%v with %d records sent, want %d", err, len(client.produced), sent)
		}
	}
}
