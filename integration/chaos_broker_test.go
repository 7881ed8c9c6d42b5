package integration

import (
	"testing"
	"time"
)

// all starts a drill in each delivery mode and one of incidents on one cluster, has strike do its worst under their load,
// and finishes them. It returns that of incidents.
func all(t *testing.T, c cluster, rate int, strike func(groups []*members)) *incidentDrill {
	t.Helper()
	drills := []*drill{
		startDrill(t, c, atLeastOnce, 6, 2, rate),
		startDrill(t, c, exactlyOnce, 6, 2, rate),
	}
	second := startIncidents(t, c, 2, rate)
	strike([]*members{&drills[0].members, &drills[1].members, &second.members})
	for _, d := range drills {
		d.finish(t)
	}
	second.finish(t)
	return second
}

// TestChaosBrokerKilled kills each of three brokers in turn and starts it again; then it makes each hang
// for longer than the members' session timeout. COUNT 40 does so twice.
func TestChaosBrokerKilled(t *testing.T) {
	c := startCluster(t, 3)
	_, single := c.(*containerCluster)
	rounds := max(1, kills(t)/20)
	all(t, c, 300, func([]*members) {
		for n := range 3 * rounds {
			if id := 1 + n%3; id == 1 || !single {
				time.Sleep(2 * time.Second)
				c.Kill(t, id)
				time.Sleep(3 * time.Second)
				c.Restart(t, id)
			}
		}
		for n := 0; n < 3*rounds && !single; n++ {
			time.Sleep(3 * time.Second)
			c.Pause(t, 1+n%3)
			time.Sleep(8 * time.Second)
			c.Resume(t, 1+n%3)
		}
		time.Sleep(5 * time.Second)
	})
}

// TestChaosBrokerPaused makes the only broker hang for longer than the members' session timeout and the
// transactions' own, twice.
//
// The broker must not be fenced meanwhile. A fenced only broker has partitions without a leader when it
// goes on, and Kafka 4.3.1 then skips the marker of a transaction that it aborts ("Couldn't find leader
// endpoint for partitions … likely deleted already and hence can be skipped"): readers see aborted
// records, or miss committed ones, whatever the client does.
func TestChaosBrokerPaused(t *testing.T) {
	c := startCluster(t, 1, "broker.session.timeout.ms=60000")
	all(t, c, 300, func([]*members) {
		for range 2 {
			time.Sleep(2 * time.Second)
			c.Pause(t, 1)
			time.Sleep(11 * time.Second)
			c.Resume(t, 1)
			time.Sleep(5 * time.Second)
		}
	})
}
