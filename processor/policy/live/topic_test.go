package live

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/processor/processortest"
)

// TestMain fails if a test leaves a goroutine, such as those of a client that was not closed.
func TestMain(m *testing.M) { processortest.Main(m) }

const policyTopic = "policies"

func topicOptions(c *processortest.Cluster, more ...kgo.Opt) Options {
	return Options{
		Topic: policyTopic, ClientOpts: append(more, kgo.SeedBrokers(c.ListenAddrs()...), kgo.MetadataMinAge(100*time.Millisecond), kgo.MetadataMaxAge(time.Second)),
		Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(),
	}
}

// Brokers that cannot be reached are waited for, with one line in the log. The end of the context ends the wait.
//
// Guard: isAway in wait.
func TestTopicUnreachable(t *testing.T) {
	t.Parallel()
	c := processortest.New(t, kfake.SeedTopics(1, policyTopic))
	c.ProduceValues(policyTopic, 1, policyOf("one"))
	var away atomic.Bool
	var dials atomic.Int64
	away.Store(true)
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		dials.Add(1)
		if away.Load() {
			return nil, &net.OpError{Op: "dial", Net: network, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	ctx, cancel := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	go func() {
		_, err := Open(ctx, topicOptions(c, kgo.Dialer(dial)))
		stopped <- err
	}()
	c.Eventually("tried", func() bool { return dials.Load() > 1 })
	cancel()
	if err := <-stopped; !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want that it was canceled", err)
	}

	opened := make(chan *Source, 1)
	log := &logged{Handler: slog.DiscardHandler}
	o := topicOptions(c, kgo.Dialer(dial))
	o.Logger = slog.New(log)
	go func() {
		s, err := Open(t.Context(), o)
		if err != nil {
			t.Error(err)
		}
		opened <- s
	}()
	before := dials.Load()
	c.Eventually("tried", func() bool { return dials.Load() > before+2 })
	away.Store(false)
	s := <-opened
	defer s.Close()
	if v := s.Policy().Version(); v != "one" {
		t.Errorf("version %q", v)
	}
	if logged := log.messages(); len(logged) != 1 || !strings.Contains(logged[0], "trying again until it can") {
		t.Errorf("logged %q, want one line about the brokers that could not be reached", logged)
	}
}

// A topic that does not exist, or holds no policy, is not a reason to wait.
func TestTopicFailure(t *testing.T) {
	t.Parallel()
	c := processortest.New(t, kfake.SeedTopics(1, policyTopic))
	if _, err := Open(t.Context(), topicOptions(c)); err == nil || !strings.Contains(err.Error(), "no valid policy") {
		t.Errorf("%v, want that there is no policy", err)
	}
	o := topicOptions(c)
	o.Topic = "missing"
	if _, err := Open(t.Context(), o); err == nil || !strings.Contains(err.Error(), "UNKNOWN_TOPIC_OR_PARTITION") {
		t.Errorf("%v, want that there is no topic", err)
	}
}

// A topic whose offsets or records are refused is not one without a policy.
//
// Guards: end looks at the error of each partition; the error of PollRecords.
func TestTopicRefused(t *testing.T) {
	t.Parallel()
	for _, refused := range []int64{-2, -1} { // the start, and the end
		c := processortest.New(t, kfake.SeedTopics(1, policyTopic))
		c.ProduceValues(policyTopic, 1, policyOf("one"))
		c.ControlKey(int16(kmsg.ListOffsets), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
			c.KeepControl()
			req := kreq.(*kmsg.ListOffsetsRequest)
			if req.Topics[0].Partitions[0].Timestamp != refused {
				return nil, nil, false
			}
			resp := req.ResponseKind().(*kmsg.ListOffsetsResponse)
			partition := kmsg.NewListOffsetsResponseTopicPartition()
			partition.ErrorCode = kerr.UnknownServerError.Code
			resp.Topics = []kmsg.ListOffsetsResponseTopic{{Topic: policyTopic, Partitions: []kmsg.ListOffsetsResponseTopicPartition{partition}}}
			return resp, nil, true
		})
		if _, _, err := ReadTopic(t.Context(), policyTopic, topicOptions(c).ClientOpts, nil); !errors.Is(err, kerr.UnknownServerError) {
			t.Errorf("offset %d: %v", refused, err)
		}
	}
	c := processortest.New(t, kfake.SeedTopics(1, policyTopic))
	c.ProduceValues(policyTopic, 1, policyOf("one"))
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Err: kerr.TopicAuthorizationFailed, Count: -1})
	if _, _, err := ReadTopic(t.Context(), policyTopic, topicOptions(c).ClientOpts, nil); !errors.Is(err, kerr.TopicAuthorizationFailed) {
		t.Errorf("records: %v", err)
	}
}

// The policy's topic may be deleted and created again: what comes to the new one takes effect, and until then the last
// policy stays in force.
//
// Guard: reopenTopic.
func TestTopicRecreated(t *testing.T) {
	t.Parallel()
	c := processortest.New(t, kfake.SeedTopics(1, policyTopic))
	c.ProduceValues(policyTopic, 1, policyOf("one"))
	s, err := Open(t.Context(), topicOptions(c))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	if err := c.DeleteTopic(policyTopic); err != nil {
		t.Fatal(err)
	}
	if err := c.CreateTopic(policyTopic, 1, nil); err != nil {
		t.Fatal(err)
	}
	c.ProduceValues(policyTopic, 1, policyOf("two"))
	c.Eventually("the new policy is in force", func() bool { return s.Policy().Version() == "two" })
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	s.Close()
}

// While the policy's topic is gone, the log says so once, and that a policy stays in force; and when it exists again.
//
// Guard: topicGone.
func TestTopicGone(t *testing.T) {
	t.Parallel()
	c := processortest.New(t, kfake.SeedTopics(1, policyTopic))
	c.ProduceValues(policyTopic, 1, policyOf("one"))
	o, log := topicOptions(c), new(lines)
	o.Logger = slog.New(slog.NewTextHandler(log, nil))
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	const gone = `level=ERROR msg="a topic is gone: waiting for it to be created again, the policy read before stays in force" topic=policies`
	if err := c.DeleteTopic(policyTopic); err != nil {
		t.Fatal(err)
	}
	c.Eventually("the log says that the topic is gone", func() bool { return log.count(gone) > 0 })
	if got := s.Policy().Version(); got != "one" {
		t.Errorf("version %q is in force, want one", got)
	}
	if err := c.CreateTopic(policyTopic, 1, nil); err != nil {
		t.Fatal(err)
	}
	c.ProduceValues(policyTopic, 1, policyOf("two"))
	c.Eventually("the new policy is in force", func() bool { return s.Policy().Version() == "two" })
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	s.Close()
	if n, back := log.count(gone), log.count("the topic exists again"); n != 1 || back != 1 {
		t.Errorf("told %d times that it is gone and %d times that it is back, want once each", n, back)
	}
}

// The log says once that the topic is gone, once that it is back, and otherwise why it cannot be read.
func TestTellTopic(t *testing.T) {
	t.Parallel()
	c, s := opened(t)
	log := new(lines)
	s.o.Logger = slog.New(slog.NewTextHandler(log, nil))
	f := func(wasGone bool, cause error, want string, isGone bool) {
		t.Helper()
		before := log.count("msg=")
		s.topicGone = wasGone
		s.tellTopic(t.Context(), cause)
		told := log.count("msg=") - before
		if log.count(want) == 0 || told > 1 || (told == 0) != (want == "") || s.topicGone != isGone {
			t.Errorf("%v after %t: %s", cause, wasGone, log.text.String())
		}
	}
	f(false, kerr.TopicAuthorizationFailed, `msg="reading the policy's topic" topic=policies error="TOPIC_AUTHORIZATION_FAILED:`, false)
	f(true, kerr.UnknownTopicID, "a topic was deleted and created again", false)
	f(true, kerr.UnknownTopicOrPartition, `msg="the topic exists again" topic=policies`, false)
	f(false, kerr.UnknownTopicOrPartition, `msg="reading the policy's topic" topic=policies error="UNKNOWN_TOPIC_OR_PARTITION:`, false)
	if err := errors.Join(c.DeleteTopic(policyTopic), s.reopenTopic(kerr.UnknownTopicID)); err != nil {
		t.Fatal(err)
	}
	f(false, kerr.UnknownTopicID, "a topic is gone", true)
	f(true, kerr.UnknownTopicID, "", true)
	s.topic.close()
	var err error
	if s.topic, err = openTopic(policyTopic, []kgo.Opt{kgo.SeedBrokers("127.0.0.1:1")}, s.o.Keys, s.o.Logger); err != nil { // it has never heard of the topic
		t.Fatal(err)
	}
	s.topic.close()
	f(true, kerr.UnknownTopicID, `msg="reading the policy's topic" topic=policies error="UNKNOWN_TOPIC_ID:`, false)
}

// The first policy that arrives says that the topic exists again, and no other one; nothing that arrives says nothing.
func TestWatchTopicExistsAgain(t *testing.T) {
	t.Parallel()
	c, s := opened(t)
	log := new(lines)
	s.o.Logger = slog.New(slog.NewTextHandler(log, nil))
	f := func(want int, versions ...string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond) // for nothing: it may end whenever
		if len(versions) > 0 {
			ctx, cancel = context.WithCancel(t.Context())
		}
		defer cancel()
		ended := make(chan error, 1)
		go func() { ended <- s.watchTopic(ctx) }()
		for _, version := range versions {
			c.ProduceValues(policyTopic, 1, policyOf(version))
			c.Eventually("in force", func() bool { return s.Policy().Version() == version })
			cancel := cancel
			if version == versions[len(versions)-1] {
				cancel()
			}
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if got := log.count("the topic exists again"); got != want {
			t.Errorf("told %d times, want %d", got, want)
		}
	}
	f(0, "v2", "v3")
	s.topicGone = true
	f(0)
	f(1, "v4", "v5")
}

// What is refused at once is asked for again after a while, not at once.
//
// Guard: pause in watchTopic.
func TestWatchTopicPauses(t *testing.T) {
	t.Parallel()
	c, s := opened(t)
	log := new(lines)
	s.o.Logger = slog.New(slog.NewTextHandler(log, nil))
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Err: kerr.TopicAuthorizationFailed, Count: -1})
	ctx, cancel := context.WithTimeout(t.Context(), 800*time.Millisecond)
	defer cancel()
	if err := s.watchTopic(ctx); err != nil {
		t.Error(err)
	}
	if n := log.count("reading the policy's topic"); n > 1 {
		t.Errorf("told %d times within a second", n)
	}
}

// lines is a log that two goroutines share.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write implements io.Writer.
func (l *lines) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(text)
}

// count returns how often the log has a text.
func (l *lines) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), text)
}

// Settings with which no client can be made are an error, at the start and once the topic was deleted.
//
// Guards: the errors of openTopic.
func TestTopicWithoutClient(t *testing.T) {
	t.Parallel()
	c, s := opened(t)
	o := topicOptions(c)
	o.ClientOpts = []kgo.Opt{kgo.SeedBrokers("localhost:none")}
	f := func(what string, err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), "brokers: ") {
			t.Fatalf("%s: %v", what, err)
		}
	}
	_, err := Open(t.Context(), o)
	f("open", err)
	_, _, err = ReadTopic(t.Context(), policyTopic, o.ClientOpts, nil)
	f("read", err)
	s.o.ClientOpts = o.ClientOpts
	f("reopen", s.reopenTopic(kerr.UnknownTopicID))
	if err := errors.Join(c.DeleteTopic(policyTopic), c.CreateTopic(policyTopic, 1, nil)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	f("run", s.Run(ctx))
}
