package integration

import (
	"fmt"
	"testing"
	"time"
)

// TestChaosRebalance has members join and leave every second, some of them without a word.
func TestChaosRebalance(t *testing.T) {
	c := startCluster(t, 1)
	both(t, c, 500, func(drills []*drill) {
		guests := map[*drill][]*process{}
		for second := range 20 {
			time.Sleep(time.Second)
			for _, d := range drills {
				guests[d] = append(guests[d], start(t, append(d.arguments(), "--instance-id", fmt.Sprintf("%s-guest-%d", d.group, second))...))
				if len(guests[d]) < 3 {
					continue
				}
				leaving := guests[d][0]
				guests[d] = guests[d][1:]
				if second%5 == 4 {
					leaving.kill()
				} else {
					leaving.stop(t)
				}
			}
		}
		for _, d := range drills {
			for _, guest := range guests[d] {
				guest.stop(t)
			}
		}
	})
}
