package processor

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/processor/processortest"
)

// leaveOpen begins a transaction that nobody ends.
func leaveOpen(t *testing.T, c *processortest.Cluster, transactionalID string, timeout time.Duration) *kgo.Client {
	t.Helper()
	client := c.Client(kgo.TransactionalID(transactionalID), kgo.TransactionTimeout(timeout))
	if err := client.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: alertTopic, Value: []byte("left open")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	return client
}

// transactionState returns what the broker says of a transaction.
func transactionState(t *testing.T, c *processortest.Cluster, id string) string {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	described, err := kadm.NewClient(client).DescribeTransactions(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return described[id].State
}

// joinAs makes a member of the group, under an instance id.
func joinAs(t *testing.T, c *processortest.Cluster, group, instanceID string) {
	t.Helper()
	other, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.ConsumerGroup(group), kgo.ConsumeTopics(inputTopic),
		kgo.Balancers(kgo.CooperativeStickyBalancer()), kgo.InstanceID(instanceID))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(other.CloseAllowingRebalance)
	c.Eventually("a member", func() bool { id, generation := other.GroupMetadata(); return id != "" && generation >= 0 })
}

// What a dead member left open is aborted long before its timeout. Those of other programs are not.
//
// Guard: memberOf in list.
func TestLeftovers(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	o, began, release := exactlyOnce(c), make(chan struct{}, 1), make(chan struct{})
	o.TransactionTimeout = time.Minute
	r := start(t, o, holding(func(*detection.Record) {
		began <- struct{}{}
		select {
		case <-release:
		case <-t.Context().Done():
		}
	}))
	c.ProduceValues(inputTopic, 1, "alert 1")
	<-began
	gone, foreign := TransactionalID(o.Group, "gone", 0), o.Group+"-of-others"
	leaveOpen(t, c, foreign, time.Minute)
	leaveOpen(t, c, gone, time.Minute)
	c.Eventually("aborted", func() bool { return transactionState(t, c, gone) != "Ongoing" })
	if state := transactionState(t, c, foreign); state != "Ongoing" {
		t.Errorf("the transaction of another program is %s", state)
	}
	close(release)
	c.Eventually("committed", func() bool { return committedToEnd(c, 1) })
	r.mustStop()
	if got := r.tally.Snapshot(); got.Aborted != 0 {
		t.Errorf("%d transactions of a living member aborted", got.Aborted)
	}
}

// A transaction of a member that is in the group is left alone until its timeout, however long it has been open.
//
// Guard: members in abort.
func TestLeftoverOfLivingMember(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	o := exactlyOnce(c)
	o.TransactionTimeout = time.Minute
	r := start(t, o)
	joinAs(t, c, o.Group, "two-0")
	living, gone := TransactionalID(o.Group, "two", 0), TransactionalID(o.Group, "gone", 0)
	leaveOpen(t, c, living, time.Minute) // the older one: what aborts the other has seen it
	leaveOpen(t, c, gone, time.Minute)
	c.Eventually("aborted", func() bool { return transactionState(t, c, gone) != "Ongoing" })
	if state := transactionState(t, c, living); state != "Ongoing" {
		t.Errorf("the transaction of a living member is %s", state)
	}
	r.mustStop()
}

// A transaction that is older than its timeout is aborted although its member is in the group.
//
// Guard: overdue in abort.
func TestLeftoverOfMember(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	o := exactlyOnce(c)
	o.TransactionTimeout = 1500 * time.Millisecond
	var log lines
	o.Logger = log.logger()
	r := start(t, o)
	c.ProduceValues(inputTopic, 1, "alert 1")
	c.Eventually("at work", func() bool { return committedToEnd(c, 1) })
	joinAs(t, c, o.Group, "two-0")
	hung := TransactionalID(o.Group, "two", 0)
	leaveOpen(t, c, hung, time.Minute)
	c.Eventually("aborted", func() bool { return transactionState(t, c, hung) != "Ongoing" })
	r.mustStop()
	if log.count("left open") != 1 {
		t.Errorf("told %d times, want once", log.count("left open"))
	}
}

// A member that the group has forgotten joins again under the same instance id. A commit that still names the member it was
// is refused as if another process had taken over; it is aborted, and the session goes on.
//
// Guard: fencedByRejoining in end.
func TestFencedByRejoining(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	began, release := make(chan struct{}, 1), make(chan struct{}, 1)
	o, log := exactlyOnce(c), new(lines)
	o.Logger = log.logger()
	r := start(t, o, holding(func(*detection.Record) {
		began <- struct{}{}
		select {
		case <-release:
		case <-t.Context().Done():
		}
	}))
	c.ProduceValues(inputTopic, 1, "alert 1")
	<-began
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	forgotten := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.JoinGroup}, Err: kerr.UnknownMemberID, Count: 1})
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, Err: kerr.RebalanceInProgress, Count: 1})
	synced := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.SyncGroup}, Observe: true, Count: -1})
	for _, f := range []*kfake.FaultHandle{forgotten, synced} {
		if err := f.Wait(ctx, 1); err != nil {
			t.Fatal(err)
		}
	}
	fenced := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.TxnOffsetCommit}, Err: kerr.FencedInstanceID, Count: 1})
	close(release)
	c.Eventually("committed", func() bool { return committedToEnd(c, 1) })
	r.mustStop()
	if fenced.Hits() != 1 {
		t.Errorf("fenced %d times, want once", fenced.Hits())
	}
	if log.count("a session ended") > 0 { // it would restore its state, and count as trouble
		t.Errorf("a new session was made: %s", log.text.String())
	}
	if got := alertIDs(c.ReadAll(alertTopic)); len(got) != 1 {
		t.Errorf("%d alerts, want 1", len(got))
	}
}

// A group that does not tell its members is not one without any: all of their transactions would be aborted.
//
// Guards: the errors in members and of list in abort, and the first of end.
func TestUntoldMembers(t *testing.T) {
	p, _ := quietProcessor(t)
	client, err := p.newClient(t.Context(), "test")
	if err != nil {
		t.Fatal(err)
	}
	client.Close()
	l := &leftovers{p, client}
	_, err = l.members(t.Context())
	mustMention(t, err, "describing the group: ")
	mustMention(t, l.end(t.Context(), "regionwatch-one-0-11"), "describing it: ")
	ended, end := context.WithCancel(t.Context())
	end()
	if err := l.abort(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("%v after the end", err)
	}
}

// A broker that refuses to tell the members, or to abort, is heard: no transaction counts as aborted that is not.
//
// Guards: the group's error in members, the errors in abort, and the broker's in end.
func TestRefusedLeftover(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	id := TransactionalID(testGroup, "gone", 0)
	leaveOpen(t, c, id, time.Minute)
	joinAs(t, c, testGroup, "two-0")
	p, log := quietProcessor(t)
	l := &leftovers{p, c.Client()}
	if members, err := l.members(t.Context()); err != nil || !members["two-0"] {
		t.Errorf("members %v, %v", members, err)
	}
	untold := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.DescribeGroups}, Err: kerr.InvalidGroupID, Count: -1})
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, Err: kerr.TransactionalIDAuthorizationFailed, Count: -1})
	if _, err := l.members(t.Context()); !errors.Is(err, kerr.InvalidGroupID) {
		t.Errorf("the members: %v", err)
	}
	if err := l.end(t.Context(), id); !errors.Is(err, kerr.TransactionalIDAuthorizationFailed) || log.count("left open") != 0 {
		t.Errorf("the end: %v; told %d times", err, log.count("left open"))
	}
	var err error
	c.Eventually("it is old enough", func() bool { err = l.abort(t.Context()); return err != nil })
	if !errors.Is(err, kerr.InvalidGroupID) {
		t.Errorf("the members are not told, and %v", err)
	}
	untold.Remove()
	mustMention(t, l.abort(t.Context()), `aborting the transaction of "`+id, "TRANSACTIONAL_ID_AUTHORIZATION_FAILED")
	c.ControlKey(int16(kmsg.InitProducerID), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		return nil, errors.New("closed"), true
	})
	l.client = c.Client(kgo.RequestRetries(0))
	if err := l.end(t.Context(), id); err == nil {
		t.Error("no answer is no error")
	}
}

// As long as nothing is open, nothing but that is asked for.
//
// Guard: the first condition in abort.
func TestNoLeftover(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	p, _ := quietProcessor(t)
	l := &leftovers{p, c.Client()}
	requests := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.DescribeGroups, kmsg.ConsumerGroupDescribe, kmsg.ListTransactions}, Observe: true, Count: -1})
	if err := l.abort(t.Context()); err != nil || requests.Hits() != 1 {
		t.Errorf("%d requests, %v", requests.Hits(), err)
	}
}

// A transactional id of the group names its member. Any other names none.
//
// Guards: each term of memberOf.
func TestMemberOf(t *testing.T) {
	p := &Processor{o: Options{Group: "a-b", InstanceID: "one"}}
	for id, want := range map[string]string{
		TransactionalID("a-b", "one", 0): "one-0", TransactionalID("a-b", "one-1", 12): "one-1-12",
		TransactionalID("a", "b-one", 0): "", "a-b-one-0": "", "one-0-3": "", "": "", "a-b-3": "",
	} {
		if got := p.memberOf(id); got != want {
			t.Errorf("%q: %q, want %q", id, got, want)
		}
	}
	if instance, id := p.names(4); p.memberOf(id) != instance || instance != "one-4" {
		t.Errorf("%q has the id %q", instance, id)
	}
}

// How often it looks follows from the timeout, within bounds.
func TestLeftoverInterval(t *testing.T) {
	for timeout, want := range map[time.Duration]time.Duration{
		time.Second: 250 * time.Millisecond, 2500 * time.Millisecond: 250 * time.Millisecond, 5 * time.Second: 500 * time.Millisecond,
		20 * time.Second: 2 * time.Second, time.Minute: 2 * time.Second,
	} {
		l := &leftovers{p: &Processor{o: Options{TransactionTimeout: timeout}}}
		if got := l.interval(); got != want {
			t.Errorf("timeout %v: %v, want %v", timeout, got, want)
		}
	}
}

// All that was left open is aborted, and each request names the producer, so that a newer one of the same id is not cut off.
//
// Guards: the error of end in abort, and the producer in end.
func TestAllLeftovers(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	p, log := quietProcessor(t)
	l := &leftovers{p, c.Client()}
	ids := []string{TransactionalID(testGroup, "gone", 0), TransactionalID(testGroup, "gone", 1)}
	joinAs(t, c, testGroup, "two-0")
	for _, id := range ids {
		leaveOpen(t, c, id, time.Minute)
	}
	described, err := kadm.NewClient(l.client).DescribeTransactions(t.Context(), ids...)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	named := map[string]int64{}
	c.ControlKey(int16(kmsg.InitProducerID), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		req := r.(*kmsg.InitProducerIDRequest)
		mu.Lock()
		defer mu.Unlock()
		named[*req.TransactionalID] = req.ProducerID
		return nil, nil, false
	})
	c.Eventually("both are aborted", func() bool {
		if err := l.abort(t.Context()); err != nil {
			t.Fatal(err)
		}
		return log.count("left open") == len(ids)
	})
	mu.Lock()
	defer mu.Unlock()
	for _, id := range ids {
		if producer, ok := named[id]; !ok || producer != described[id].ProducerID {
			t.Errorf("%s: the request names producer %d: %t, want %d", id, producer, ok, described[id].ProducerID)
		}
	}
}

// Only what is open and ours is looked for, with few answers from a large cluster. Brokers that cannot tell how old a transaction
// is have none.
//
// Guards: the request and the version in list.
func TestListLeftovers(t *testing.T) {
	t.Parallel()
	for version, want := range map[int16]map[string]bool{0: {}, 1: {TransactionalID(testGroup, "gone", 0): true}, 2: {TransactionalID(testGroup, "gone", 0): true}} {
		versions := kversion.Stable()
		versions.SetMaxKeyVersion(int16(kmsg.ListTransactions), version)
		c := newCluster(t, 1, kfake.MaxVersions(versions))
		c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.ListTransactions}, Observe: true, Count: -1, When: func(r kmsg.Request) bool {
			req := r.(*kmsg.ListTransactionsRequest)
			pattern := req.TransactionalIDPattern
			if !slices.Equal(req.StateFilters, []string{"Ongoing"}) || version >= 2 && (pattern == nil || *pattern != "^"+testGroup+"-.*") {
				t.Errorf("version %d: %+v", version, req)
			}
			return true
		}})
		leaveOpen(t, c, TransactionalID(testGroup, "gone", 0), time.Minute)
		leaveOpen(t, c, "of-others", time.Minute)
		p, _ := quietProcessor(t)
		l := &leftovers{p, c.Client()}
		if got, err := l.list(t.Context(), 0); err != nil || !maps.Equal(got, want) {
			t.Errorf("version %d: %v, %v, want %v", version, got, err, want)
		}
	}
}

// What is not open any more is left alone: aborting it would cut off its producer. One that ends meanwhile is no error, and is not
// said to have been aborted by us.
//
// Guards: each condition in end.
func TestEndLeftover(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		open  bool
		fault *kerr.Error // of the broker that is asked to abort it
		asked int
		told  int
	}{
		"open":        {open: true, asked: 1, told: 1},
		"being ended": {open: true, fault: kerr.ConcurrentTransactions, asked: 1, told: 1},
		"fenced":      {open: true, fault: kerr.ProducerFenced, asked: 1},
		"a newer one": {open: true, fault: kerr.InvalidProducerEpoch, asked: 1},
		"committed":   {},
	} {
		cluster, id := newCluster(t, 1), TransactionalID(testGroup, "gone", 0)
		client := leaveOpen(t, cluster, id, time.Minute)
		if !c.open {
			if err := client.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
				t.Fatal(err)
			}
		}
		p, log := quietProcessor(t)
		asked := cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, Observe: c.fault == nil, Err: c.fault, Count: 1})
		if err := (&leftovers{p, cluster.Client(kgo.RequestRetries(0))}).end(t.Context(), id); err != nil || asked.Hits() != c.asked || log.count("left open") != c.told {
			t.Errorf("%s: %v; asked %d times, told %d times, want %d and %d", name, err, asked.Hits(), log.count("left open"), c.asked, c.told)
		}
	}
}
