package processor

import (
	"context"
	"errors"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
)

// A state that is not needed any more is not restored: it would supersede that of the session which has the partition now.
//
// Guard: keep in restoreOnce.
func TestRestoreNotNeeded(t *testing.T) {
	t.Parallel()
	c, l := newCluster(t, 1), new(ledger)
	if err := c.CreateTopic(stateTopic, 1, nil); err != nil {
		t.Fatal(err)
	}
	p, err := New(stagedOptions(c, "one", l))
	if err != nil {
		t.Fatal(err)
	}
	s, tp := openSession(t, p), kadm.Partition{Topic: inputTopic}
	for _, needed := range []bool{false, true} {
		h, err := s.restoreOnce(t.Context(), tp, func() bool { return needed })
		if (h.StageState != nil) != needed || len(l.parts) > 0 != needed || errors.Is(err, context.Canceled) == needed {
			t.Errorf("needed %t: %v, %v, %v", needed, h.StageState, l.parts, err)
		}
	}
}
