package processor

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/regionwatch/regionwatch/processor/retry"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/processor/processortest"
)

// distrusting is a dialer whose connections a test can make fail, such as for an authentication failure.
type distrusting struct {
	only    string       // address of the only broker affected; empty means all
	asked   atomic.Int64 // number of connection attempts
	refused atomic.Int64 // number of those that failed for reason

	mu     sync.Mutex
	reason error
	open   []net.Conn
}

// dial connects, or returns the reason why not.
func (d *distrusting) dial(ctx context.Context, network, address string) (net.Conn, error) {
	d.asked.Add(1)
	d.mu.Lock()
	defer d.mu.Unlock()
	about := d.only == "" || d.only == address
	if d.reason != nil && about {
		d.refused.Add(1)
		return nil, d.reason
	}
	c, err := new(net.Dialer).DialContext(ctx, network, address)
	if err == nil && about {
		d.open = append(d.open, c)
	}
	return c, err
}

// set closes the connections and makes new ones fail with reason; nil means they succeed.
func (d *distrusting) set(reason error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reason = reason
	for _, c := range d.open {
		_ = c.Close()
	}
	d.open = nil
}

// verdict is a dialer's error that says whether it is temporary.
type verdict struct {
	error
	refused bool
}

func (v verdict) Refused() bool   { return v.refused }
func (v verdict) Temporary() bool { return !v.refused }

// An error that the dialer calls permanent ends Run with its reason, at the start and later. Run waits out a temporary
// one.
//
// Guard: retry.IsAuthFailure asks the error.
func TestDistrust(t *testing.T) {
	t.Parallel()
	for _, delivery := range []Delivery{AtLeastOnce, ExactlyOnce} {
		t.Run(delivery.String(), func(t *testing.T) {
			t.Parallel()
			c := newCluster(t, 1)
			d := &distrusting{reason: verdict{errors.New("unknown authority"), true}}
			options := func() Options {
				o := testOptions(c)
				o.Delivery, o.InstanceID, o.Sessions = delivery, "one", 1
				o.ClientOpts = []kgo.Opt{kgo.Dialer(d.dial)}
				return o
			}
			mustMention(t, start(t, options()).wait(), "unknown authority")

			d.set(verdict{errors.New("closed the connection"), false})
			r := start(t, options(), func(p *Processor) { p.health.Patience = 3 * time.Second })
			c.Eventually("waiting", func() bool { return hasText(&kgo.Record{Value: []byte(r.Ready().Error())}, "closed the connection") })
			d.set(nil)
			c.Eventually("ready", func() bool { return r.Ready() == nil })
			d.set(verdict{errors.New("closed the connection"), false})
			c.ProduceValues(inputTopic, 1, "alert 1")
			d.set(nil)
			c.Read(alertTopic, 1)

			d.set(verdict{errors.New("certificate expired"), true})
			mustMention(t, r.wait(), "certificate expired")
		})
	}
}

// Run does not wait forever for an alert that was in flight when authentication began to fail: the client does nothing
// else before it is acknowledged, and it never is.
//
// Guard: health gives the clients up.
func TestDistrustInFlight(t *testing.T) {
	t.Parallel()
	for _, delivery := range []Delivery{AtLeastOnce, ExactlyOnce} {
		t.Run(delivery.String(), func(t *testing.T) {
			t.Parallel()
			c := newCluster(t, 1)
			release := make(chan struct{})
			held := holdProduce(c, alertTopic, release)
			d := new(distrusting)
			o := testOptions(c)
			o.Delivery, o.InstanceID, o.Sessions = delivery, "one", 1
			o.SessionTimeout, o.DrainTimeout = 500*time.Millisecond, 2*time.Minute
			o.ClientOpts = []kgo.Opt{kgo.Dialer(d.dial)}
			r := start(t, o)
			c.Eventually("ready", func() bool { return r.Ready() == nil })
			c.ProduceValues(inputTopic, 1, "alert 1")
			c.Eventually("on its way", func() bool { return held.Load() > 0 })
			d.set(verdict{errors.New("certificate expired"), true})
			mustMention(t, r.wait(), "certificate expired")

			close(release)
			d.set(nil)
			o.Registry = nil
			start(t, o)
			c.Read(alertTopic, 1)
		})
	}
}

// One broker with an authentication failure does not stop the work with the others. Its own partitions wait.
//
// Guard: silent in OnBrokerConnect. TestSilenceOfBrokers in progress has the times.
func TestDistrustOfOne(t *testing.T) {
	t.Parallel()
	for _, delivery := range []Delivery{AtLeastOnce, ExactlyOnce} {
		t.Run(delivery.String(), func(t *testing.T) {
			t.Parallel()
			c := newCluster(t, 2, kfake.NumBrokers(2))
			good := c.CoordinatorFor(testGroup)
			lead(t, c, good, inputTopic, 0)
			lead(t, c, 1-good, inputTopic, 1)
			lead(t, c, good, alertTopic, 0, 1)
			d := &distrusting{only: c.ListenAddrs()[1-good]}
			o := testOptions(c)
			o.Delivery, o.InstanceID, o.Sessions = delivery, "i", 1
			for c.CoordinatorFor(TransactionalID(testGroup, o.InstanceID, 0)) != good { // the transaction coordinator
				o.InstanceID += "i"
			}
			o.ClientOpts = []kgo.Opt{kgo.Dialer(d.dial)}
			r := start(t, o)
			c.Eventually("ready", func() bool { return r.Ready() == nil })

			d.set(verdict{errors.New("certificate expired"), true})
			c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, Err: kerr.NotCoordinator, Count: 8})
			n := 0
			for ; n < 10 || d.refused.Load() < 3; n++ {
				c.Produce(&kgo.Record{Topic: inputTopic, Partition: 0, Value: []byte("alert 1")}, &kgo.Record{Topic: inputTopic, Partition: 1, Value: []byte("alert 1")})
				c.Read(alertTopic, 1+n)
			}
			d.set(nil)
			c.Read(alertTopic, 2*n)
			r.mustStop()
		})
	}
}

// If the broker with the authentication failure coordinates the transactions, a session holds its partitions and cannot
// continue: Run ends.
//
// Guard: maxAsks, and maxRestarts whatever the reason.
func TestDistrustOfCoordinator(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 2, kfake.NumBrokers(2))
	o := testOptions(c)
	o.Delivery, o.InstanceID, o.Sessions = ExactlyOnce, "i", 1
	good := c.CoordinatorFor(testGroup)
	for c.CoordinatorFor(TransactionalID(testGroup, o.InstanceID, 0)) == good { // the transaction coordinator
		o.InstanceID += "i"
	}
	lead(t, c, good, inputTopic, 0, 1)
	lead(t, c, good, alertTopic, 0, 1)
	d := &distrusting{only: c.ListenAddrs()[1-good]}
	o.ClientOpts = []kgo.Opt{kgo.Dialer(d.dial)}
	r := start(t, o)
	c.Eventually("ready", func() bool { return r.Ready() == nil })
	d.set(verdict{errors.New("certificate expired"), true})
	c.ProduceValues(inputTopic, 2, "alert 1")
	mustMention(t, r.wait(), "transactional id", "certificate expired")
}

// A member that has nothing to do, or that the limit holds for an hour, also ends when the clients are given up.
//
// Guards: session.run looks at its own context and ends its waits with it; the cancel of consumer.run.
func TestDistrustIdle(t *testing.T) {
	t.Parallel()
	eachDelivery(t, func(t *testing.T, options func(*processortest.Cluster) Options) {
		for name, limit := range map[string]int{"idle": 0, "limited": 1} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				c := newCluster(t, 1)
				o := options(c)
				o.MaxRecordsPerSecond = limit
				r := start(t, o)
				c.Eventually("ready", func() bool { return r.Ready() == nil })
				if limit > 0 {
					c.ProduceValues(inputTopic, 1, values(10, "pass %d")...)
					c.Eventually("the limit holds", func() bool { return r.tally.Snapshot().Limited > 0 })
					r.pace.Spend(3600)
					before := r.tally.Snapshot().Limited
					c.Eventually("it holds for long", func() bool { return r.tally.Snapshot().Limited > before })
				}
				r.health.GiveUp(verdict{errors.New("certificate expired"), true})
				mustMention(t, r.wait(), "certificate expired")
			})
		}
	})
}

// A session that met a broker with an authentication failure is created again, and continues if other brokers accept it.
//
// Guard: retry.IsAuthFailure in session.verdict and in sessionError.
func TestDistrustRenews(t *testing.T) {
	t.Parallel()
	p, err := New(optionsFor("localhost:1"))
	if err != nil {
		t.Fatal(err)
	}
	refusal := verdict{errors.New("certificate expired"), true}
	if err := p.sessionError(&kgo.ErrGroupSession{Err: refusal}); err != nil {
		t.Errorf("%v, want the client to join again", err)
	}
	s := &session{p: p}
	if err := s.verdict(refusal); !errors.Is(err, retry.ErrRenew) {
		t.Errorf("%v, want a new session", err)
	}
}

// lead makes a node the leader of partitions.
func lead(t *testing.T, c *processortest.Cluster, node int32, topic string, partitions ...int32) {
	t.Helper()
	for _, p := range partitions {
		if err := c.MoveTopicPartition(topic, p, node); err != nil {
			t.Fatal(err)
		}
	}
}
