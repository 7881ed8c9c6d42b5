package integration

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"
)

// TestChaosRebalance has members join and leave every second, some of them without a word, for COUNT seconds. Meanwhile
// it freezes instances for longer than their session, in turn, and evicts members.
func TestChaosRebalance(t *testing.T) {
	c := startCluster(t, 1)
	const freeze, thaw = 2, 10 // seconds of each twelve
	d := all(t, c, 300, func(groups []*members) {
		guests := map[*members][]*process{}
		for second := range kills(t) {
			time.Sleep(time.Second)
			for _, g := range groups {
				frozen := g.instances[second/12%len(g.instances)].process()
				switch second % 12 {
				case freeze:
					frozen.signal(t, syscall.SIGSTOP)
				case thaw:
					frozen.signal(t, syscall.SIGCONT)
				case 5, 8, 11:
					g.evict(t, rand.Int())
				}
				guests[g] = append(guests[g], start(t, slices.Concat(g.arguments, []string{"--instance-id", fmt.Sprintf("%s-guest-%d", g.group, second)})...))
				if len(guests[g]) < 3 {
					continue
				}
				leaving := guests[g][0]
				guests[g] = guests[g][1:]
				if second%5 == 4 {
					leaving.kill()
				} else {
					leaving.stop(t)
				}
			}
		}
		for _, g := range groups {
			for _, i := range g.instances {
				i.process().signal(t, syscall.SIGCONT)
			}
			for _, guest := range guests[g] {
				guest.stop(t)
			}
		}
	})
	if d.restores <= float64(d.partitions) {
		t.Errorf("state was restored %v times for %d partitions: none has moved", d.restores, d.partitions)
	}
}
