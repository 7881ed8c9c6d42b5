package processor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/processor/flow"
	"github.com/regionwatch/regionwatch/processor/processortest"
	"github.com/regionwatch/regionwatch/processor/progress"
	"github.com/regionwatch/regionwatch/processor/retry"
)

func exactlyOnce(c *processortest.Cluster) Options {
	o := testOptions(c)
	o.Delivery, o.InstanceID, o.Sessions = ExactlyOnce, "one", 1
	return o
}

// A session whose context ends before it has its transactional id ends without an error.
//
// Guard: the context in run.
func TestRunEndsBeforeItHasItsID(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := quietSession(t).run(ctx); err != nil {
		t.Error(err)
	}
}

// Each fetch carries the rack, which brokers use to choose the replica.
func TestRack(t *testing.T) {
	t.Parallel()
	eachDelivery(t, func(t *testing.T, options func(*processortest.Cluster) Options) {
		c := newCluster(t, 1)
		var rack atomic.Value
		c.ControlKey(int16(kmsg.Fetch), func(req kmsg.Request) (kmsg.Response, error, bool) {
			c.KeepControl()
			rack.Store(req.(*kmsg.FetchRequest).Rack)
			return nil, nil, false
		})
		o := options(c)
		o.Rack = "zone-b"
		start(t, o)
		c.Eventually("fetched", func() bool { return rack.Load() == "zone-b" })
	})
}

// No two instances, in any groups, share a transactional id, and ACLs can allow a group's ids by prefix.
//
// Guard: the length of the group's name.
func TestTransactionalID(t *testing.T) {
	t.Parallel()
	seen := make(map[string]string)
	for _, names := range [][2]string{{"a", "b-c"}, {"a-b", "c"}, {"a", "b-c-0"}, {"a-b-c", "0"}, {"a", "b"}, {"a-b", "0-1"}} {
		for k := range 12 {
			id, who := TransactionalID(names[0], names[1], k), fmt.Sprint(names, k)
			if other, ok := seen[id]; ok {
				t.Errorf("%s is the id of %s and of %s", id, other, who)
			}
			if seen[id] = who; !strings.HasPrefix(id, names[0]+"-") {
				t.Errorf("%s does not begin with the group %s", id, names[0])
			}
		}
	}
}

// A member belongs to the instance whose name it has, with or without the number of its session, if it is one of ours.
//
// Guards: each line of InstanceOf.
func TestInstanceOf(t *testing.T) {
	for _, c := range []struct {
		client, member, want string
		ours                 bool
	}{
		{clientID + "-0", "one-0", "one", true}, {clientID + "-1", "one-1", "one", true}, {clientID, "one", "one", true}, {clientID + "-1", "one-0", "one-0", true},
		{"stranger", "one-0", "", false},
	} {
		if got, ours := InstanceOf(c.client, c.member); got != c.want || ours != c.ours {
			t.Errorf("%s of %s: %q, %t, want %q, %t", c.member, c.client, got, ours, c.want, c.ours)
		}
	}
}

// A transaction aborted by a rebalance or a temporary error is not a fault: its records are read again, and every alert is
// committed once.
//
// Guard: end returns nil where End returned (false, nil).
func TestAbortedTransactionGoesOn(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]kfake.Fault{
		"rebalance":          {Keys: []kmsg.Key{kmsg.TxnOffsetCommit}, Err: kerr.RebalanceInProgress, Count: 3},
		"generation":         {Keys: []kmsg.Key{kmsg.TxnOffsetCommit}, Err: kerr.IllegalGeneration, Count: 2},
		"end is unknown":     {Keys: []kmsg.Key{kmsg.EndTxn}, Err: kerr.UnknownServerError, Count: 2},
		"offsets forbidden":  {Keys: []kmsg.Key{kmsg.TxnOffsetCommit}, Err: kerr.InvalidTxnState, Count: 1},
		"producer timed out": {Keys: []kmsg.Key{kmsg.Produce}, Topic: alertTopic, Err: kerr.InvalidProducerEpoch, Count: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t, 1)
			f := c.Fault(fault)
			r := start(t, exactlyOnce(c))
			c.ProduceValues(inputTopic, 1, values(20, "alert %d")...)
			c.Eventually("all committed", func() bool { return committedToEnd(c, 1) })
			r.mustStop()
			if f.Hits() == 0 {
				t.Fatal("the fault was never met")
			}
			if got := r.tally.Snapshot(); got.Aborted == 0 || got.Abandoned == 0 {
				t.Errorf("%d transactions aborted and %d records returned, want some", got.Aborted, got.Abandoned)
			}
			for id, times := range alertIDs(c.ReadAll(alertTopic)) {
				if times != 1 {
					t.Errorf("alert %s stands %d times", id, times)
				}
			}
		})
	}
}

// busy is a hook that leaves the first transactional client in a transaction, so that it cannot begin one.
type busy struct {
	client atomic.Pointer[kgo.Client]
	once   sync.Once
}

// OnNewClient implements kgo.HookNewClient.
func (b *busy) OnNewClient(client *kgo.Client) {
	if id, _ := client.OptValue(kgo.TransactionalID).(string); id != "" {
		b.client.CompareAndSwap(nil, client)
	}
}

// OnBrokerRead implements kgo.HookBrokerRead: the client that fetches has its transactional id.
func (b *busy) OnBrokerRead(_ kgo.BrokerMetadata, key int16, _ int, _, _ time.Duration, _ error) {
	if client := b.client.Load(); client != nil && key == int16(kmsg.Fetch) {
		b.once.Do(func() { _ = client.BeginTransaction() })
	}
}

// What was polled for a transaction that cannot begin is read again by a new session.
//
// Guard: transact returns the error of Begin.
func TestTransactionThatDoesNotBegin(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	var log lines
	o := exactlyOnce(c)
	o.Logger, o.ClientOpts = log.logger(), []kgo.Opt{kgo.WithHooks(new(busy))}
	c.ProduceValues(inputTopic, 1, values(20, "alert %d")...)
	r := start(t, o)
	c.Eventually("all committed", func() bool { return committedToEnd(c, 1) })
	r.mustStop()
	if got := r.tally.Snapshot(); log.count("beginning transaction") == 0 || got.Abandoned != 20 {
		t.Errorf("%d records returned, want 20; told %d times", got.Abandoned, log.count("beginning transaction"))
	}
	if got := alertIDs(c.ReadAll(alertTopic)); len(got) != 20 {
		t.Errorf("%d alerts, want 20", len(got))
	}
}

// A heartbeat of our own names the static member: for another one the group would not say that we were replaced.
// What it says, or that it does not answer, is not lost.
//
// Guards: each field and error in beat, which isMember and replaced heed; errReplaced in verdict.
func TestBeat(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	o := exactlyOnce(c)
	o.ClientOpts = []kgo.Opt{kgo.HeartbeatInterval(o.SessionTimeout - time.Second)} // the client's own come too late, but for the first
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	stop, err := p.topics.Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	const generation = 77
	var seen atomic.Pointer[kmsg.HeartbeatRequest]
	var own atomic.Bool
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, Observe: true, Count: -1, When: func(req kmsg.Request) bool {
		if beat := req.(*kmsg.HeartbeatRequest); beat.Generation == generation {
			seen.Store(beat)
		} else {
			own.Store(true)
		}
		return true
	}})
	s, err := newSession(t.Context(), p, 0, new(flow.Portion))
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	c.Eventually("in the group", func() bool { return len(p.health.Group()) == 1 })
	c.Eventually("the client's first heartbeat", own.Load)
	if err := s.beat(t.Context(), generation); !errors.Is(err, kerr.IllegalGeneration) {
		t.Errorf("%v, want that the generation is wrong", err)
	}
	if beat := seen.Load(); beat == nil || beat.Group != testGroup || beat.MemberID != p.health.Group()[0].ID || beat.InstanceID == nil || *beat.InstanceID != "one-0" {
		t.Errorf("%+v", beat)
	}
	c.Eventually("a member", func() bool { _, current := s.tx.Client().GroupMetadata(); return s.isMember(current) })
	if s.isMember(generation) {
		t.Error("a member in another generation")
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := s.beat(ended, generation); !errors.Is(err, context.Canceled) {
		t.Errorf("without an answer: %v", err)
	}
	newTransaction(s, false)
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, Err: kerr.FencedInstanceID, Count: -1})
	if err := s.verdict(kerr.ProducerFenced); !errors.Is(err, errReplaced) || errors.Is(err, retry.ErrRenew) {
		t.Errorf("%v, want that another process has taken over", err)
	}
}

// A second process with the same instance id takes over: the first one ends, says why and does not fight back.
//
// Guard: FencedInstanceID among the refusals, and replaced.
func TestFencing(t *testing.T) {
	t.Parallel()
	for _, delivery := range []Delivery{AtLeastOnce, ExactlyOnce} {
		t.Run(delivery.String(), func(t *testing.T) {
			t.Parallel()
			c := newCluster(t, 1)
			options := func() Options {
				o := exactlyOnce(c)
				o.Delivery = delivery
				return o
			}
			first := start(t, options())
			c.ProduceValues(inputTopic, 1, "alert 1")
			c.Eventually("the first is at work", func() bool { return committedToEnd(c, 1) })
			second := start(t, options())
			mustMention(t, first.wait(), "another process has taken over", `"one"`)
			c.ProduceValues(inputTopic, 1, "alert 2")
			c.Eventually("the second is at work", func() bool { return second.Status().Acked == 1 })
			select {
			case <-second.done:
				t.Errorf("the second ended too: %v", second.err)
			default:
			}
		})
	}
}

// After trouble with the brokers, the member that took our place in the group may be ourselves: we take the place back.
//
// Guard: fencedByItself.
func TestFencedByItself(t *testing.T) {
	t.Parallel()
	for _, delivery := range []Delivery{AtLeastOnce, ExactlyOnce} {
		t.Run(delivery.String(), func(t *testing.T) {
			t.Parallel()
			c := newCluster(t, 1)
			o, d := exactlyOnce(c), new(distrusting)
			o.Delivery = delivery
			o.ClientOpts = []kgo.Opt{kgo.Dialer(d.dial)}
			r := start(t, o)
			c.ProduceValues(inputTopic, 1, "alert 1")
			c.Eventually("at work", func() bool { return committedToEnd(c, 1) })

			d.set(verdict{errors.New("closed the connection"), false})
			c.Eventually("noticed", r.health.Troubled)
			f := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, Err: kerr.FencedInstanceID, Count: 1})
			d.set(nil)
			c.Eventually("fenced", func() bool { return f.Hits() == 1 })
			c.ProduceValues(inputTopic, 1, "alert 2")
			c.Eventually("at work again", func() bool { return committedToEnd(c, 1) })
			r.mustStop()
		})
	}
}

// An instance that is fenced repeatedly while brokers are in trouble, which one of several brokers may be for days, shares
// its instance id with another one: it ends, so that the other can work.
//
// Guard: maxRestarts in consume, and isFencing in runSession.
func TestFencedAgainAndAgain(t *testing.T) {
	t.Parallel()
	for _, delivery := range []Delivery{AtLeastOnce, ExactlyOnce} {
		t.Run(delivery.String(), func(t *testing.T) {
			t.Parallel()
			c := newCluster(t, 1)
			o := exactlyOnce(c)
			var log lines
			o.Delivery, o.SessionTimeout, o.Logger = delivery, 2*time.Second, log.logger()
			r := start(t, o, func(p *Processor) {
				p.health.Patience = time.Hour
				p.health.OnBrokerConnect(kgo.BrokerMetadata{}, 0, nil, io.EOF) // trouble
			})
			c.ProduceValues(inputTopic, 1, "alert 1")
			c.Eventually("at work", func() bool { return committedToEnd(c, 1) })
			c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, Err: kerr.FencedInstanceID, Count: -1})
			mustMention(t, r.wait(), "another process has taken over")
			if n := log.count("making a new"); n < maxRestarts {
				t.Errorf("it takes its place back %d times, want %d", n, maxRestarts)
			}
		})
	}
}

// A session that keeps failing permanently ends Run; it is not recreated forever.
//
// Guard: maxRestarts.
func TestSessionGivesUp(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.TxnOffsetCommit}, Err: kerr.OffsetMetadataTooLarge, Count: -1})
	var log lines
	o := exactlyOnce(c)
	o.Logger = log.logger()
	r := start(t, o)
	c.ProduceValues(inputTopic, 1, "alert 1")
	mustMention(t, r.wait(), "session 0", "OFFSET_METADATA_TOO_LARGE")
	if n := log.count("making a new one"); n < maxRestarts {
		t.Errorf("it was remade %d times, want %d", n, maxRestarts)
	}
	checkConservation(t, r.o.Registry)
}

// Records that the broker dropped before they were read are counted and logged; reading continues with what remains.
func TestRecordsDroppedByRetention(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	c.ProduceValues(inputTopic, 1, values(10, "alert %d")...)
	first := start(t, testOptions(c))
	c.Eventually("committed", func() bool { return committedToEnd(c, 1) })
	first.mustStop()
	c.ProduceValues(inputTopic, 1, values(10, "alert later-%d")...)
	if err := c.DeleteRecords(inputTopic, 0, 15); err != nil {
		t.Fatal(err)
	}
	var log lines
	o := testOptions(c)
	o.Logger = log.logger()
	second := start(t, o)
	c.Eventually("the rest is done", func() bool { return second.Status().Counts.Records == 5 })
	c.Eventually("the loss is counted", func() bool { return second.tally.Snapshot().Dropped == 5 })
	if log.count("level=ERROR") == 0 {
		t.Error("nothing was said of the loss")
	}
}

// Validation rejects combinations of settings that cannot work together.
func TestNewFailure(t *testing.T) {
	t.Parallel()
	good := func() Options {
		o := optionsFor("127.0.0.1:1")
		o.InstanceID = "one"
		return o
	}
	used := good()
	if _, err := New(used); err != nil {
		t.Fatal(err)
	}
	f := func(want string, change func(*Options)) {
		t.Helper()
		o := good()
		change(&o)
		_, err := New(o)
		mustMention(t, err, want)
	}
	f("Brokers", func(o *Options) { o.Brokers = nil })
	f("InputTopics", func(o *Options) { o.InputTopics = []string{""} })
	f("AlertTopic", func(o *Options) { o.AlertTopic = "" })
	f("Group", func(o *Options) { o.Group = "" })
	f("Policy", func(o *Options) { o.Policy = nil })
	f("would read the output topic", func(o *Options) { o.InputTopics = []string{alertTopic} })
	f("would read the output topic", func(o *Options) { o.InputPattern, o.InputTopics = true, []string{".*"} })
	f("error parsing regexp", func(o *Options) { o.InputPattern, o.InputTopics = true, []string{"("} })
	f("InstanceID", func(o *Options) { o.Delivery, o.InstanceID = ExactlyOnce, "" })
	f("DeliveryTimeout", func(o *Options) { o.DeliveryTimeout = o.RebalanceTimeout + time.Minute })
	f("do not fit into RebalanceTimeout 10s", func(o *Options) { o.RebalanceTimeout, o.DeliveryTimeout = 10*time.Second, 8*time.Second })
	f("TransactionTimeout", func(o *Options) { o.Delivery, o.TransactionTimeout = ExactlyOnce, time.Second })
	f("CommitInterval", func(o *Options) { o.CommitInterval = time.Millisecond })
	f("MaxRecordBytes", func(o *Options) { o.MaxRecordBytes = 100 })
	f("MaxBatchBytes", func(o *Options) { o.MaxBatchBytes = 1 })
	f("registering metrics", func(o *Options) { o.Registry = used.Registry })
	f("registering metrics", func(o *Options) {
		o.Registry.MustRegister(prometheus.NewCounter(prometheus.CounterOpts{Namespace: progress.Namespace, Name: "batch_duration_seconds"}))
	})
}
