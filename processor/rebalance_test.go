package processor

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/processor/flow"
)

// A rebalance storm: members join and leave continuously while records arrive. No alert may be missing, exactly once
// allows no duplicates, and each member's counts add up.
//
// Guards: the wait for every worker in stopWorkers, CommitMarkedOffsets in revoked, the loop that goes on after End
// returned (false, nil).
func TestRebalanceStorm(t *testing.T) {
	t.Parallel()
	for _, delivery := range []Delivery{AtLeastOnce, ExactlyOnce} {
		t.Run(delivery.String(), func(t *testing.T) {
			t.Parallel()
			const partitions, n, rounds = 6, 6000, 4
			c := newCluster(t, partitions)
			options := func(id string) Options {
				o := testOptions(c)
				o.Delivery, o.Sessions, o.DrainTimeout = delivery, 2, 50*time.Second // a busy machine drains slowly
				if delivery == ExactlyOnce {
					o.InstanceID = id
				}
				return o
			}
			slowly := holding(func(r *detection.Record) {
				if r.Offset%8 == 0 {
					time.Sleep(time.Millisecond) // so that rebalances hit work in flight
				}
			})
			steady := start(t, options("steady"), slowly)
			var produced sync.WaitGroup
			produced.Go(func() {
				for i := range rounds {
					c.ProduceValues(inputTopic, partitions, values(n, fmt.Sprintf("alert %d-%%d", i))...)
				}
			})
			for i := range rounds {
				guest := start(t, options(fmt.Sprintf("guest-%d", i)), slowly)
				c.Eventually("the guest has partitions", func() bool { return guest.Status().Assigned > 0 })
				read := steady.tally.Snapshot().Read + guest.tally.Snapshot().Read
				c.Eventually("records arrive", func() bool {
					return steady.tally.Snapshot().Read+guest.tally.Snapshot().Read > read || committedToEnd(c, partitions)
				})
				guest.mustStop()
			}
			produced.Wait()
			c.Eventually("all committed", func() bool { return committedToEnd(c, partitions) })
			steady.mustStop()

			ids := alertIDs(c.ReadAll(alertTopic))
			if len(ids) != rounds*n {
				t.Errorf("%d different alerts, want %d", len(ids), rounds*n)
			}
			if delivery == ExactlyOnce {
				for id, times := range ids {
					if times != 1 {
						t.Fatalf("alert %s came %d times", id, times)
					}
				}
			}
		})
	}
}

// Partitions whose decisions hang must not block another one: together they fill the room that the poll loop waits for,
// though none of them alone does.
//
// Guard: pauseStuck in flow.
func TestSlowPartitions(t *testing.T) {
	t.Parallel()
	const slow = 3
	c := newCluster(t, slow+1)
	release := make(chan struct{})
	r := start(t, testOptions(c), holding(func(d *detection.Record) {
		if d.Partition < slow {
			<-release
		}
	}))
	defer close(release)

	big := "pass " + randomText(400<<10)
	var records []*kgo.Record
	for i := range slow * (flow.QueuedBytes/2/len(big) - 1) {
		records = append(records, &kgo.Record{Topic: inputTopic, Partition: int32(i % slow), Value: []byte(big)})
	}
	c.Produce(records...)
	c.Eventually("the room is full", func() bool { return r.tally.Snapshot().Read > uint64(flow.QueuedBytes/len(big)) })
	const n = 300
	quick := make([]*kgo.Record, n)
	for i := range quick {
		quick[i] = &kgo.Record{Topic: inputTopic, Partition: slow, Value: fmt.Appendf(nil, "alert %d", i)}
	}
	c.Produce(quick...)
	c.Eventually("the quick partition is done", func() bool { return r.Status().Acked == n })
}

// A partition that was paused when it was revoked is not paused when it is assigned again.
//
// Guard: the resume in flow.close. The client keeps a pause across rebalances, and the partition would silently never be
// read again (#507, #1272).
func TestPauseEndsWithAssignment(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	release := make(chan struct{})
	r := start(t, testOptions(c), holding(func(*detection.Record) { <-release }))
	c.Eventually("assigned", func() bool { return r.Status().Assigned == 1 })
	big := "pass " + randomText(400<<10)
	c.ProduceValues(inputTopic, 1, slices.Repeat([]string{big}, 2*flow.QueuedBytes/len(big))...)
	consumer, tp := r.consumer.Load(), kadm.Partition{Topic: inputTopic, Partition: 0}
	paused := func() bool { return len(consumer.client.PauseFetchPartitions(nil)[inputTopic]) > 0 }
	c.Eventually("the partition is paused", paused)
	worker := consumer.worker(tp)
	worker.stop() // as the revoke will: it ends after the current record, far from an empty queue
	close(release)
	consumer.revoked(context.Background(), consumer.client, flow.AsMap(tp))
	if paused() {
		t.Error("still paused after it was revoked")
	}
}

// A poll that returns only an error blocks rebalances like any other (PR #1226): here the session is lost, the poll
// reports it, and the client must be allowed to rejoin.
//
// Guard: AllowRebalance on every path of pollAll.
func TestErrorPollAllowsRebalance(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	r := start(t, testOptions(c))
	c.Eventually("ready", func() bool { return r.Ready() == nil })
	lost := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, TopLevel: true, Err: kerr.UnknownMemberID})
	c.Eventually("the session is lost", func() bool { return lost.Hits() > 0 })
	c.ProduceValues(inputTopic, 1, "alert 1")
	c.Read(alertTopic, 1)
}

// Nothing is marked once a revoke has returned, however late the acknowledgements come. The next owner reads what was not
// done.
//
// Guard: the wait for w.done in stopWorkers. The background commit would commit a mark made after the revoke although the
// partition belongs to another member (redpanda-data/connect#4477).
func TestNoMarkAfterRevoke(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	entered, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	r := start(t, testOptions(c), holding(func(*detection.Record) {
		once.Do(func() { close(entered) })
		<-release
	}))
	c.ProduceValues(inputTopic, 1, values(10, "alert %d")...)
	<-entered

	consumer, told := r.consumer.Load(), r.told(0)
	revoked := make(chan struct{})
	go func() {
		defer close(revoked)
		consumer.revoked(context.Background(), consumer.client, map[string][]int32{inputTopic: {0}})
	}()
	<-told
	select {
	case <-revoked:
		t.Error("the revoke has returned while its worker was at work")
	case <-time.After(100 * time.Millisecond):
	}
	close(release)
	<-revoked
	if got := c.Committed(testGroup, inputTopic, 0); got > 1 {
		t.Errorf("committed %d: the worker went on after it was stopped", got)
	}
}

// A partition assigned twice keeps its worker (#658, #705). Losing or revoking one before it was assigned, or with an
// empty map, is harmless (#518).
//
// Guards: the nil checks in assigned and remove.
func TestAssignTwiceLoseUnknown(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	r := start(t, testOptions(c))
	c.Eventually("assigned", func() bool { return r.Status().Assigned == 1 })
	consumer, tp := r.consumer.Load(), kadm.Partition{Topic: inputTopic, Partition: 0}
	before := consumer.worker(tp)
	consumer.assigned(context.Background(), consumer.client, flow.AsMap(tp))
	if consumer.worker(tp) != before {
		t.Error("a second worker for the same partition; the first is leaked")
	}
	for _, m := range []map[string][]int32{nil, {}, {inputTopic: {7}}, {"other": {0}}} {
		consumer.lost(context.Background(), consumer.client, m)
		consumer.revoked(context.Background(), consumer.client, m)
	}
	c.ProduceValues(inputTopic, 1, "alert 1")
	c.Read(alertTopic, 1)
}

// Closing waits for a poll that is not followed by AllowRebalance (#187).
//
// Guard: AllowRebalance in pollAll, and CloseAllowingRebalance.
func TestStopWhilePolling(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	r := start(t, testOptions(c))
	c.ProduceValues(inputTopic, 1, "pass")
	c.Eventually("read", func() bool { return r.Status().Counts.Records == 1 })
	r.mustStop() // fails after DrainTimeout
}

// A worker whose partition is lost must abandon its batch before it is stopped: one that is just done would still mark what another
// member has by now.
//
// Guard: abandon in stopWorkers, without patience.
func TestLostIsAbandonedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // where what is only begun comes later
		p, _ := quietProcessor(t)
		w := &partition{queue: flow.NewQueue(), quit: make(chan struct{}), done: make(chan struct{})}
		c := &consumer{p: p, flow: flow.NewFlow(nil), workers: map[kadm.Partition]*partition{{Topic: inputTopic}: w}}
		w.c, w.tp = c, kadm.Partition{Topic: inputTopic}
		var before error
		abandoned := false
		w.abandon = func(error) { before, abandoned = w.stopped(), true }
		close(w.done)
		if c.lost(t.Context(), nil, map[string][]int32{inputTopic: {0}}); !abandoned || before != nil {
			t.Errorf("abandoned: %t; then it was %v", abandoned, before)
		}
	})
}
