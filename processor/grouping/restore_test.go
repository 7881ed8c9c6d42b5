package grouping

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/processor/processortest"
)

// openTransaction leaves a transaction of a dead member open in partitions of the state topic, so that readers of
// committed state wait. The returned function aborts it.
func openTransaction(t *testing.T, c *processortest.Cluster, partitions ...int32) (abort func()) {
	t.Helper()
	client := c.Client(kgo.TransactionalID("dead"), kgo.TransactionTimeout(10*time.Minute), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err := client.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	for _, p := range partitions {
		r := &kgo.Record{Topic: stateTopic, Partition: p, Key: []byte("x"), Value: []byte("y")}
		if err := client.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		t.Helper()
		if err := client.EndTransaction(context.Background(), kgo.TryAbort); err != nil {
			t.Error(err)
		}
	}
}

// While the state of most partitions cannot be read, the others go on. Those catch up as soon as it can.
//
// Guards: restores beside the polls; OnWait, which frees the slots of those that wait; done in slot.free.
func TestServiceRestoreHangs(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 18)
	alertsOf := func(from, to int) (values []string) { // with an account for each partition
		for n := from; n < to; n++ {
			values = append(values, strings.Replace(alertOf(n), fmt.Sprintf("11112222333%d", n%4), fmt.Sprintf("1111222233%02d", n%18), 1))
		}
		return values
	}
	if err := c.CreateTopic(stateTopic, 18, nil); err != nil {
		t.Fatal(err)
	}
	abort := openTransaction(t, c, 0, 1, 2, 3, 4, 5)
	var growing, grown atomic.Int32
	s := start(t, c, "one", func(o *processor.Options) {
		o.Grow = func() func() {
			growing.Add(1)
			grown.Add(1)
			return func() { growing.Add(-1) }
		}
	})
	c.ProduceValues(alertTopic, 18, alertsOf(0, 90)...)
	eventually(t, c, 60)
	c.ProduceValues(alertTopic, 18, alertsOf(90, 180)...)
	eventually(t, c, 120)
	if err := s.Ready(); err == nil || err.Error() != "restoring the state of 6 partitions" {
		t.Errorf("ready: %v", err)
	}
	c.Eventually("no heap that grows while all wait", func() bool { return growing.Load() == 0 })
	abort()
	eventually(t, c, 180)
	c.Eventually("ready", func() bool { return s.Ready() == nil })
	if growing.Load() != 0 || grown.Load() < 18 {
		t.Errorf("the heap grew %d times, and grows %d times still", grown.Load(), growing.Load())
	}
	if got := s.stop(t); got.counted != 180 || got.repeated != 0 {
		t.Errorf("%+v", got)
	}
}

// A restore that hangs does not hold up the end of the instance, nor that of its partition.
//
// Guard: the context of a restore.
func TestServiceStopsWhileRestoring(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 2)
	if err := c.CreateTopic(stateTopic, 2, nil); err != nil {
		t.Fatal(err)
	}
	abort := openTransaction(t, c, 0, 1)
	one := start(t, c, "one")
	c.ProduceValues(alertTopic, 2, alerts(0, 20)...)
	restoring := func(s *service) int {
		s.stage.restores.mu.Lock()
		defer s.stage.restores.mu.Unlock()
		return s.stage.restores.now
	}
	c.Eventually("restoring", func() bool { return restoring(one) == 2 })
	two := start(t, c, "two")
	c.Eventually("moved", func() bool { return restoring(one) == 1 && restoring(two) == 1 })
	one.stop(t)
	two.stop(t)
	abort()
	three := start(t, c, "one")
	eventually(t, c, 20)
	if got := three.stop(t); got.counted != 20 {
		t.Errorf("%+v", got)
	}
}
