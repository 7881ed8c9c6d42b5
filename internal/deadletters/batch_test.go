package deadletters

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/deadletter"
)

// noting is a target that writes nothing. A batch ends where it is asked for the first letter of the next.
type noting struct{ letters int }

func (n *noting) records(*deadletter.Letter) ([]*kgo.Record, error) { n.letters++; return nil, nil }

func (n *noting) smaller() bool { return false }

// dryRun is a replay that takes letters and writes nothing.
func dryRun(limit uint64) (*replaying, *noting) {
	target := new(noting)
	return &replaying{
		Replay: &Replay{Selection: everything(), MaxReplays: 1, DryRun: true, Limit: limit},
		inputs: &inputs{names: []string{inputTopic}}, ledger: newLedger(), missing: newLedger(), target: target,
	}, target
}

// A batch is bounded by the bytes of its letters, keys and values, and by their number: it waits in memory.
func TestBatchBounds(t *testing.T) {
	t.Parallel()
	f := func(name string, key, value, letters, want int) {
		t.Helper()
		g, target := dryRun(0)
		for i := range letters {
			r := letterRecord(inputTopic, 0, int64(i))
			r.Key, r.Value = []byte(strings.Repeat("k", key)), []byte(strings.Repeat("v", value))
			if err := g.take(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
		if target.letters != want || len(g.batch) != letters-want {
			t.Errorf("%s: %d letters are replayed, %d wait; want %d", name, target.letters, len(g.batch), want)
		}
	}
	f("few", 0, 10, 3, 0)
	f("large values", 0, 4<<20, 3, 2)
	f("large keys", 4<<20, 0, 3, 2)
	f("both, and a byte too few", 2<<20, 2<<20-1, 2, 0)
	f("many", 0, 0, maxBatch+1, maxBatch)
}

// The limit ends a replay with the record that reaches it, and not a batch too early.
func TestLimitEndsABatch(t *testing.T) {
	t.Parallel()
	for _, limit := range []uint64{1, 3} {
		g, target := dryRun(limit)
		for i := range int64(limit) {
			if target.letters > 0 {
				t.Errorf("limit %d: %d letters are replayed before it is reached", limit, target.letters)
			}
			err := g.take(t.Context(), letterRecord(inputTopic, 0, i))
			if reached := i == int64(limit)-1; errors.Is(err, ErrEnough) != reached || g.summary.More != reached {
				t.Errorf("limit %d: after letter %d: %v, more %v", limit, i, err, g.summary.More)
			}
		}
	}
}

// A plan that cannot be shown ends a dry run, whichever it is of a batch.
func TestPlanThatCannotBeShown(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for failing := range int64(2) {
		g, _ := dryRun(2)
		g.OnPlan = func(p *Plan) error {
			if p.Letter.Origin.Offset == failing {
				return broken
			}
			return nil
		}
		err := g.take(t.Context(), letterRecord(inputTopic, 0, 0))
		if err == nil {
			err = g.take(t.Context(), letterRecord(inputTopic, 0, 1))
		}
		if !errors.Is(err, broken) || g.summary.Replayed > 0 {
			t.Errorf("plan %d: %v, %+v", failing, err, g.summary)
		}
	}
}

// A letter that holds only a part of its record is not replayed as if that were the whole, and counts.
func TestReplayOfAPartOfARecord(t *testing.T) {
	t.Parallel()
	g, target := dryRun(1)
	r := letterRecord(inputTopic, 0, 0)
	r.Headers = slices.Insert(r.Headers, 3, kgo.RecordHeader{Key: deadletter.HeaderHolds, Value: []byte(deadletter.HoldsNothing)})
	if err := g.take(t.Context(), r); err != nil || target.letters > 0 || g.summary.Partial != 1 || g.summary.Whole() == nil {
		t.Errorf("%v, %+v", err, g.summary)
	}
}
