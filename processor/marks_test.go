package processor

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/processor/processortest"
)

// Nothing is committed before the alerts of its batch are acknowledged.
//
// Guard: the flush before finish in process.
func TestMarkAfterAck(t *testing.T) {
	t.Parallel()
	const elsewhere = "elsewhere"
	c := newCluster(t, 1, kfake.SeedTopics(1, elsewhere))
	release := make(chan struct{})
	holdProduce(c, alertTopic, release)
	o := testOptions(c)
	o.InputTopics = append(o.InputTopics, elsewhere)
	r := start(t, o)
	c.Eventually("ready", func() bool { return r.Ready() == nil })
	c.ProduceValues(inputTopic, 1, "pass", "alert 1")
	c.Eventually("read", func() bool { return r.tally.Snapshot().Read == 2 })
	c.ProduceValues(elsewhere, 1, "pass")
	c.Eventually("a background commit", func() bool { return c.Committed(testGroup, elsewhere, 0) == 1 })
	if got := c.Committed(testGroup, inputTopic, 0); got != -1 {
		t.Errorf("committed %d while the alert was not acknowledged", got)
	}
	close(release)
	c.Eventually("committed", func() bool { return c.Committed(testGroup, inputTopic, 0) == 2 })
}

// holdProduce makes the broker hold produce requests for a topic until release is closed, and counts them.
func holdProduce(c *processortest.Cluster, topic string, release <-chan struct{}) *atomic.Int64 {
	held := new(atomic.Int64)
	id := c.TopicInfo(topic).TopicID
	c.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		for _, t := range req.(*kmsg.ProduceRequest).Topics {
			if t.Topic == topic || t.TopicID == id { // by id from version 13 on
				held.Add(1)
				c.SleepControl(func() { <-release })
				break
			}
		}
		return nil, nil, false
	})
	return held
}

// Records that were polled but not processed are not committed on revoke.
//
// Guard: CommitMarkedOffsets; CommitUncommittedOffsets would commit what was polled (#320, #406, #1040).
func TestRevokeCommitsMarksOnly(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	entered, release := make(chan struct{}, 1), make(chan struct{})
	r := start(t, testOptions(c), holding(func(d *detection.Record) {
		if d.Offset == 3 {
			entered <- struct{}{}
			<-release
		}
	}))
	c.ProduceValues(inputTopic, 1, values(10, "alert %d")...)
	<-entered
	told := r.told(0)
	go func() {
		<-told
		close(release)
	}()
	r.mustStop()
	// The worker was processing record 3 when it was stopped: it finishes that one and abandons the rest.
	if got := c.Committed(testGroup, inputTopic, 0); got != 4 {
		t.Errorf("committed %d, want 4", got)
	}
	if got := r.tally.Snapshot().Abandoned; got != 6 {
		t.Errorf("%d records returned, want 6", got)
	}
	second := start(t, testOptions(c))
	c.Eventually("the rest is done", func() bool { return second.Status().Counts.Records == 6 })
	second.mustStop()
	if ids := alertIDs(c.ReadAll(alertTopic)); len(ids) != 10 {
		t.Errorf("%d different alerts, want 10", len(ids))
	}
}

// A lost partition already belongs to another member: nothing is marked or committed.
//
// Guard: no CommitMarkedOffsets in lost, and w.lost in finish.
func TestLostDoesNotCommit(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	entered, release := make(chan struct{}, 1), make(chan struct{})
	o := testOptions(c)
	o.CommitInterval = time.Hour // no background commits
	r := start(t, o, holding(func(d *detection.Record) {
		if d.Offset == 1 {
			entered <- struct{}{}
			<-release
		}
	}))
	c.ProduceValues(inputTopic, 1, "alert 0", "alert 1", "alert 2")
	<-entered
	commits := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Observe: true, Count: -1})
	consumer, told := r.consumer.Load(), r.told(0)
	var lost sync.WaitGroup
	lost.Go(func() {
		consumer.lost(context.Background(), consumer.client, map[string][]int32{inputTopic: {0}})
	})
	<-told
	close(release)
	lost.Wait()
	if marked := consumer.client.MarkedOffsets(); len(marked) != 0 {
		t.Errorf("marked %v for a partition that was lost", marked)
	}
	if commits.Hits() != 0 {
		t.Errorf("%d commits for a partition that was lost", commits.Hits())
	}
}

// Marks are committed soon, without a rebalance, including those of records without a result: a quiet topic must not be
// read again after a restart.
func TestIdlePartitionCommits(t *testing.T) {
	t.Parallel()
	for _, delivery := range []Delivery{AtLeastOnce, ExactlyOnce} {
		t.Run(delivery.String(), func(t *testing.T) {
			t.Parallel()
			c := newCluster(t, 2)
			o := testOptions(c)
			o.Delivery, o.InstanceID = delivery, "one"
			start(t, o)
			c.ProduceValues(inputTopic, 1, "pass", "", "pass") // partition 1 stays empty
			c.Eventually("partition 0 is committed", func() bool { return c.Committed(testGroup, inputTopic, 0) == 3 })
		})
	}
}

// A failed commit is retried with the next one. One that fails permanently ends Run.
func TestCommitFailure(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	r := start(t, testOptions(c))
	c.Eventually("ready", func() bool { return r.Ready() == nil })
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Err: kerr.UnknownServerError, Count: 2})
	c.ProduceValues(inputTopic, 1, "pass")
	c.Eventually("committed after all", func() bool { return c.Committed(testGroup, inputTopic, 0) == 1 })
	if got := r.tally.Snapshot().CommitFailures; got == 0 {
		t.Error("no commit failure was counted")
	}
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Err: kerr.GroupAuthorizationFailed, Count: -1})
	c.ProduceValues(inputTopic, 1, "pass")
	mustMention(t, r.wait(), "GROUP_AUTHORIZATION_FAILED", testGroup)
}

func committedToEnd(c *processortest.Cluster, partitions int32) bool {
	for p := range partitions {
		if c.Committed(testGroup, inputTopic, p) != c.End(inputTopic, p) {
			return false
		}
	}
	return true
}

// A worker that must stop says so to its output, which asks between the alerts of a large record.
func TestStopped(t *testing.T) {
	w := &partition{quit: make(chan struct{})}
	if err := w.stopped(); err != nil {
		t.Error(err)
	}
	w.stop()
	if err := w.stopped(); !errors.Is(err, errStopped) {
		t.Errorf("%v, want %v", err, errStopped)
	}
}
