package output

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

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
		return out.Alert(&alert.Alert{ID: "a", Event: event})
	}
	f("it fits", 0, send)
	f("it still fits", 0, func() error { return out.shrink(sent) })
	large := *sent
	outputs.limits.learn("alerts", "50000")
	f("too large", 1, send)
	f("rejected", 1, func() error { return out.shrink(&large) })
}
