package output

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// acks waits for the acknowledgements of what one worker produced. Any goroutine may report one; add, wait and failed
// belong to the worker.
type acks struct {
	mu      sync.Mutex
	pending int
	since   time.Time     // when the first record not yet taken by take was sent; zero if there is none
	done    chan struct{} // closed when pending reaches 0; nil if the worker does not wait
	failed  []Failure
	acked   Acked
	// forgetful keeps no record that failed, only why: one failure after another would hold ever more memory.
	forgetful bool
}

// Acked is what was acknowledged.
type Acked struct {
	alerts, deadLetters uint64
	unpublished         uint64 // findings in shadow mode and exempted events
	findings            findings
	seen
}

// Failure is a record that was not acknowledged.
type Failure struct {
	Record *kgo.Record
	Err    error
	letter *letter // the one it is part of; nil for an alert
}

// Add adds o.
func (a *Acked) Add(o *Acked) {
	a.alerts += o.alerts
	a.deadLetters += o.deadLetters
	a.unpublished += o.unpublished
	a.findings.merge(&o.findings)
	a.seen.add(&o.seen)
}

// addFinding keeps what metrics need of r.
func (a *Acked) addFinding(r *kgo.Record) {
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
func (a *acks) report(f Failure, kind kind, keep bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case f.Err != nil:
		a.fail(f)
	case kind == kindDeadLetter:
		a.acked.deadLetters++
	case kind == kindUnpublished:
		a.acked.unpublished++
		a.acked.addFinding(f.Record)
	default:
		a.acked.addFinding(f.Record)
		a.acked.alerts++
		if keep {
			a.acked.addAlert(f.Record.Value)
		}
	}
	if a.pending--; a.pending == 0 && a.done != nil {
		close(a.done)
		a.done = nil
	}
}

// fail adds a failure. If a is forgetful, it keeps the first of each topic, and the first that was too large. a is locked.
func (a *acks) fail(f Failure) {
	if a.forgetful {
		f.Record, f.letter = &kgo.Record{Topic: f.Record.Topic}, nil
		if slices.ContainsFunc(a.failed, f.resembles) {
			return
		}
	}
	a.failed = append(a.failed, f)
}

func (f Failure) resembles(o Failure) bool {
	return f.Record.Topic == o.Record.Topic && errors.Is(f.Err, kerr.MessageTooLarge) == errors.Is(o.Err, kerr.MessageTooLarge)
}

// take returns what was acknowledged since the last call, and forgets what has failed.
func (a *acks) take() Acked {
	a.mu.Lock()
	defer a.mu.Unlock()
	taken := a.acked
	a.acked, a.since, a.failed = Acked{}, time.Time{}, nil
	return taken
}

// age returns how long the oldest record has waited for its acknowledgement. For a record that is retried, the time
// counts from when it was first sent.
func (a *acks) age() time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.since.IsZero() {
		return 0
	}
	return time.Since(a.since)
}

// settle returns once every record was reported, with ErrDoomed if some have failed, which are left to wait.
func (a *acks) settle(ctx context.Context) error {
	failed, err := a.wait(ctx)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.failed = append(failed, a.failed...)
	if err == nil && len(a.failed) > 0 {
		return ErrDoomed
	}
	return err
}

// wait returns once every record was reported, and what failed; or with ctx's error.
func (a *acks) wait(ctx context.Context) ([]Failure, error) {
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
