package output

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// A worker waits for every record it produced, whether it is one or many, and gets each failure once.
func TestWaitForAcks(t *testing.T) {
	f := func(pending int) {
		synctest.Test(t, func(t *testing.T) {
			a, refused := new(acks), errors.New("refused")
			for range pending {
				a.add()
			}
			go func() {
				for i := range pending {
					time.Sleep(time.Minute)
					f := Failure{Record: new(kgo.Record)}
					if i == 0 {
						f.Err = refused
					}
					a.report(f, kindDeadLetter, false)
				}
			}()
			began := time.Now()
			failed, err := a.wait(t.Context())
			if took := time.Since(began); err != nil || took != time.Duration(pending)*time.Minute {
				t.Errorf("%d pending: %v after %v", pending, err, took)
			}
			if len(failed) != min(pending, 1) || a.take().deadLetters != uint64(max(pending-1, 0)) {
				t.Errorf("%d pending: failed %v", pending, failed)
			}
			a.add()
			a.report(Failure{Record: new(kgo.Record)}, kindDeadLetter, false) // no one waits for it
			if failed, err = a.wait(t.Context()); len(failed) > 0 || err != nil {
				t.Errorf("the second time: %v, %v", failed, err)
			}
		})
	}
	f(0)
	f(1)
	f(2)
	f(5)
}

// The wait ends with its context, for the reason that the context gives. A failure that came until then is kept.
func TestWaitForAcksEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, drained := new(acks), errors.New("drained")
		a.add()
		a.add()
		a.report(Failure{Record: new(kgo.Record), Err: errors.New("refused")}, kindAlert, false)
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, drained)
		defer cancel()
		if err := a.settle(ctx); !errors.Is(err, drained) {
			t.Errorf("%v, want %v", err, drained)
		}
		if age := a.age(); age != time.Minute {
			t.Errorf("the oldest record is %v old", age)
		}
		a.report(Failure{Record: new(kgo.Record)}, kindDeadLetter, false)
		if failed, err := a.wait(t.Context()); len(failed) != 1 || err != nil {
			t.Errorf("%v, %v", failed, err)
		}
		if a.take(); a.age() != 0 {
			t.Errorf("with nothing sent since, the oldest record is %v old", a.age())
		}
	})
}

// In a transaction only why something failed is kept, once for each topic and for what was too large. It is doomed by that
// alone.
//
// Guards: resembles; settle.
func TestAcksForget(t *testing.T) {
	a := &acks{forgetful: true}
	if err := a.settle(t.Context()); err != nil {
		t.Errorf("nothing has failed: %v", err)
	}
	timedOut, tooLarge := kgo.ErrRecordTimeout, kerr.MessageTooLarge
	for _, f := range []Failure{
		{&kgo.Record{Topic: "a"}, timedOut, nil}, {&kgo.Record{Topic: "a"}, kgo.ErrRecordRetries, nil}, {&kgo.Record{Topic: "b"}, timedOut, nil},
		{&kgo.Record{Topic: "a"}, tooLarge, nil}, {&kgo.Record{Topic: "b"}, tooLarge, nil}, {&kgo.Record{Topic: "b"}, tooLarge, nil},
	} {
		a.add()
		a.report(f, kindAlert, false)
	}
	if err := a.settle(t.Context()); !errors.Is(err, ErrDoomed) {
		t.Errorf("%v, want %v", err, ErrDoomed)
	}
	failed, err := a.wait(t.Context())
	var kept []string
	for _, f := range failed {
		kept = append(kept, f.Record.Topic+": "+f.Err.Error())
	}
	want := []string{"a: " + timedOut.Error(), "b: " + timedOut.Error(), "a: " + tooLarge.Error(), "b: " + tooLarge.Error()}
	if err != nil || !slices.Equal(kept, want) {
		t.Errorf("%q, %v, want %q", kept, err, want)
	}
}

// Only a large record is waited for before the next one is decided.
//
// Guard: pinned in Settle.
func TestSettleWithoutLargeRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := testOutputs(t).Open(t.Context(), func(context.Context, *kgo.Record, func(*kgo.Record, error)) {}, nil)
		out.send(&kgo.Record{Topic: "alerts"}, nil)
		if err := out.Settle(); err != nil {
			t.Error(err)
		}
	})
}

// A worker that must end before its records are acknowledged says why. Without an error their source would be marked.
//
// Guards: the errors of wait in Flush and in alone.
func TestFlushEnds(t *testing.T) {
	never := func(context.Context, *kgo.Record, func(*kgo.Record, error)) {}
	for name, wait := range map[string]func(*Output, *kgo.Record) error{
		"flush": func(out *Output, r *kgo.Record) error { out.send(r, nil); return out.Flush() },
		"alone": func(out *Output, r *kgo.Record) error { return out.alone(r, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				drained := errors.New("drained")
				ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, drained)
				defer cancel()
				if err := wait(testOutputs(t).Open(ctx, never, nil), &kgo.Record{Topic: "alerts"}); !errors.Is(err, drained) {
					t.Errorf("%v, want %v", err, drained)
				}
			})
		})
	}
}
