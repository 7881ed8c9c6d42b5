package processor

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/processor/progress"
)

// newPace returns a pace and its log.
func newPace(perSecond int) (*pace, *lines) {
	log := new(lines)
	return &pace{perSecond: perSecond, lag: progress.NewLags(), tally: new(progress.Tally), log: log.logger()}, log
}

// Two poll loops that always find records take no more together than the limit allows.
func TestPace(t *testing.T) {
	t.Parallel()
	f := func(perSecond, taken, want int, fetched int64, limited time.Duration, told int) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			p, log := newPace(perSecond)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
			defer cancel()
			total := make(chan int)
			for range 2 {
				go func() {
					n := 0
					for {
						p.wait(ctx, func() int64 { return fetched })
						if ctx.Err() != nil {
							break
						}
						p.spend(min(taken, p.most()))
						n += min(taken, p.most())
					}
					total <- n
				}()
			}
			if got := <-total + <-total; got < want*99/100 || got > want*101/100 {
				t.Errorf("%d a second: %d records in ten minutes, want about %d", perSecond, got, want)
			}
			if got := p.tally.Snapshot().Limited; got < limited*9/10 || got > limited*11/10 {
				t.Errorf("%d a second: held for %v, want about %v", perSecond, got, limited)
			}
			if got := log.count("holds records back"); got != told {
				t.Errorf("%d a second: told %d times, want %d", perSecond, got, told)
			}
		})
	}
	f(1000, 1<<30, 600_000, 1, 20*time.Minute, 10) // both loops wait
	f(1, 1<<30, 600, 1, 20*time.Minute, 10)
	f(1000, 1<<30, 600_000, 0, 0, 0) // nothing is there to be polled: the limit holds nothing back
}

// Without a limit nothing waits, and a poll takes everything.
func TestPaceOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, _ := newPace(0)
		start := time.Now()
		p.spend(1 << 30)
		p.wait(t.Context(), func() int64 { return 1 })
		if p.most() != 0 || time.Since(start) != 0 {
			t.Errorf("a poll takes %d records after %v", p.most(), time.Since(start))
		}
	})
}

// An instance that the limit holds for an hour is ready, knows its lag, joins the group again, gives partitions up and drains.
//
// Guards: where pollAll and session.run wait, and with which context.
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
			r.pace.spend(3600)
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
			guest.mustStop()
			if done := r.Status().Counts.Records; done > n/2 {
				t.Errorf("%d records done in spite of the limit", done)
			}
			r.mustStop()
		})
	}
}
