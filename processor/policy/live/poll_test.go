package live

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/processortest"
)

// policies has a topic of policies, of one partition unless opts say otherwise.
func policies(t *testing.T, opts ...kfake.Opt) (*processortest.Cluster, Options) {
	t.Helper()
	c := processortest.New(t, append([]kfake.Opt{kfake.SeedTopics(1, policyTopic)}, opts...)...)
	return c, topicOptions(c, kgo.FetchMaxWait(50*time.Millisecond))
}

// opened returns a source that has read v1 from its topic, and the topic's cluster.
func opened(t *testing.T) (*processortest.Cluster, *Source) {
	t.Helper()
	c, o := policies(t)
	c.ProduceValues(policyTopic, 1, policyOf("v1"))
	s := open(t, o)
	t.Cleanup(s.Close)
	return c, s
}

// transact produces records in a transaction and ends it that way.
func transact(t *testing.T, c *processortest.Cluster, end kgo.TransactionEndTry, texts ...string) {
	t.Helper()
	client := c.Client(kgo.TransactionalID(fmt.Sprint("writer-", c.End(policyTopic, 0))), kgo.DefaultProduceTopic(policyTopic))
	if err := client.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	for _, text := range texts {
		if err := client.ProduceSync(t.Context(), kgo.StringRecord(text)).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	if err := client.EndTransaction(t.Context(), end); err != nil {
		t.Fatal(err)
	}
}

// The start reads the topic to its end: the newest valid record counts, whatever stands behind it. Deletions, the ends of
// transactions and what was aborted hold no policy.
//
// Guards: KeepControlRecords, without which the end is never reached; ReadCommitted; hasPolicy.
func TestTopicReadToEnd(t *testing.T) {
	t.Parallel()
	c, _ := policies(t)
	f := func(version, fault string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		s, err := Open(ctx, topicOptions(c))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		state := s.State()
		if state.Policy.Version() != version || !strings.Contains(state.Fault, fault) || (fault == "") != (state.Fault == "") {
			t.Errorf("version %q with the fault %q, want %q with %q", state.Policy.Version(), state.Fault, version, fault)
		}
	}
	c.ProduceValues(policyTopic, 1, policyOf("v1"), policyOf("v2"))
	f("v2", "")
	c.Produce(&kgo.Record{Topic: policyTopic})
	f("v2", "")
	transact(t, c, kgo.TryCommit, policyOf("v3"))
	f("v3", "")
	transact(t, c, kgo.TryAbort, policyOf("v4"))
	f("v3", "")
	c.ProduceValues(policyTopic, 1, "default: [")
	f("v3", "offset 7:")
	c.ProduceValues(policyTopic, 1, policyOf("v5"))
	f("v5", "")
}

// A topic without a newest record: more than one partition, or nothing left in it.
func TestTopicWithoutNewest(t *testing.T) {
	t.Parallel()
	_, o := policies(t, kfake.SeedTopics(2, "two"))
	o.Topic = "two"
	if _, err := Open(t.Context(), o); err == nil || !strings.Contains(err.Error(), "it has 2 partitions; it must have exactly one") {
		t.Errorf("%v", err)
	}
	c, o := policies(t)
	c.ProduceValues(policyTopic, 1, "default: [", "")
	_, err := Open(t.Context(), o)
	if _, err := kadm.NewClient(c.Client()).DeleteRecords(t.Context(), kadm.Offsets{policyTopic: {0: {Topic: policyTopic, At: 2}}}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := ReadTopic(t.Context(), policyTopic, o.ClientOpts, nil); !errors.As(err, new(*NoPolicyError)) {
		t.Errorf("with its records deleted: %v", err)
	}
	if err == nil || !strings.Contains(err.Error(), "no valid policy found") || !strings.Contains(err.Error(), "offset 0:") {
		t.Errorf("%v, want that there is none, and what is wrong with the newest", err)
	}
}

// Of several policies that arrive at once all count, in their order: where the newest is broken, the one before it takes
// over. A deletion is no policy.
//
// Guard: poll returns all policies.
func TestPollTakesAll(t *testing.T) {
	t.Parallel()
	c, s := opened(t)
	c.Produce(
		&kgo.Record{Topic: policyTopic, Value: []byte(policyOf("v2"))}, &kgo.Record{Topic: policyTopic, Value: []byte(policyOf("v3"))},
		&kgo.Record{Topic: policyTopic, Value: []byte("default: [")}, &kgo.Record{Topic: policyTopic},
	)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	c.Eventually("told of the broken one", func() bool { return s.State().Fault != "" })
	if v := s.Policy().Version(); v != "v3" {
		t.Errorf("version %q is in force", v)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// The end of the context is not an error of the topic; a broker's error comes with the policies that were read before it.
func TestPollFailure(t *testing.T) {
	t.Parallel()
	c, s := opened(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if records, err := s.topic.poll(ctx); err != nil || len(records) > 0 {
		t.Errorf("%v, %v", records, err)
	}
	if err := c.DeleteTopic(policyTopic); err != nil {
		t.Fatal(err)
	}
	if _, err := s.topic.poll(t.Context()); err == nil {
		t.Error("no error of a topic that was deleted")
	}
}

// With a cached policy the start waits for no broker.
func TestTopicAwayWithCache(t *testing.T) {
	t.Parallel()
	_, o := policies(t)
	o.Cache = cacheOf(t, "v1")
	o.ClientOpts = append(o.ClientOpts, kgo.Dialer(func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	}))
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if state := s.State(); state.Policy.Version() != "v1" || !strings.Contains(state.Fault, `reading the policy from topic "policies"`) || state.FaultAt.IsZero() {
		t.Errorf("%+v", state)
	}
}

// refusal is an error of a dialer that knows whether another try can help.
type refusal bool

func (r refusal) Error() string { return "refused" }
func (r refusal) Refused() bool { return bool(r) }

// What passes by itself is waited for; what somebody must mend is not.
func TestIsAway(t *testing.T) {
	dial := &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	for _, c := range []struct {
		err  error
		want bool
	}{
		{fmt.Errorf("reading: %w", dial), true},
		{io.EOF, true},
		{io.ErrUnexpectedEOF, true},
		{context.DeadlineExceeded, true},
		{kerr.LeaderNotAvailable, true},
		{errors.Join(refusal(false), dial), true},
		{errors.Join(refusal(true), dial), false},
		{kerr.UnknownTopicOrPartition, false},
		{kerr.TopicAuthorizationFailed, false},
		{errors.New("no valid policy found"), false},
	} {
		if got := isAway(c.err); got != c.want {
			t.Errorf("%v: %t", c.err, got)
		}
	}
}

// The start waits for brokers a second at a time, and says so once.
func TestWait(t *testing.T) {
	f := func(what string, dial func() (net.Conn, error)) {
		synctest.Test(t, func(t *testing.T) {
			var dials atomic.Int64 // the client dials from several goroutines
			dialer := kgo.Dialer(func(context.Context, string, string) (net.Conn, error) {
				dials.Add(1)
				return dial()
			})
			log := &logged{Handler: slog.DiscardHandler}
			topic, err := openTopic(policyTopic, []kgo.Opt{kgo.SeedBrokers("localhost:1"), dialer}, nil, slog.New(log))
			if err != nil {
				t.Fatal(err)
			}
			defer topic.close()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if _, _, err := topic.wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: %v", what, err)
			}
			if got, n := log.messages(), dials.Load(); len(got) != 1 || n < 20 || n > 150 {
				t.Errorf("%s: %d tries, told %q", what, n, got)
			}
		})
	}
	f("refused", func() (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	})
	f("closed at once", func() (net.Conn, error) {
		here, there := net.Pipe()
		go func() {
			_, _ = there.Read(make([]byte, 1000))
			there.Close()
		}()
		return here, nil
	})
}

// Only the loss of a topic's id makes a new client.
func TestReopenTopic(t *testing.T) {
	t.Parallel()
	c, o := policies(t)
	c.ProduceValues(policyTopic, 1, policyOf("v1"))
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { s.Close() }()
	for err, want := range map[error]bool{kerr.UnknownTopicID: true, kerr.InconsistentTopicID: true, kerr.NotLeaderForPartition: false} {
		before := s.topic
		if err := s.reopenTopic(fmt.Errorf("polling: %w", err)); err != nil {
			t.Fatal(err)
		}
		if reopened := s.topic != before; reopened != want {
			t.Errorf("%v: %t", err, reopened)
		}
	}
}

// A record with any value is a policy, if a broken one.
func TestHasPolicy(t *testing.T) {
	for text, want := range map[string]bool{"": false, "x": true} {
		if got := hasPolicy(kgo.StringRecord(text)); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}

// A header counts up to its bound, and the first of one name.
func TestHeader(t *testing.T) {
	longest := strings.Repeat("x", maxHeaderBytes)
	r := &kgo.Record{Headers: []kgo.RecordHeader{
		{Key: "other", Value: []byte("a")}, {Key: "long", Value: []byte(longest + "x")}, {Key: "fits", Value: []byte(longest)}, {Key: "fits", Value: []byte("b")},
	}}
	for key, want := range map[string]string{"other": "a", "long": "", "fits": longest, "none": ""} {
		if got := header(r, key); string(got) != want {
			t.Errorf("%s: %d bytes", key, len(got))
		}
	}
}

// A topic without records for hours still gets its warnings: an exception that begins to expire is logged within the
// hour.
//
// Guard: warn in watchTopic.
func TestTopicWarnsHourly(t *testing.T) {
	const exception = "exceptions: [{name: x, owner: o, regions: [eu-central-1], expires: 2000-01-16}]\n" // a bubble starts in 2000
	first := parsedPolicy(t, policyOf("v1")+exception)
	synctest.Test(t, func(t *testing.T) {
		silent := kgo.Dialer(func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
		log := &logged{Handler: slog.DiscardHandler}
		s := open(t, Options{First: first, Logger: slog.New(log)})
		var err error
		if s.topic, err = openTopic(policyTopic, []kgo.Opt{kgo.SeedBrokers("localhost:1"), silent}, nil, s.o.Logger); err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		after := func(d time.Duration, want bool) {
			t.Helper()
			time.Sleep(d)
			synctest.Wait()
			if got := strings.Contains(strings.Join(log.messages(), "\n"), "expires at 2000-01-16"); got != want {
				t.Errorf("a warning: %t, want %t: %q", got, want, log.messages())
			}
		}
		if after(0, false); !strings.Contains(strings.Join(log.messages(), "\n"), "no reason") {
			t.Errorf("no warning at the start: %q", log.messages())
		}
		after(23*time.Hour, false) // 14 days ahead are 24 hours after the start
		after(3*time.Hour, true)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
