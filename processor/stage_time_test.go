package processor

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/regionwatch/regionwatch/processor/processortest"
)

// A stage gets to work as soon as its partitions are assigned and their state is restored, long before a poll would end.
//
// Guards: wake in onAssigned, wakeUp in begin, wake in poll.
func TestStageAtOnce(t *testing.T) {
	t.Parallel()
	inBubble(t, 1, func(t *testing.T, c *processortest.Cluster) {
		o := stagedOptions(c, "one", &ledger{})
		o.CreateTopics = false
		if err := c.CreateTopic(stateTopic, 1, nil); err != nil {
			t.Fatal(err)
		}
		r, began := start(t, o), time.Now()
		c.Eventually("ready", func() bool { return r.Ready() == nil })
		if took := time.Since(began); took >= stagePoll {
			t.Errorf("ready after %v", took)
		}
		t.Log(time.Since(began))
		r.mustStop()
	})
}

// What is due by the clock is written without another record.
//
// Guard: idle in session.run.
func TestStageDueAlone(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	r := start(t, stagedOptions(c, "one", &ledger{}))
	c.Produce(toPartition(0, "1", "due")...)
	c.Eventually("due", func() bool { return sums(c)["due"] == "1" })
	r.mustStop()
}

// A stage whose input has grown beyond its state ends, though nothing comes: what comes to the new partition has no state.
//
// Guards: OnRestart and its cause in session.run.
func TestStageOutgrown(t *testing.T) {
	t.Parallel()
	inBubble(t, 1, func(t *testing.T, c *processortest.Cluster) {
		r := start(t, stagedOptions(c, "one", &ledger{}))
		c.Eventually("ready", func() bool { return r.Ready() == nil })
		if _, err := kadm.NewClient(c.Client()).CreatePartitions(t.Context(), 1, inputTopic); err != nil {
			t.Fatal(err)
		}
		mustMention(t, r.wait(), `state topic "state": it has 1 partition, and topic "cloudtrail" has 2`)
	})
}
