package processor

import (
	"context"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// acks waits for the acknowledgements of what one worker produced. Any goroutine may report one; add,
// wait and failed belong to the worker.
type acks struct {
	mu      sync.Mutex
	pending int
	since   time.Time     // when the first record was sent of those that take has not answered for; zero if none was
	done    chan struct{} // closed when pending reaches 0; nil if nobody waits
	failed  []failure
	acked   acked
}

// acked is what was acknowledged.
type acked struct {
	alerts, deadLetters uint64
	aside               uint64 // findings in shadow mode and exempted events
	findings            findings
	seen
}

// failure is a record that was not acknowledged.
type failure struct {
	record *kgo.Record
	letter *letter // that it is a part of; nil for an alert
	err    error
}

// addFinding keeps what metrics count of r.
func (a *acked) addFinding(r *kgo.Record) {
	if f := findingOf(r); f != nil {
		a.findings.add(f)
	}
}

func (a *acks) add() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.pending++; a.since.IsZero() {
		a.since = time.Now()
	}
}

// report takes the outcome of one record; it is a failure if its error is set.
func (a *acks) report(f failure, kind outputKind, keep bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case f.err != nil:
		a.failed = append(a.failed, f)
	case kind == kindDeadLetter:
		a.acked.deadLetters++
	case kind == kindAside:
		a.acked.aside++
		a.acked.addFinding(f.record)
	default:
		a.acked.addFinding(f.record)
		a.acked.alerts++
		if keep {
			a.acked.addAlert(f.record.Value)
		}
	}
	if a.pending--; a.pending == 0 && a.done != nil {
		close(a.done)
		a.done = nil
	}
}

// take returns what was acknowledged since it was last called.
func (a *acks) take() acked {
	a.mu.Lock()
	defer a.mu.Unlock()
	taken := a.acked
	a.acked, a.since = acked{}, time.Time{}
	return taken
}

// age returns for how long the oldest record has waited for its acknowledgement. A record that is tried again has waited
// since it was first sent.
func (a *acks) age() time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.since.IsZero() {
		return 0
	}
	return time.Now().Sub(a.since)
}

// settle returns once every record was reported; what failed is left for wait.
func (a *acks) settle(ctx context.Context) error {
	failed, err := a.wait(ctx)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.failed = append(failed, a.failed...)
	return err
}

// wait returns once every record was reported, and what failed; or with ctx's error.
func (a *acks) wait(ctx context.Context) ([]failure, error) {
	a.mu.Lock()
	if a.pending > 0 {
		done := make(chan struct{})
		a.done = done
		a.mu.Unlock()
		select {
		case <-done:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		a.mu.Lock()
	}
	defer a.mu.Unlock()
	failed := a.failed
	a.failed = nil
	return failed, nil
}
