package output

import (
	"errors"
	"fmt"
	"slices"

	"github.com/regionwatch/regionwatch/processor/progress"
	"github.com/regionwatch/regionwatch/processor/retry"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Wait returns once every record was acknowledged or has failed, and what failed.
func (out *Output) Wait() ([]Failure, error) { return out.acks.wait(out.ctx) }

// Flush waits until every record is acknowledged. It retries failures that time or a smaller size can fix; any other is
// returned, and then nothing of the batch may be marked.
func (out *Output) Flush() error {
	for rounds := 1; ; rounds++ {
		failed, err := out.acks.wait(out.ctx)
		if err != nil || len(failed) == 0 {
			return err
		}
		if i := slices.IndexFunc(failed, Failure.passes); i >= 0 {
			out.s.o.Log.Warn("not acknowledged, trying again", "topic", failed[i].Record.Topic, "records", len(failed), "error", failed[i].Err)
			_ = retry.Sleep(out.ctx, retry.Backoff(rounds)) // the client may fail at once; a canceled ctx fails what is produced again
		}
		for _, f := range failed {
			if err := out.again(f); err != nil {
				return fmt.Errorf("producing to topic %q: %w", f.Record.Topic, err)
			}
		}
	}
}

// passes reports whether time alone may fix the failure. A broker that refuses us may be one of several, which the
// client happened to ask for a leader or a producer id; health knows when all of them refuse.
func (f Failure) passes() bool { return retry.IsDeliveryTimeout(f.Err) || retry.IsAuthFailure(f.Err) }

// again produces a record again, or returns why that cannot help.
func (out *Output) again(f Failure) error {
	switch {
	case errors.Is(f.Err, kerr.MessageTooLarge):
		return out.smaller(f)
	case retry.IsRecreated(f.Err):
		out.s.o.LookSoon()
		return fmt.Errorf("%w: %w", retry.ErrRenew, f.Err)
	case f.passes():
		if retry.IsMissingTopic(f.Err) {
			out.s.o.LookSoon()
		}
		if err := out.stop(); err != nil {
			return err
		}
		out.s.o.Tally.Update(func(t *progress.Totals) { t.Redelivered++ })
		out.send(reproducible(f.Record), f.letter)
		return nil
	default:
		return f.Err
	}
}

// smaller produces a record that was rejected as too large: first unchanged but alone, because others may have been in
// its batch; then smaller and smaller, an alert without its copy of the event, a dead letter in more parts. A letter
// that was sent in smaller parts is complete: its other rejected parts are not sent again.
func (out *Output) smaller(f Failure) error {
	if f.letter != nil && f.letter.resent {
		return nil
	}
	records := []*kgo.Record{reproducible(f.Record)}
	for {
		err := out.oneByOne(records, f.letter)
		if !errors.Is(err, kerr.MessageTooLarge) || !out.s.limits.lower(records[0]) {
			return err
		}
		if records, err = out.resize(f); err != nil {
			return err
		}
	}
}

// resize returns the failed record, or its whole letter, in records within the current limit.
func (out *Output) resize(f Failure) ([]*kgo.Record, error) {
	if f.letter != nil {
		f.letter.resent = true
		return f.letter.Records(out.s.limits.Batch(f.Record.Topic)), nil
	}
	r := reproducible(f.Record)
	return []*kgo.Record{r}, out.shrink(r)
}

// oneByOne produces each record after the previous one is acknowledged, and returns the first error that time cannot
// fix.
func (out *Output) oneByOne(records []*kgo.Record, l *letter) error {
	for _, r := range records {
		if err := out.alone(r, l); err != nil {
			return err
		}
	}
	return nil
}

// alone produces one record while nothing else is in flight, retrying as often as it takes.
func (out *Output) alone(r *kgo.Record, l *letter) error {
	out.send(r, l)
	for rounds := 1; ; rounds++ {
		failed, err := out.acks.wait(out.ctx)
		if err != nil || len(failed) == 0 {
			return err
		}
		if errors.Is(failed[0].Err, kerr.MessageTooLarge) {
			return failed[0].Err
		}
		_ = retry.Sleep(out.ctx, retry.Backoff(rounds)) // a canceled ctx fails what is produced again
		if err := out.again(failed[0]); err != nil {
			return err
		}
	}
}

// reproducible returns r as it was before it was produced: the client sets fields of records that fail. Its context holds
// its finding and its trace.
func reproducible(r *kgo.Record) *kgo.Record {
	return &kgo.Record{Topic: r.Topic, Key: r.Key, Value: r.Value, Headers: r.Headers, Context: r.Context}
}
