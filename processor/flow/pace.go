package flow

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/regionwatch/regionwatch/processor/progress"
	"github.com/regionwatch/regionwatch/processor/retry"
)

// Pace limits the poll loops of a process to MaxRecordsPerSecond. Each poll takes at most a tenth of a second's
// records, and the next one waits as long as the limit requires for them. A loop waits between two polls, where it
// holds up neither a rebalance nor a drain. It is safe for concurrent use.
type Pace struct {
	PerSecond int // 0 means no limit
	Lag       *progress.Lags
	Tally     *progress.Tally
	Log       *slog.Logger

	mu   sync.Mutex
	next time.Time // before which nothing is polled
	told time.Time // when the log last mentioned the limit
}

// tellEvery is the least time between two log lines about the limit.
const tellEvery = time.Minute

// Most returns how many records a poll may take, 0 for all.
func (p *Pace) Most() int {
	if p.PerSecond == 0 {
		return 0
	}
	return max(p.PerSecond/10, 1)
}

// Spend counts n polled records.
func (p *Pace) Spend(n int) {
	if p.PerSecond == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := time.Now(); p.next.Before(now) {
		p.next = now
	}
	p.next = p.next.Add(time.Duration(n) * time.Second / time.Duration(p.PerSecond))
}

// Left returns how long to wait before the next poll.
func (p *Pace) Left() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Until(p.next)
}

// Wait returns when the next poll may begin, or when ctx ends. If fetched says that records are waiting, it counts the
// time as held by the limit.
func (p *Pace) Wait(ctx context.Context, fetched func() int64) {
	for {
		left := p.Left()
		if left <= 0 {
			return
		}
		start, held := time.Now(), fetched() > 0
		err := retry.Sleep(ctx, min(left, time.Second)) // at most that long at a time, so that the metrics follow
		if held {
			p.hold(time.Since(start))
		}
		if err != nil {
			return
		}
	}
}

// hold counts that the limit held records back for d.
func (p *Pace) hold(d time.Duration) {
	p.Tally.Update(func(t *progress.Totals) { t.Limited += d })
	p.Lag.Held()
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.told) < tellEvery {
		return
	}
	p.told = time.Now()
	p.Log.Info("max-records-per-second holds records back", "limit", p.PerSecond, "lag", p.Lag.Total())
}
