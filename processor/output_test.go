package processor

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/deadletter"
	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// A dead letter is written whole exactly once, whichever of its parts time out or turn out to be too large.
//
// Guards: letter.resent; the letter that send and again pass on.
func TestLetterIsWrittenOnce(t *testing.T) {
	t.Parallel()
	for name, timeouts := range map[string]int{"all parts rejected": 0, "timed out, then rejected": 5, "timed out again as smaller parts": 12} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p, err := New(optionsFor("broker:9092"))
				if err != nil {
					t.Fatal(err)
				}
				var written []*kgo.Record
				var produced int
				out := p.newOutput(t.Context(), func(_ context.Context, r *kgo.Record, promise func(*kgo.Record, error)) {
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
				source := &kgo.Record{Topic: inputTopic, Value: []byte(randomText(3_000_000))}
				out.begin(source)
				fault := cloudtrail.Fault{Reason: cloudtrail.ReasonSyntax, Index: -1, Piece: source.Value}
				if err := out.DeadLetter(&detection.DeadLetter{Fault: fault, Count: 1}); err != nil {
					t.Fatal(err)
				}
				if err := out.flush(); err != nil {
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
