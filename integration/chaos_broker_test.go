//go:build integration

package integration

import (
	"testing"
	"time"
)

// both starts a drill in each delivery mode on one cluster, has strike do its worst under their load, and
// finishes them.
func both(t *testing.T, c cluster, rate int, strike func(drills []*drill)) {
	t.Helper()
	drills := []*drill{
		startDrill(t, c, atLeastOnce, 6, 2, rate),
		startDrill(t, c, exactlyOnce, 6, 2, rate),
	}
	strike(drills)
	for _, d := range drills {
		d.finish(t)
	}
}

// TestChaosBrokerKilled kills each broker in turn and starts it again.
func TestChaosBrokerKilled(t *testing.T) {
	brokers := 3
	c := startCluster(t, brokers)
	if _, single := c.(*containerCluster); single {
		brokers = 1
	}
	both(t, c, 300, func([]*drill) {
		for id := 1; id <= brokers; id++ {
			time.Sleep(2 * time.Second)
			c.Kill(t, id)
			time.Sleep(3 * time.Second)
			c.Restart(t, id)
		}
		time.Sleep(5 * time.Second)
	})
}

// TestChaosBrokerPaused makes the only broker hang for longer than the members' session timeout, twice.
func TestChaosBrokerPaused(t *testing.T) {
	c := startCluster(t, 1)
	both(t, c, 300, func([]*drill) {
		for range 2 {
			time.Sleep(2 * time.Second)
			c.Pause(t, 1)
			time.Sleep(10 * time.Second)
			c.Resume(t, 1)
			time.Sleep(5 * time.Second)
		}
	})
}
