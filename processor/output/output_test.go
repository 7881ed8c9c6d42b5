package output

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/deadletter"
	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/processor/progress"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// testOutputs returns outputs with the topics of every test.
func testOutputs(t *testing.T) *Outputs {
	t.Helper()
	outputs, err := New(Options{
		Topics: Topics{Alerts: "alerts", DeadLetters: "dead-letters"}, MaxRecordBytes: 1_000_000,
		Log: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(), Tally: new(progress.Tally), LookSoon: func() {},
	})
	if err != nil {
		t.Fatal(err)
	}
	return outputs
}

// noise returns n incompressible bytes, the same each time.
func noise(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{}).Read(b) // never fails
	return b
}

// A dead letter is written whole exactly once, whichever of its parts time out or turn out to be too large.
//
// Guards: letter.resent; the letter that send and again pass on.
func TestLetterIsWrittenOnce(t *testing.T) {
	t.Parallel()
	for name, timeouts := range map[string]int{"all parts rejected": 0, "timed out, then rejected": 5, "timed out again as smaller parts": 12} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var written []*kgo.Record
				var produced int
				out := testOutputs(t).Open(t.Context(), func(_ context.Context, r *kgo.Record, promise func(*kgo.Record, error)) {
					produced++
					switch {
					case produced > 1000:
						promise(r, kgo.ErrClientClosed) // ends an endless loop
					case produced <= timeouts:
						promise(r, kgo.ErrRecordTimeout)
					case deadletter.Size(r) > 100_000:
						promise(r, kerr.MessageTooLarge)
					default:
						written = append(written, r)
						promise(r, nil)
					}
				}, func() error { return nil })
				source := &kgo.Record{Topic: "cloudtrail", Value: noise(3_000_000)}
				out.Begin(source)
				fault := cloudtrail.Fault{Reason: cloudtrail.ReasonSyntax, Index: -1, Piece: source.Value}
				if err := out.DeadLetter(&detection.DeadLetter{Fault: fault, Count: 1}); err != nil {
					t.Fatal(err)
				}
				if err := out.Flush(); err != nil {
					t.Fatalf("after %d attempts: %v", produced, err)
				}
				var joined deadletter.Assembler
				whole := 0
				for i, r := range written {
					r.Offset = int64(i)
					l, err := deadletter.Parse(r)
					if err != nil {
						t.Fatal(err)
					}
					if l = joined.Add(l); l != nil && string(l.Value) == string(source.Value) {
						whole++
					}
				}
				if whole != 1 {
					t.Errorf("%d records hold the letter %d times, want once", len(written), whole)
				}
			})
		})
	}
}

// An alert that failed because the client asked a broker with an authentication failure, which it may do for any request,
// is retried.
//
// Guard: Failure.passes asks for authentication failures.
func TestAuthFailureIsRetried(t *testing.T) {
	tries := 0
	out := testOutputs(t).Open(t.Context(), func(_ context.Context, r *kgo.Record, promise func(*kgo.Record, error)) {
		if tries++; tries <= 2 {
			promise(r, kerr.SaslAuthenticationFailed)
			return
		}
		promise(r, nil)
	}, func() error { return nil })
	out.send(&kgo.Record{Topic: "alerts", Value: []byte("x")}, nil)
	if err := out.Flush(); err != nil || tries != 3 {
		t.Errorf("%v after %d tries, want it acknowledged after 3", err, tries)
	}
}

func TestAccountKey(t *testing.T) {
	t.Parallel()
	f := func(raw, want string) {
		t.Helper()
		if got := accountKey([]byte(raw)); string(got) != want || (want == "") != (got == nil) {
			t.Errorf("accountKey(%s) = %q, want %q", raw, got, want)
		}
	}
	f(`"123456789012"`, "123456789012")
	f(`"\u0031\u0032"`, "12")
	f(`123456789012`, "123456789012")
	f(``, "")
	f(`""`, "")
	longest := strings.Repeat("1", maxKeyBytes-2)
	f(`"`+longest+`"`, longest)
	f(`"1`+longest+`"`, "")
}

// Until Settle returns, a large record may be in flight; afterwards nothing holds it, whatever failed. In a transaction a
// failure is final, and the first of its kind is all that is kept.
//
// Guards: Settle flushes; Settle returns ErrDoomed; acks.fail forgets.
func TestSettle(t *testing.T) {
	t.Parallel()
	for name, transactional := range map[string]bool{"at least once": false, "transaction": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				outputs := testOutputs(t)
				outputs.o.Transactional = transactional
				written, produced, flushed := 0, 0, false
				out := outputs.Open(t.Context(), func(_ context.Context, r *kgo.Record, promise func(*kgo.Record, error)) {
					if produced++; produced <= 7 {
						promise(r, kgo.ErrRecordTimeout)
						return
					}
					written++
					promise(r, nil)
				}, func() error { flushed = true; return nil })
				source := &kgo.Record{Topic: "cloudtrail", Value: noise(20 << 20)}
				out.Begin(source)
				fault := cloudtrail.Fault{Reason: cloudtrail.ReasonSyntax, Index: -1, Piece: source.Value}
				if err := out.Settle(); err != nil || flushed { // nothing large is in flight
					t.Errorf("%v, flushed %t", err, flushed)
				}
				if err := out.DeadLetter(&detection.DeadLetter{Fault: fault, Count: 1}); err != nil {
					t.Fatal(err)
				}
				err := out.Settle()
				if out.pinned {
					t.Error("the next record waits, too")
				}
				if !transactional {
					if err != nil || written != produced-7 || written < 20 {
						t.Errorf("%v after %d attempts, %d written", err, produced, written)
					}
					return
				}
				failed, waited := out.Wait()
				if !errors.Is(err, ErrDoomed) || waited != nil || len(failed) != 1 || !errors.Is(failed[0].Err, kgo.ErrRecordTimeout) {
					t.Fatalf("%v, then %d failures and %v", err, len(failed), waited)
				}
				if f := failed[0]; len(f.Record.Value) > 0 || f.letter != nil || f.Record.Topic != "dead-letters" {
					t.Errorf("the failure keeps %+v", f)
				}
			})
		})
	}
}

// What was delivered is counted, each in its own counter.
func TestDelivered(t *testing.T) {
	s := testOutputs(t)
	a := Acked{alerts: 1, deadLetters: 2, unpublished: 3}
	a.findings.add(&finding{findingLabels{"default", "alerted"}, "event", time.Unix(100, 0)})
	s.Delivered(a)
	if got := s.o.Tally.Snapshot(); got.AlertsAcked != 1 || got.DeadLettersAcked != 2 || got.UnpublishedAcked != 3 {
		t.Errorf("%d alerts, %d dead letters, %d unpublished", got.AlertsAcked, got.DeadLettersAcked, got.UnpublishedAcked)
	}
	families, err := s.o.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(fmt.Sprint(families), "alerted") {
		t.Errorf("no finding is counted: %v", families)
	}
}
