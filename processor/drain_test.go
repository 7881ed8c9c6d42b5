package processor

import (
	"errors"
	"testing"
	"time"

	"github.com/regionwatch/regionwatch/processor/detection"
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

// Work in flight when Run is stopped is finished and committed, not discarded.
func TestDrainFinishesWhatIsInFlight(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	entered, release := make(chan struct{}, 1), make(chan struct{})
	r := start(t, testOptions(c), holding(func(d *detection.Record) {
		if d.Offset == 0 {
			entered <- struct{}{}
			<-release
		}
	}))
	c.ProduceValues(inputTopic, 1, "alert 1")
	<-entered
	r.cancel()
	close(release)
	r.mustStop()
	if got := c.Committed(testGroup, inputTopic, 0); got != 1 {
		t.Errorf("committed %d, want 1", got)
	}
}
