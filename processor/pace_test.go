package processor

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/processor/detection"
)

// An instance that the limit holds for an hour is ready, knows its lag, joins the group again, gives partitions up and drains.
//
// Guards: where pollAll and session.run wait, and with which context; Forget in stopWorkers and onRevoked.
func TestLimited(t *testing.T) {
	t.Parallel()
	for _, delivery := range []Delivery{AtLeastOnce, ExactlyOnce} {
		t.Run(delivery.String(), func(t *testing.T) {
			t.Parallel()
			const partitions, n = 4, 200
			c := newCluster(t, partitions)
			c.ProduceValues(inputTopic, partitions, values(n, "alert %d")...)
			options := func(id string, limit int) Options {
				o := testOptions(c)
				o.Delivery, o.Sessions, o.MaxRecordsPerSecond = delivery, 1, limit
				o.SessionTimeout = 2 * time.Second // a heartbeat every half second
				if delivery == ExactlyOnce {
					o.InstanceID = id
				}
				return o
			}
			r := start(t, options("slow", 1))
			c.Eventually("the limit holds", func() bool { return r.tally.Snapshot().Limited > 0 })
			r.pace.Spend(3600)
			c.Eventually("it is ready and knows its lag", func() bool { return r.Ready() == nil && r.lag.Total() > n/2 })
			before := r.health.Group()[0]
			c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, TopLevel: true, Err: kerr.UnknownMemberID, Count: 1})
			c.Eventually("it has joined again", func() bool {
				now := r.health.Group()
				return len(now) == 1 && now[0] != before && r.Ready() == nil
			})
			guest := start(t, options("fast", 0))
			c.Eventually("another member has read what it was given", func() bool {
				done := guest.Status().Counts.Records
				return done > n/4 && guest.lag.Total() == 0
			})
			c.Eventually("it has the rest, and no lag of more", func() bool {
				n := r.health.Partitions()
				return n < partitions && len(r.lag.All()) == n
			})
			guest.mustStop()
			if done := r.Status().Counts.Records; done > n/2 {
				t.Errorf("%d records done in spite of the limit", done)
			}
			r.mustStop()
		})
	}
}

// What a transaction polls beyond its first records counts against the limit like these.
//
// Guards: the loop in transact, its Spend, and what it decides.
func TestLimitedWithinATransaction(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	c.ProduceValues(inputTopic, 1, values(20, "pass %d")...)
	o := exactlyOnce(c)
	o.MaxRecordsPerSecond, o.CommitInterval, o.TransactionTimeout = 1, 10*time.Second, 30*time.Second
	var r *run
	began := make(chan struct{})
	r = start(t, o, holding(func(d *detection.Record) {
		if <-began; d.Offset == 0 { // until another poll is allowed, in the same transaction
			c.Eventually("another second", func() bool { return r.pace.Left() <= 0 })
		}
	}))
	close(began)
	c.Eventually("committed", func() bool { return r.tally.Snapshot().Committed == 1 })
	if got := r.tally.Snapshot(); got.Read < 2 || got.Read > 10 || got.Aborted > 0 {
		t.Errorf("%d records are read in one transaction and %d aborted, want those of two polls at one a second", got.Read, got.Aborted)
	}
}
