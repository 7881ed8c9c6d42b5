package processor

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

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
