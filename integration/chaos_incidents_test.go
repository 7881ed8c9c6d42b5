package integration

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// incidentDrill is a load of alerts on its way through instances of incidents into a book.
type incidentDrill struct {
	members
	book     *incidentBook
	reader   *reader
	load     *alertLoad
	restores float64 // of the instances that were alive at the end
}

// startIncidents starts as many instances as asked for, and a load of rate alerts a second once they are ready.
func startIncidents(t *testing.T, c cluster, instances, rate int) *incidentDrill {
	t.Helper()
	s := newScene(t, c.Bootstrap(), 6)
	incidents, policy := s.group+"-incidents", filepath.Join(t.TempDir(), "policy.yaml")
	s.makeTopic(t, incidents, nil)
	if err := os.WriteFile(policy, []byte("default:\n  unused_regions: [eu-west-3]\n  incidents: {update_interval: 1s}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := &incidentDrill{members: members{scene: s, arguments: []string{
		"incidents", "--brokers", s.bootstrap, "--alert-topic", s.alerts, "--dead-letter-topic", s.deadLetters, "--incident-topic", incidents,
		"--incident-state-topic", s.group + "-state", "--incident-group", s.group, "--create-topics", "--policy", policy, "--session-timeout", "6s",
	}}}
	d.book = &incidentBook{last: make(map[string]incidentRecord), gaps: newGaps(), partitions: s.partitions}
	d.reader = follow(t, s.bootstrap, d.book.see, incidents)
	d.start(t, instances)
	d.load = startAlerts(t, s, rate)
	return d
}

// finish ends the load, waits until all of it is in incidents, and compares them with what was sent.
func (d *incidentDrill) finish(t *testing.T) {
	t.Helper()
	for _, i := range d.instances {
		i.working(t)
	}
	d.load.stop()
	if err := d.client.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, 2*time.Minute, func() error {
		if _, sum := d.book.counts(); sum < d.load.sum {
			return fmt.Errorf("%d of %d alerts are in incidents", sum, d.load.sum)
		}
		return nil
	})
	slowest := 0.0
	for _, i := range d.instances {
		m := i.process().conserved(t)
		d.restores += m["regionwatch_incident_restores_total"]
		slowest = max(slowest, m["regionwatch_incident_restore_seconds"])
	}
	for _, i := range d.instances {
		i.end(t)
	}
	d.reader.catchUp(t, time.Minute)
	d.check(t)
	t.Logf("incidents: longest stall %v, of one partition %v; %v restores, the last ones took up to %.2f s; %d aborted transactions by partition",
		d.book.gaps.longest[ofAll].Round(10*time.Millisecond), d.book.gaps.ofOne().Round(10*time.Millisecond), d.restores, slowest, d.reader.aborted)
}

// conserved waits until every alert that the process has read counts in one way, and returns its metrics.
func (p *process) conserved(t *testing.T) (m map[string]float64) {
	t.Helper()
	eventually(t, time.Minute, func() error {
		m = p.metrics(t)
		read := sum(m, "regionwatch_records_read_total") - sum(m, "regionwatch_records_returned_total")
		if counted := sum(m, "regionwatch_incident_alerts_total"); read != counted || read == 0 {
			return fmt.Errorf("%v alerts read, %v counted in one way or another", read, counted)
		}
		return nil
	})
	return m
}

// check compares the incidents with what was sent: every different alert is in exactly one, and revisions have no gap.
func (d *incidentDrill) check(t *testing.T) {
	t.Helper()
	counts, sum := d.book.counts()
	wrong := 0
	for who, want := range d.load.counts {
		if counts[who] != want {
			wrong++
			t.Errorf("%s: %d alerts, want %d", who, counts[who], want)
		}
	}
	for _, odd := range d.book.odd {
		t.Error(odd)
	}
	t.Logf("incidents: %d alerts and %d again, %d in %d incidents; %d wrong counts", d.load.sum, d.load.again, sum, len(d.book.last), wrong)
	if sum != d.load.sum || len(counts) != len(d.load.counts) {
		t.Errorf("%d alerts of %d principals, want %d of %d", sum, len(counts), d.load.sum, len(d.load.counts))
	}
}

// TestChaosIncidents strikes one of two instances of incidents with SIGKILL at random moments while alerts flow. For a
// reader of committed records, every different alert is in exactly one incident, and revisions have no gap.
func TestChaosIncidents(t *testing.T) {
	d := startIncidents(t, startCluster(t, 1), 2, 500)
	for n := range kills(t) {
		i := d.instances[rand.IntN(len(d.instances))]
		if n%4 == 3 { // while it starts, joins and restores
			time.Sleep(time.Duration(rand.IntN(600)) * time.Millisecond)
		} else {
			i.process().ready(t)
			_, seen := d.book.counts()
			eventually(t, time.Minute, func() error {
				_, now := d.book.counts()
				return moreThan(int(now), int(seen))
			})
			time.Sleep(time.Duration(rand.IntN(700)) * time.Millisecond)
		}
		i.strike(t)
	}
	d.finish(t)
}
