package processor

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/processor/processortest"
)

// A transaction that is aborted once, as by a rebalance, is followed by the next one at once. Before more of them a session
// waits, longer each time: it must not keep the brokers busy with nothing.
//
// Guards: the wait in session.run.
func TestAbortsInARow(t *testing.T) {
	t.Parallel()
	for aborts, least := range map[int]time.Duration{1: 0, 5: 1500 * time.Millisecond} { // 0, 0.1, 0.2, 0.4 and 0.8 s
		inBubble(t, 1, func(t *testing.T, c *processortest.Cluster) {
			r := start(t, exactlyOnce(c))
			c.Eventually("ready", func() bool { return r.Ready() == nil })
			took := time.Hour
			for range 5 { // the client may wait as well, for other reasons
				c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.TxnOffsetCommit}, Err: kerr.RebalanceInProgress, Count: aborts})
				began := time.Now()
				c.ProduceValues(inputTopic, 1, "alert 1")
				c.Eventually("committed", func() bool { return committedToEnd(c, 1) })
				took = min(took, time.Since(began))
			}
			if took < least || took >= least+100*time.Millisecond {
				t.Errorf("after %d aborts in a row it is committed within %v, want %v", aborts, took, least)
			}
			r.mustStop()
		})
	}
}

// The limit holds for each poll: of n records at one a second, the last one comes n-1 seconds after the first.
//
// Guards: Spend in session.run and pollAll.
func TestLimitInTime(t *testing.T) {
	t.Parallel()
	eachDelivery(t, func(t *testing.T, options func(*processortest.Cluster) Options) {
		inBubble(t, 1, func(t *testing.T, c *processortest.Cluster) {
			c.ProduceValues(inputTopic, 1, values(5, "pass %d")...)
			o := options(c)
			o.MaxRecordsPerSecond = 1
			r := start(t, o)
			c.Eventually("the first is committed", func() bool { return c.Committed(testGroup, inputTopic, 0) == 1 })
			began := time.Now()
			c.Eventually("committed", func() bool { return committedToEnd(c, 1) })
			if took := time.Since(began); took < 3500*time.Millisecond || took > 4500*time.Millisecond {
				t.Errorf("four more are committed after %v", took)
			}
			r.mustStop()
		})
	})
}

// What a poll within a transaction reports is not lost: the client says it once, and reads no more of that partition.
//
// Guard: the errors of the polls in transact.
func TestFetchErrorWithinATransaction(t *testing.T) {
	t.Parallel()
	inBubble(t, 1, func(t *testing.T, c *processortest.Cluster) {
		o := exactlyOnce(c)
		o.CommitInterval, o.TransactionTimeout = 10*time.Second, 30*time.Second
		began, release := make(chan struct{}, 1), make(chan struct{})
		r := start(t, o, holding(func(*detection.Record) {
			began <- struct{}{}
			<-release
		}))
		c.ProduceValues(inputTopic, 1, "pass")
		<-began
		refused := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Topic: inputTopic, Err: kerr.TopicAuthorizationFailed, Count: 1})
		c.Eventually("refused", func() bool { return refused.Hits() == 1 })
		synctest.Wait() // until the client has it
		close(release)
		mustMention(t, r.wait(), "TOPIC_AUTHORIZATION_FAILED", inputTopic)
	})
}

// A transaction that commits was not too long, whatever it took: no line says what to do about its record.
//
// Guard: what transact tells Overran.
func TestSlowCommit(t *testing.T) {
	t.Parallel()
	inBubble(t, 1, func(t *testing.T, c *processortest.Cluster) {
		var log lines
		o := exactlyOnce(c)
		o.Logger, o.TransactionTimeout, o.MaxRecordsPerSecond = log.logger(), 3*time.Second, 10
		r := start(t, o, holding(func(*detection.Record) { time.Sleep(5 * time.Second) }))
		c.ProduceValues(inputTopic, 1, values(3, "pass %d")...)
		c.Eventually("committed", func() bool { return committedToEnd(c, 1) })
		if r.mustStop(); log.count("level=ERROR") != 0 || r.tally.Snapshot().Committed != 3 {
			t.Errorf("%d transactions committed; %s", r.tally.Snapshot().Committed, log.text.String())
		}
	})
}
