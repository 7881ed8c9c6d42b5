package processor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/processor/processortest"
	"github.com/regionwatch/regionwatch/processor/retry"
)

// Draining has a deadline: if alerts are not acknowledged by then, Run returns an error that says what is left. Nothing is
// committed and nothing is lost.
//
// Guard: drainDeadline.
func TestDrainDeadline(t *testing.T) {
	t.Parallel()
	for _, delivery := range []Delivery{AtLeastOnce, ExactlyOnce} {
		t.Run(delivery.String(), func(t *testing.T) {
			t.Parallel()
			c := newCluster(t, 1)
			release := make(chan struct{})
			defer close(release)
			held := holdProduce(c, alertTopic, release)
			o := testOptions(c)
			o.Delivery, o.InstanceID, o.Sessions = delivery, "one", 1
			o.DrainTimeout = 300 * time.Millisecond
			r := start(t, o)
			c.ProduceValues(inputTopic, 1, "alert 1", "alert 2")
			c.Eventually("read", func() bool { return r.tally.Snapshot().Read == 2 })
			c.Eventually("on their way", func() bool { return held.Load() > 0 })
			err := r.stop()
			if !errors.Is(err, errDrain) {
				t.Fatalf("Run: %v, want that draining took too long", err)
			}
			mustMention(t, err, "2 records")
			if got := c.Committed(testGroup, inputTopic, 0); got != -1 {
				t.Errorf("committed %d, want nothing", got)
			}
			checkConservation(t, r.o.Registry)
		})
	}
}

// What ends after a failure drains no longer than what is stopped: Run returns both the failure and the deadline.
//
// Guard: drain in consume.
func TestDrainDeadlineAfterFailure(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	release := make(chan struct{})
	defer close(release)
	c.ControlKey(int16(kmsg.OffsetCommit), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		c.SleepControl(func() { <-release })
		return nil, nil, false
	})
	o := testOptions(c)
	o.DrainTimeout = 300 * time.Millisecond // commitTimeout is much longer
	r := start(t, o)
	c.ProduceValues(inputTopic, 1, "pass")
	c.Eventually("done", func() bool { return r.Status().Counts.Records == 1 })
	failure := errors.New("the disk is on fire")
	r.consumer.Load().fail(failure)
	if err := r.wait(); !errors.Is(err, failure) || !errors.Is(err, errDrain) {
		t.Errorf("%v, want the failure, and that draining took too long", err)
	}
}

// A static member that stops cleanly leaves the group at once, so others need not wait for its session to time out. One
// that is killed keeps its place.
//
// Guard: leave.
func TestStaticMemberLeaves(t *testing.T) {
	t.Parallel()
	for _, delivery := range []Delivery{AtLeastOnce, ExactlyOnce} {
		t.Run(delivery.String(), func(t *testing.T) {
			t.Parallel()
			c := newCluster(t, 2)
			o := testOptions(c)
			o.Delivery, o.InstanceID, o.Sessions = delivery, "one", 2
			o.SessionTimeout = time.Minute
			r := start(t, o)
			c.Eventually("ready", func() bool { return r.Ready() == nil })
			r.mustStop()
			if members := c.GroupInfo(testGroup).Members; len(members) != 0 {
				t.Errorf("%d members are left in the group", len(members))
			}
		})
	}
}

// A member that stops does not wait for a rebalance that waits for another member, which may be one that has stopped as well.
//
// Guards: end in session.close, the first abandon in closeConsumer.
func TestStopInRebalance(t *testing.T) {
	t.Parallel()
	eachDelivery(t, func(t *testing.T, options func(*processortest.Cluster) Options) {
		c := newCluster(t, 2)
		holder := c.Client(kgo.ConsumerGroup(testGroup), kgo.ConsumeTopics(inputTopic), kgo.Balancers(kgo.CooperativeStickyBalancer()),
			kgo.BlockRebalanceOnPoll(), kgo.RebalanceTimeout(time.Hour))
		defer holder.CloseAllowingRebalance()
		c.ProduceValues(inputTopic, 1, "pass")
		if err := holder.PollRecords(t.Context(), 1).Err(); err != nil { // it will not allow a rebalance
			t.Fatal(err)
		}
		joins := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.JoinGroup}, Observe: true, Count: -1})
		r := start(t, options(c))
		c.Eventually("it joins", func() bool { return joins.Hits() > 0 })
		r.mustStop()
	})
}

// Work in flight when Run is stopped is finished and committed, not discarded, however short the patience with a rebalance is.
//
// Guards: the patience in closeConsumer, and stop in consume.
func TestDrainFinishesWhatIsInFlight(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	entered, release := make(chan struct{}, 1), make(chan struct{})
	r := start(t, testOptions(c), holding(func(d *detection.Record) {
		if d.Offset == 0 {
			entered <- struct{}{}
			<-release
		}
	}), func(p *Processor) { p.revokePatience = 0 })
	c.ProduceValues(inputTopic, 1, "alert 1")
	<-entered
	told := r.told(0)
	r.cancel()
	<-told
	close(release)
	r.mustStop()
	if got := c.Committed(testGroup, inputTopic, 0); got != 1 {
		t.Errorf("committed %d, want 1", got)
	}
}

// A client that is made anew waits for acknowledgements as long as in a rebalance, not as long as at the end.
//
// Guard: the patience in closeConsumer.
func TestRenewedSoon(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	release := make(chan struct{})
	defer close(release)
	held := holdProduce(c, alertTopic, release)
	o := testOptions(c)
	o.DrainTimeout = time.Hour
	var log lines
	o.Logger = log.logger()
	r := start(t, o, func(p *Processor) { p.revokePatience = 0 })
	c.ProduceValues(inputTopic, 1, "alert 1")
	c.Eventually("on its way", func() bool { return held.Load() > 0 })
	first := r.consumer.Load()
	first.fail(fmt.Errorf("%w: as a test wants it", retry.ErrRenew))
	c.Eventually("made anew", func() bool { return r.consumer.Load() != first })
	if log.count("making a new client") != 1 {
		t.Error(log.text.String())
	}
	old := weak.Make(first)
	first = nil
	c.Eventually("nothing keeps the old one", func() bool { runtime.GC(); return old.Value() == nil })
}

// A member that is fenced while brokers are in trouble takes its place back, so often in a row, and waits in between. When it has
// held its place for long, the count begins anew.
//
// Guards: fails in consume.
func TestTakesItsPlaceBack(t *testing.T) {
	for held, want := range map[int]int{0: maxRestarts + 1, 2 * maxRestarts: maxRestarts} {
		synctest.Test(t, func(t *testing.T) {
			p, _ := quietProcessor(t, func(o *Options) {
				o.ClientOpts = []kgo.Opt{kgo.Dialer(func(context.Context, string, string) (net.Conn, error) { return nil, io.ErrUnexpectedEOF })}
			})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ended := make(chan error, 1)
			go func() { ended <- p.consume(ctx, ctx, func() {}) }()
			synctest.Wait()
			for range held {
				time.Sleep(p.health.Patience + 2*time.Second)
				p.consumer.Load().fail(kerr.FencedInstanceID)
			}
			time.Sleep(2 * time.Second)
			for n := 1; ; n++ {
				last := p.consumer.Load()
				last.fail(kerr.FencedInstanceID)
				if synctest.Wait(); p.consumer.Load() != last {
					t.Error("it does not wait before it comes back")
				}
				time.Sleep(1200 * time.Millisecond)
				if p.consumer.Load() != last {
					continue
				}
				if err := <-ended; n != want || !errors.Is(err, kerr.FencedInstanceID) {
					t.Errorf("after %d times that it held its place it ends the %dth time with %v, want the %dth", held, n, err, want)
				}
				return
			}
		})
	}
}

// What would make a new client is no error if Run is stopped meanwhile.
//
// Guard: renew in consume.
func TestStoppedWhileRenewed(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	r := start(t, testOptions(c))
	c.Eventually("ready", func() bool { return r.Ready() == nil })
	r.consumer.Load().fail(fmt.Errorf("%w: as a test wants it", retry.ErrRenew))
	r.mustStop()
}

// late is a hook that assigns a partition while the client is being closed.
type late struct{ assign func(*kgo.Client) }

func (l *late) OnClientClosed(client *kgo.Client) {
	if l.assign != nil {
		l.assign(client)
	}
}

// A partition that is assigned while the client is being closed has no worker afterwards, and nothing of the client goes on.
//
// Guards: the second abandon and the second stopWorkers in closeConsumer.
func TestAssignedLate(t *testing.T) {
	for _, instance := range []string{"", "one"} {
		hook := new(late)
		p, _ := quietProcessor(t, func(o *Options) { o.InstanceID, o.ClientOpts = instance, []kgo.Opt{kgo.WithHooks(hook)} })
		ctx, abandon := context.WithCancel(t.Context())
		c, err := newConsumer(ctx, p)
		if err != nil {
			t.Fatal(err)
		}
		var w *partition
		hook.assign = func(client *kgo.Client) {
			c.assigned(ctx, client, map[string][]int32{inputTopic: {0}})
			w = c.worker(kadm.Partition{Topic: inputTopic})
		}
		if p.closeConsumer(c, abandon, false); ctx.Err() == nil {
			t.Errorf("%q: what belongs to the client goes on", instance)
		}
		if w == nil || len(c.assignment()) > 0 {
			t.Fatalf("%q: %v is left of %v", instance, c.assignment(), w)
		}
		<-w.done
	}
}

// A member that ends leaves the group, unless its place is another process's by now, or it was given up.
//
// Guards: each term of leave.
func TestLeave(t *testing.T) {
	t.Parallel()
	given, giveUp := context.WithCancel(t.Context())
	giveUp()
	for name, c := range map[string]struct {
		ctx      context.Context
		instance string
		cause    error
		leaves   bool
	}{
		"at the end":          {t.Context(), "one", nil, true},
		"after another error": {t.Context(), "one", kerr.TopicAuthorizationFailed, true},
		"fenced":              {t.Context(), "one", fmt.Errorf("committing: %w", kerr.FencedInstanceID), false},
		"replaced":            {t.Context(), "one", fmt.Errorf("%w: %w", kerr.ProducerFenced, errReplaced), false},
		"dynamic":             {t.Context(), "", nil, false},
		"given up":            {given, "one", nil, false},
	} {
		cluster := newCluster(t, 1)
		o := testOptions(cluster)
		o.InstanceID = "one"
		var log lines
		var open connections
		o.Logger, o.ClientOpts = log.logger(), []kgo.Opt{kgo.WithHooks(&open)}
		p, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		joinAs(t, cluster, o.Group, "one")
		asked := cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.LeaveGroup}, Observe: true, Count: -1})
		p.leave(c.ctx, c.instance, c.cause)
		cluster.Eventually("no connection is left", func() bool { return open.Load() == 0 })
		if left := asked.Hits() > 0; left != c.leaves {
			t.Errorf("%s: it leaves %t, want %t", name, left, c.leaves)
		}
		if log.count("leaving the group") != 0 {
			t.Errorf("%s: %s", name, log.text.String())
		}
		if !c.leaves {
			continue
		}
		for told, refusal := range []*kerr.Error{kerr.UnknownMemberID, kerr.UnknownServerError} {
			refused := cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.LeaveGroup}, Err: refusal, Count: -1})
			p.leave(c.ctx, c.instance, c.cause)
			if refused.Remove(); log.count("leaving the group") != told {
				t.Errorf("%s, %v: %s", name, refusal, log.text.String())
			}
		}
		cluster.ControlKey(int16(kmsg.LeaveGroup), func(req kmsg.Request) (kmsg.Response, error, bool) {
			resp, member := req.ResponseKind().(*kmsg.LeaveGroupResponse), kmsg.NewLeaveGroupResponseMember()
			member.InstanceID, member.ErrorCode = &c.instance, kerr.FencedInstanceID.Code
			resp.Members = append(resp.Members, member)
			return resp, nil, true
		})
		if p.leave(c.ctx, c.instance, c.cause); log.count("FENCED_INSTANCE_ID") != 1 {
			t.Errorf("%s, refused for the member: %s", name, log.text.String())
		}
	}
}

// connections counts the open connections to brokers.
type connections struct{ atomic.Int64 }

func (n *connections) OnBrokerConnect(_ kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	if err == nil {
		n.Add(1)
	}
}

func (n *connections) OnBrokerDisconnect(kgo.BrokerMetadata, net.Conn) { n.Add(-1) }
