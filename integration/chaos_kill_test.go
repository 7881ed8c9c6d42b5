package integration

import (
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// kills is how many times each kill test strikes: COUNT, or 20.
func kills(t *testing.T) int {
	t.Helper()
	count := os.Getenv("COUNT")
	if count == "" {
		return 20
	}
	n, err := strconv.Atoi(count)
	if err != nil || n < 1 {
		t.Fatalf("COUNT=%s: must be a number of kills, 1 or more", count)
	}
	return n
}

// drill is a load on its way through instances of the program into a ledger.
type drill struct {
	members
	delivery string
	ledger   *ledger
	reader   *reader
	load     *load
}

// startDrill starts as many instances as asked for, with more arguments, and a load of rate records a second once they are
// ready.
func startDrill(t *testing.T, c cluster, delivery string, partitions int32, instances, rate int, more ...string) *drill {
	t.Helper()
	m := members{scene: newScene(t, c.Bootstrap(), partitions)}
	m.arguments = slices.Clip(m.run(append([]string{"--delivery", delivery, "--session-timeout", "6s"}, more...)...))
	d := &drill{members: m, delivery: delivery, ledger: newLedger()}
	d.reader = follow(t, d.bootstrap, func(r *kgo.Record, at time.Time) { d.ledger.see(r, at) }, d.alerts, d.deadLetters)
	d.start(t, instances)
	d.load = startLoad(t, d.scene, d.ledger, rate, nil)
	return d
}

// finish ends the load, waits until all of it is processed, and checks the ledger. By then every instance
// that is alive must be ready and at work: none may stay alive and idle.
func (d *drill) finish(t *testing.T) account {
	t.Helper()
	for _, i := range d.instances {
		i.working(t)
	}
	d.load.stop(t)
	d.settle(t, 2*time.Minute)
	d.reader.catchUp(t, time.Minute)
	for _, i := range d.instances {
		i.end(t)
	}
	d.reader.catchUp(t, time.Minute)
	a := d.ledger.account()
	a.check(t, d.delivery)
	return a
}

// TestChaosKill strikes one of two instances with SIGKILL at random moments while a load is in flight.
func TestChaosKill(t *testing.T) {
	c := startCluster(t, 1)
	for _, delivery := range []string{atLeastOnce, exactlyOnce} {
		t.Run(delivery, func(t *testing.T) {
			d := startDrill(t, c, delivery, 8, 2, 1000)
			count, starting := kills(t), 0
			for n := range count {
				i := d.instances[rand.IntN(len(d.instances))]
				if n%4 == 3 { // while it starts, joins and initializes
					starting++
					time.Sleep(time.Duration(rand.IntN(400)) * time.Millisecond)
				} else { // while it works: alerts flow, and it has the backlog of its last death to read
					i.process().ready(t)
					seen := d.ledger.alertsSeen()
					eventually(t, time.Minute, func() error { return moreThan(d.ledger.alertsSeen(), seen) })
					time.Sleep(time.Duration(rand.IntN(500)) * time.Millisecond)
				}
				i.strike(t)
			}
			d.finish(t)
			t.Logf("%s: %d kills, %d of them while starting; %d aborted transactions by partition", delivery, count, starting, d.reader.aborted)
			if delivery == exactlyOnce && d.reader.aborted == 0 {
				t.Error("no kill has struck an open transaction: the test has proved nothing")
			}
		})
	}
}
