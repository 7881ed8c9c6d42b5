package flow

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/regionwatch/regionwatch/processor/progress"
)

// newPace returns a pace and its log.
func newPace(perSecond int) (*Pace, *bytes.Buffer) {
	log := new(bytes.Buffer)
	return &Pace{PerSecond: perSecond, Lag: progress.NewLags(), Tally: new(progress.Tally), Log: slog.New(slog.NewTextHandler(log, nil))}, log
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
						p.Wait(ctx, func() int64 { return fetched })
						if ctx.Err() != nil {
							break
						}
						p.Spend(min(taken, p.Most()))
						n += min(taken, p.Most())
					}
					total <- n
				}()
			}
			if got := <-total + <-total; got < want*99/100 || got > want*101/100 {
				t.Errorf("%d a second: %d records in ten minutes, want about %d", perSecond, got, want)
			}
			if got := p.Tally.Snapshot().Limited; got < limited*9/10 || got > limited*11/10 {
				t.Errorf("%d a second: held for %v, want about %v", perSecond, got, limited)
			}
			if got := strings.Count(log.String(), "holds records back"); got != told {
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
		p.Spend(1 << 30)
		p.Wait(t.Context(), func() int64 { return 1 })
		if p.Most() != 0 || time.Since(start) != 0 {
			t.Errorf("a poll takes %d records after %v", p.Most(), time.Since(start))
		}
	})
}

// A poll takes a tenth of a second's records, and at least one.
func TestPaceMost(t *testing.T) {
	for perSecond, want := range map[int]int{0: 0, 1: 1, 10: 1, 19: 1, 20: 2, 1000: 100} {
		p, _ := newPace(perSecond)
		if got := p.Most(); got != want {
			t.Errorf("%d a second: %d, want %d", perSecond, got, want)
		}
	}
}

// What is held back does not stall.
//
// Guard: Held in hold.
func TestPaceHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newPace(1)
		p.Lag.Assigned(partition(0), 0, 100)
		p.Spend(60)
		if p.Wait(t.Context(), func() int64 { return 1 }); p.Lag.All()[0].Stalled != 0 {
			t.Errorf("stalled for %v", p.Lag.All()[0].Stalled)
		}
	})
}

// What was polled late is not made up for, and no records cost nothing.
func TestPaceSpend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newPace(10)
		for _, step := range []struct {
			records int
			left    time.Duration
		}{{5, 500 * time.Millisecond}, {0, 500 * time.Millisecond}, {1, 600 * time.Millisecond}} {
			if p.Spend(step.records); p.Left() != step.left {
				t.Errorf("after %d records %v are left, want %v", step.records, p.Left(), step.left)
			}
		}
		time.Sleep(time.Hour)
		if p.Spend(1); p.Left() != 100*time.Millisecond {
			t.Errorf("after an hour %v are left", p.Left())
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if p.Wait(ctx, func() int64 { return 1 }); p.Left() != 100*time.Millisecond {
			t.Error("the wait went on when its context had ended")
		}
	})
}
