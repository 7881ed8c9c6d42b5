package processor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/plain"

	"github.com/regionwatch/regionwatch/processor/output"
	"github.com/regionwatch/regionwatch/processor/processortest"
	"github.com/regionwatch/regionwatch/processor/retry"
)

// Missing topics end Run with their names and a remedy, unless they are to be created.
func TestMissingTopics(t *testing.T) {
	t.Parallel()
	c := processortest.New(t, kfake.SeedTopics(1, inputTopic), kfake.GroupMinSessionTimeout(time.Second))
	r := start(t, testOptions(c))
	mustMention(t, r.refused(c), `"`+alertTopic+`"`, `"`+deadLetterTopic+`"`, "--create-topics")

	o := testOptions(c)
	o.CreateTopics, o.Partitions, o.Replicas = true, 3, 1
	start(t, o)
	c.ProduceValues(inputTopic, 1, "alert 1")
	c.Read(alertTopic, 1)
	if got := len(c.PartitionInfos(alertTopic)); got != 3 {
		t.Errorf("%d partitions were made, want 3", got)
	}
}

// One missing topic is enough to end Run, and is the only one that is named.
func TestMissingTopic(t *testing.T) {
	t.Parallel()
	for _, missing := range []string{inputTopic, alertTopic, deadLetterTopic} {
		t.Run(missing, func(t *testing.T) {
			t.Parallel()
			seeds := []kfake.Opt{kfake.GroupMinSessionTimeout(time.Second)}
			for _, topic := range []string{inputTopic, alertTopic, deadLetterTopic} {
				if topic != missing {
					seeds = append(seeds, kfake.SeedTopics(1, topic))
				}
			}
			c := processortest.New(t, seeds...)
			mustMention(t, start(t, testOptions(c)).refused(c), `missing topic "`+missing+`": create`)
		})
	}
}

// A topic created a moment ago is not missing: brokers learn of it one after another.
//
// Guard: topicPatience in topics.Check.
func TestTopicMadeJustNow(t *testing.T) {
	t.Parallel()
	c := processortest.New(t, kfake.SeedTopics(1, inputTopic, deadLetterTopic), kfake.GroupMinSessionTimeout(time.Second))
	looked := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Observe: true, Count: -1})
	start(t, testOptions(c))
	c.Eventually("looked for", func() bool { return looked.Hits() > 0 })
	if err := c.CreateTopic(alertTopic, 1, nil); err != nil {
		t.Fatal(err)
	}
	c.ProduceValues(inputTopic, 1, "alert 1")
	c.Read(alertTopic, 1)
}

// A pattern without matches waits and logs that. When a topic appears, it is read from its first record.
//
// Guard: reportMatching, for the warning.
func TestPatternWaits(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	var log lines
	o := testOptions(c)
	o.Logger = log.logger()
	o.InputTopics, o.InputPattern, o.Start = []string{"^trail-.*"}, true, Start{Latest: true}
	o.ClientOpts = []kgo.Opt{kgo.MetadataMaxAge(300 * time.Millisecond)}
	r := start(t, o)
	c.Eventually("waiting", func() bool { return r.consumer.Load() != nil })
	c.Eventually("told", func() bool { return log.count("no topic matches the input pattern") == 1 })
	if err := c.CreateTopic("trail-1", 1, nil); err != nil {
		t.Fatal(err)
	}
	c.ProduceValues("trail-1", 1, "alert 1")
	c.Read(alertTopic, 1)
}

// Run waits for unreachable brokers and logs that in one line. Ready reports it too.
func TestBrokerUnreachable(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	d := &distrusting{reason: refused} // another process could take a port that nothing listens on
	var log lines
	o := testOptions(c)
	o.Logger, o.ClientOpts = log.logger(), []kgo.Opt{kgo.Dialer(d.dial)}
	r := start(t, o)
	c.Eventually("told", func() bool { return log.count("do not answer") > 0 })
	before := d.asked.Load()
	c.Eventually("several attempts", func() bool { return d.asked.Load() >= before+3 })
	if got := log.count("level=WARN"); got != 1 {
		t.Errorf("%d warnings, want one", got)
	}
	mustMention(t, r.Ready(), "waiting for the brokers")

	d.set(nil)
	c.Eventually("ready", func() bool { return r.Ready() == nil })
	c.ProduceValues(inputTopic, 1, "alert 1")
	c.Read(alertTopic, 1)
	r.mustStop()
	mustMention(t, r.Ready(), "stopped")
}

// Canceling the wait for brokers returns no error: there is nothing to drain.
func TestStopWhileUnreachable(t *testing.T) {
	t.Parallel()
	if err := start(t, optionsFor("127.0.0.1:1")).stop(); err != nil {
		t.Errorf("Run: %v", err)
	}
}

// A second Run is refused: it would use what the first one uses.
func TestRunsOnce(t *testing.T) {
	p, _ := quietProcessor(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Run(ctx); err != nil {
		t.Errorf("the first time: %v", err)
	}
	mustMention(t, p.Run(ctx), "runs once")
}

// A step that no broker answered has not been taken, and says what it wanted.
//
// Guards: the errors in connect, checkInput and both that learn limits.
func TestStepsFail(t *testing.T) {
	p, _ := quietProcessor(t, withStage)
	client, err := p.newClient(t.Context(), "test")
	if err != nil {
		t.Fatal(err)
	}
	client.Close()
	admin := kadm.NewClient(client)
	mustMention(t, p.connect(t.Context(), admin), `connecting to brokers ["127.0.0.1:1"]: `)
	mustMention(t, p.checkInput(t.Context(), admin), "fetching the committed offsets of group")
	mustMention(t, p.learnLimits(t.Context(), admin), "describing topics: ")
	d, err := NewRedecider(p.o)
	if err != nil {
		t.Fatal(err)
	}
	mustMention(t, d.LearnLimits(t.Context(), admin), "describing topics: ")
}

// A step that is stopped while it waits for brokers, or that fails for good, has not been taken: no member may join before
// all are.
//
// Guards: each error in retry.
func TestStopBetweenAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := quietProcessor(t)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(retry.Backoff(1)/2, cancel)
		for _, when := range []string{"between attempts", "in one"} {
			if err := p.retry(ctx, func(context.Context) error { return io.EOF }); !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v, want that it was stopped", when, err)
			}
		}
		refusal := errors.New("for good")
		if err := p.retry(t.Context(), func(context.Context) error { return refusal }); !errors.Is(err, refusal) {
			t.Errorf("%v, want %v", err, refusal)
		}
	})
}

// The wait for brokers begins with one line in the log, and ends with one. Without a wait there is none. Each attempt waits longer.
//
// Guards: the log lines in retry, and when; its wait.
func TestBrokersAnswer(t *testing.T) {
	for fails, want := range map[int]time.Duration{0: 0, 1: 100 * time.Millisecond, 3: 700 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			p, log := quietProcessor(t)
			left, told, began := fails, min(fails, 1), time.Now()
			if err := p.retry(t.Context(), func(context.Context) error {
				if left--; left >= 0 {
					return io.EOF
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			if log.count("level=WARN msg=\"the brokers do not answer") != told || log.count("level=INFO msg=\"the brokers answer\"") != told {
				t.Errorf("after %d failures: %s", fails, log.text.String())
			}
			if waited := time.Since(began); waited != want {
				t.Errorf("after %d failures it has waited %v, want %v", fails, waited, want)
			}
		})
	}
}

// open is a hook that counts the clients that are not closed, by id.
type open struct {
	mu      sync.Mutex
	clients map[string]int
}

func (o *open) add(client *kgo.Client, n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.clients == nil {
		o.clients = make(map[string]int)
	}
	o.clients[fmt.Sprint(client.OptValue(kgo.ClientID))] += n
}

func (o *open) OnNewClient(client *kgo.Client) { o.add(client, 1) }

func (o *open) OnClientClosed(client *kgo.Client) { o.add(client, -1) }

// What only the start needs, it closes: connections to brokers must not stay open for the life of the process. What it learns of
// the brokers, it keeps.
//
// Guards: Close in start and checkInput; what connect keeps and says.
func TestStartClosesItsClients(t *testing.T) {
	t.Parallel()
	c, hook := newCluster(t, 1, kfake.NumBrokers(3)), new(open)
	o := stagedOptions(c, "one", &ledger{})
	o.ClientOpts = []kgo.Opt{kgo.WithHooks(hook)}
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	c.Produce(toPartition(0, "1")...)
	if err := p.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, ok := hook.clients["regionwatch-start"]; n != 0 || !ok {
		t.Errorf("clients are open: %v", hook.clients)
	}
	if p.brokers != 3 {
		t.Errorf("%d brokers, want 3", p.brokers)
	}
	if err := p.connect(t.Context(), kadm.NewClient(c.Client())); err != nil {
		t.Fatal(err)
	}
	mustMention(t, p.Ready(), "looking at the topics")
}

// An authorization failure ends Run with the name of what was refused and how we authenticated.
func TestAuthorization(t *testing.T) {
	t.Parallel()
	allow := func(resource kmsg.ACLResourceType, name string) kfake.ACL {
		return kfake.ACL{Resource: resource, Name: name, Pattern: kmsg.ACLResourcePatternTypeLiteral, Operation: kmsg.ACLOperationAll, Allow: true}
	}
	all := map[string]kfake.ACL{
		inputTopic:                           allow(kmsg.ACLResourceTypeTopic, inputTopic),
		alertTopic:                           allow(kmsg.ACLResourceTypeTopic, alertTopic),
		deadLetterTopic:                      allow(kmsg.ACLResourceTypeTopic, deadLetterTopic),
		testGroup:                            allow(kmsg.ACLResourceTypeGroup, testGroup),
		TransactionalID(testGroup, "one", 0): allow(kmsg.ACLResourceTypeTransactionalId, testGroup+"-one-0"),
	}
	for _, delivery := range []Delivery{AtLeastOnce, ExactlyOnce} {
		for refused := range all {
			if delivery == AtLeastOnce && refused == TransactionalID(testGroup, "one", 0) {
				continue
			}
			t.Run(delivery.String()+", "+refused, func(t *testing.T) {
				t.Parallel()
				var acls []kfake.ACL
				for name, acl := range all {
					if name != refused {
						acls = append(acls, acl)
					}
				}
				c := processortest.New(t, kfake.SeedTopics(1, inputTopic, alertTopic, deadLetterTopic), kfake.EnableSASL(), kfake.EnableACLs(),
					kfake.Superuser("PLAIN", "admin", "admin"), kfake.User("PLAIN", "us", "secret-word", acls...))
				admin, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.SASL(plain.Auth{User: "admin", Pass: "admin"}.AsMechanism()))
				if err != nil {
					t.Fatal(err)
				}
				defer admin.Close()
				if err := admin.ProduceSync(t.Context(), &kgo.Record{Topic: inputTopic, Value: []byte("alert 1")}).FirstErr(); err != nil {
					t.Fatal(err)
				}
				o := testOptions(c)
				o.SessionTimeout = DefaultSessionTimeout
				o.Delivery, o.InstanceID, o.Sessions = delivery, "one", 1
				o.ClientOpts = []kgo.Opt{kgo.SASL(plain.Auth{User: "us", Pass: "secret-word"}.AsMechanism())}
				err = start(t, o).refused(c)
				mustMention(t, err, "AUTHORIZATION_FAILED", "PLAIN", refused)
			})
		}
	}
}

// A wrong password ends Run with the mechanism but never the password. The embedded broker hangs up where a real one
// answers, so the test injects the answer.
func TestAuthentication(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1, kfake.EnableSASL())
	c.ControlKey(int16(kmsg.SASLAuthenticate), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		resp := req.ResponseKind().(*kmsg.SASLAuthenticateResponse)
		resp.ErrorCode = kerr.SaslAuthenticationFailed.Code
		return resp, nil, true
	})
	o := testOptions(c)
	o.ClientOpts = []kgo.Opt{kgo.SASL(plain.Auth{User: "us", Pass: "secret-word"}.AsMechanism())}
	err := start(t, o).refused(c)
	mustMention(t, err, "SASL_AUTHENTICATION_FAILED", "PLAIN")
	if contains := hasText(&kgo.Record{Value: []byte(err.Error())}, "secret-word"); contains {
		t.Errorf("the error has the password: %v", err)
	}
}

// Until a broker answers, Ready says that we are connecting.
//
// Guard: Waiting in start.
func TestConnecting(t *testing.T) {
	t.Parallel()
	dialed := make(chan struct{}, 100)
	o := optionsFor("127.0.0.1:1")
	o.ClientOpts = []kgo.Opt{kgo.Dialer(func(ctx context.Context, _, _ string) (net.Conn, error) {
		dialed <- struct{}{}
		<-ctx.Done()
		return nil, ctx.Err()
	})}
	r := start(t, o)
	<-dialed
	mustMention(t, r.Ready(), "connecting to the brokers")
}

// A processor whose metrics nobody would see is an error.
//
// Guard: the error of output.New in New.
func TestNewWithTakenMetrics(t *testing.T) {
	o := optionsFor("localhost:1")
	if _, err := output.New(output.Options{Registry: o.Registry}); err != nil {
		t.Fatal(err)
	}
	if _, err := New(o); err == nil || !strings.Contains(err.Error(), "registering metrics") {
		t.Errorf("%v", err)
	}
}
