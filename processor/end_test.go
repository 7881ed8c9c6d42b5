package processor

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/processortest"
)

// slowEnd is a hook that makes one client take a second to close.
type slowEnd struct {
	id     string
	closed atomic.Bool
}

func (s *slowEnd) OnClientClosed(client *kgo.Client) {
	if fmt.Sprint(client.OptValue(kgo.ClientID)) == s.id {
		time.Sleep(time.Second)
		s.closed.Store(true)
	}
}

// Nothing of Run goes on after it.
//
// Guard: the wait for abortLeftovers in runExactlyOnce.
func TestNothingGoesOn(t *testing.T) {
	t.Parallel()
	inBubble(t, 1, func(t *testing.T, c *processortest.Cluster) {
		hook := &slowEnd{id: "regionwatch-leftovers"}
		o := exactlyOnce(c)
		o.ClientOpts = append(o.ClientOpts, kgo.WithHooks(hook))
		r := start(t, o)
		c.Eventually("ready", func() bool { return r.Ready() == nil })
		if r.mustStop(); !hook.closed.Load() {
			t.Error("it still looks for leftovers")
		}
	})
}

// cores is how many of them the tests began with.
var cores = runtime.GOMAXPROCS(0)

// A processor uses all cores that it may, and leaves that to others as it is.
//
// Guards: GOMAXPROCS in maxDeciders and newSession.
func TestCores(t *testing.T) {
	for range 2 {
		if s := quietSession(t); len(s.workers) != cores || cap(s.p.deciders.free) != 2*cores+2 || runtime.GOMAXPROCS(0) != cores {
			t.Errorf("%d workers and %d deciders on %d cores, want all %d", len(s.workers), cap(s.p.deciders.free), runtime.GOMAXPROCS(0), cores)
		}
	}
}
