package processor

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/processor/processortest"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// Transaction markers at the end of a partition are not lag, and not a loss when retention removes them. The same holds
// for the records of an aborted transaction.
//
// Guard: KeepControlRecords, and IsControl in both engines.
func TestTransactionMarkers(t *testing.T) {
	t.Parallel()
	eachDelivery(t, func(t *testing.T, options func(*processortest.Cluster) Options) {
		c := newCluster(t, 1)
		producer := c.Client(kgo.TransactionalID("producer"), kgo.DefaultProduceTopic(inputTopic))
		transact := func(try kgo.TransactionEndTry, values ...string) {
			t.Helper()
			if err := producer.BeginTransaction(); err != nil {
				t.Fatal(err)
			}
			for _, v := range values {
				if err := producer.ProduceSync(t.Context(), kgo.StringRecord(v)).FirstErr(); err != nil {
					t.Fatal(err)
				}
			}
			if err := producer.EndTransaction(t.Context(), try); err != nil {
				t.Fatal(err)
			}
		}
		transact(kgo.TryCommit, "alert 1", "bad")
		r := start(t, options(c))
		c.Eventually("read", func() bool { return r.Status().Counts.Records == 2 })
		transact(kgo.TryAbort, "alert 2", "alert 3")
		c.Eventually("committed to the end", func() bool { return committedToEnd(c, 1) })
		c.Eventually("no lag", func() bool {
			s := processortest.Scrape(t, r.o.Registry)
			return s["regionwatch_lag_records"] == 0 && s["regionwatch_lag_seconds"] == 0
		})
		if err := c.DeleteRecords(inputTopic, 0, c.End(inputTopic, 0)); err != nil {
			t.Fatal(err)
		}
		transact(kgo.TryCommit, "alert 4")
		c.Eventually("read", func() bool { return r.Status().Counts.Records == 3 })
		totals := r.mustStop()
		if totals.Dropped != 0 || totals.Read != 3 {
			t.Errorf("%d dropped and %d read, want 0 and 3", totals.Dropped, totals.Read)
		}
	})
}

// A partition that cannot be read shows how many records wait in it, and for how long, before the first fetch.
//
// Guard: lag.assigned in adjustAll.
func TestUnreadablePartition(t *testing.T) {
	t.Parallel()
	eachDelivery(t, func(t *testing.T, options func(*processortest.Cluster) Options) {
		c := newCluster(t, 2)
		c.ProduceValues(inputTopic, 2, values(20, "alert %d")...)
		commitAs(t, c, testGroup, inputTopic, 4, "")
		c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Topic: inputTopic, Err: kerr.NotLeaderForPartition, Count: -1})
		r := start(t, options(c))
		c.Eventually("it shows", func() bool {
			s := processortest.Scrape(t, r.o.Registry)
			return s["regionwatch_lag_records"] == 6+10 && s["regionwatch_stalled_seconds"] > 0 && s["regionwatch_lag_seconds"] > 0
		})
	})
}

// An unacknowledged alert has an age until it is acknowledged.
func TestUnacked(t *testing.T) {
	t.Parallel()
	eachDelivery(t, func(t *testing.T, options func(*processortest.Cluster) Options) {
		c := newCluster(t, 1)
		release := make(chan struct{})
		held := holdProduce(c, alertTopic, release)
		r := start(t, options(c))
		c.ProduceValues(inputTopic, 1, "alert 1")
		c.Eventually("on its way", func() bool { return held.Load() > 0 })
		c.Eventually("it has an age", func() bool { return processortest.Scrape(t, r.o.Registry)["regionwatch_unacked_seconds"] > 0 })
		close(release)
		c.Eventually("acknowledged", func() bool { return processortest.Scrape(t, r.o.Registry)["regionwatch_unacked_seconds"] == 0 })
		r.mustStop()
	})
}

// A worker whose alert is not acknowledged does not delay the group for long, and marks nothing.
//
// Guard: the timer in stopWorkers.
func TestRevokeAbandons(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 2)
	release := make(chan struct{})
	defer close(release)
	held := holdProduce(c, alertTopic, release)
	r := start(t, testOptions(c), func(p *Processor) { p.revokePatience = 200 * time.Millisecond })
	c.ProduceValues(inputTopic, 1, "pass", "alert 1")
	c.Eventually("on its way", func() bool { return held.Load() > 0 })
	consumer := r.consumer.Load()
	idle := consumer.worker(kadm.Partition{Topic: inputTopic, Partition: 1})
	consumer.revoked(context.Background(), consumer.client, map[string][]int32{inputTopic: {1}})
	if idle.ctx.Err() == nil {
		t.Error("the context of a worker that has ended goes on")
	}
	consumer.revoked(context.Background(), consumer.client, map[string][]int32{inputTopic: {0}})
	if got := c.Committed(testGroup, inputTopic, 0); got != -1 {
		t.Errorf("committed %d, want nothing", got)
	}
	if n := r.tally.Snapshot().Abandoned; n != 2 || r.outputs.Unacked() != 0 {
		t.Errorf("%d records returned, want 2; the abandoned alert counts as waiting for %v", n, r.outputs.Unacked())
	}
}

// A member that has lost its partitions does not wait for acknowledgements, and is not ready.
//
// Guards: patience 0 in lost, and OnGroupManageError.
func TestLostAbandons(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	release := make(chan struct{})
	held := holdProduce(c, alertTopic, release)
	r := start(t, testOptions(c), func(p *Processor) { p.revokePatience = time.Hour })
	c.ProduceValues(inputTopic, 1, "alert 1")
	c.Eventually("on its way", func() bool { return held.Load() > 0 })
	consumer := r.consumer.Load()
	consumer.OnGroupManageError(kerr.UnknownMemberID)
	if r.Ready() == nil {
		t.Error("ready out of the group")
	}
	consumer.lost(context.Background(), consumer.client, map[string][]int32{inputTopic: {0}})
	if n := r.tally.Snapshot().Abandoned; n != 1 {
		t.Errorf("%d records returned, want 1", n)
	}
	close(release)
}

// Another program that joins the group takes partitions that then go unwatched. Its arrival is reported, and so is its
// end.
//
// Guard: lookAtGroup.
func TestForeignMember(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 2)
	var log lines
	o := testOptions(c)
	o.Logger = log.logger()
	r := start(t, o)
	c.Eventually("ready", func() bool { return r.Ready() == nil })
	other := c.Client(kgo.ClientID("stranger"), kgo.ConsumerGroup(testGroup), kgo.ConsumeTopics(inputTopic), kgo.Balancers(kgo.CooperativeStickyBalancer()))
	foreign := func() float64 { return processortest.Scrape(t, r.o.Registry)["regionwatch_foreign_members"] }
	c.Eventually("it is counted", func() bool { return foreign() == 1 })
	if log.count("stranger") == 0 {
		t.Error("the log does not name it")
	}
	other.Close()
	c.Eventually("it is gone", func() bool { return foreign() == 0 })
}

// Successful and failed commits are counted separately.
//
// Guards: the conditions in committed and countCommit.
func TestCountCommit(t *testing.T) {
	p, log := quietProcessor(t)
	c := &consumer{p: p, failed: make(chan error, 1)}
	answer := func(code int16) *kmsg.OffsetCommitResponse {
		return &kmsg.OffsetCommitResponse{Topics: []kmsg.OffsetCommitResponseTopic{{Partitions: []kmsg.OffsetCommitResponseTopicPartition{{ErrorCode: code}}}}}
	}
	c.countCommit(nil)
	c.committed(nil, nil, nil, nil) // there was nothing to commit
	c.committed(nil, nil, answer(0), nil)
	c.countCommit(kerr.RebalanceInProgress)
	c.committed(nil, nil, answer(kerr.RebalanceInProgress.Code), nil)
	c.committed(nil, nil, answer(0), kerr.RebalanceInProgress)
	c.committed(nil, nil, nil, kerr.RebalanceInProgress)
	c.countCommit(context.Canceled)
	if got := p.tally.Snapshot(); got.Commits != 3 || got.CommitFailures != 4 || log.count("committing offsets") != 4 {
		t.Errorf("%d commits and %d failures, want 3 and 4, told %d times", got.Commits, got.CommitFailures, log.count("committing offsets"))
	}
	select {
	case err := <-c.failed:
		t.Errorf("Run would end: %v", err)
	default:
	}
}

// Run cannot join another program's group: it ends and says so.
//
// Guard: InconsistentGroupProtocol among the refusals, and its explanation.
func TestInconsistentGroup(t *testing.T) {
	t.Parallel()
	eachDelivery(t, func(t *testing.T, options func(*processortest.Cluster) Options) {
		c := newCluster(t, 1)
		c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.JoinGroup}, Err: kerr.InconsistentGroupProtocol, Count: -1})
		mustMention(t, start(t, options(c)).refused(c), "INCONSISTENT_GROUP_PROTOCOL", "it must be used by regionwatch only")
	})
}

// The largest record that a topic accepts is queried at the start, not learned from rejections.
//
// Guard: learnLimits.
func TestLimitsAreLearned(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	topicLimit(t, c, alertTopic, "40000")
	rejected := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: alertTopic, Observe: true, Count: -1})
	r := start(t, testOptions(c))
	c.ProduceValues(inputTopic, 1, "large big 200000")
	c.Read(alertTopic, 1)
	r.mustStop()
	if n := rejected.Hits(); n != 1 {
		t.Errorf("%d produce requests, want one that fits", n)
	}
}

// The meaning of each option's zero value.
func TestDefaults(t *testing.T) {
	for procs, want := range map[int]int{1: 2, 3: 3, 8: 4} {
		before := runtime.GOMAXPROCS(procs)
		o := Options{}.withDefaults()
		if now := runtime.GOMAXPROCS(before); now != procs || o.Sessions != want {
			t.Errorf("%d sessions on %d cores, want %d; %d cores afterwards", o.Sessions, procs, want, now)
		}
		if o.MaxBatchBytes != DefaultMaxBatchBytes || o.FetchBytes != DefaultFetchBytes || o.FetchPartitionBytes != DefaultFetchPartition || o.MaxEventBytes != cloudtrail.DefaultMaxBytes {
			t.Errorf("%+v", o)
		}
	}
	if a, b := AtLeastOnce.String(), ExactlyOnce.String(); a != "at-least-once" || b != "exactly-once" {
		t.Errorf("%s and %s", a, b)
	}
	o := Options{RebalanceTimeout: 30 * time.Second}.withDefaults()
	if o.SessionTimeout != DefaultSessionTimeout || o.CommitInterval != DefaultCommitInterval || o.DrainTimeout != DefaultDrainTimeout ||
		o.DeliveryTimeout != 20*time.Second || o.TransactionTimeout != DefaultTransactionTimeout || o.MaxRecordBytes != DefaultMaxRecordBytes ||
		o.Partitions != -1 || o.Replicas != -1 || o.Sessions < 2 || o.Sessions > 4 || o.Logger == nil || o.Registry == nil {
		t.Errorf("%+v", o)
	}
	if o := (Options{Sessions: 7, Partitions: 3}).withDefaults(); o.Sessions != 7 || o.Partitions != 3 || o.RebalanceTimeout != DefaultRebalanceTimeout {
		t.Errorf("%+v", o)
	}
}
