package incident

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/regionwatch/regionwatch/schema/alert"
)

// population is open incidents with alerts as they might be at a large company, for each partition: mostly small ones, and
// some of 20,000 alerts. Mean is how many alerts an incident has.
type population struct{ partitions, incidents, mean int }

// atScale is what one process must hold in 1 GiB.
var atScale = population{partitions: 12, incidents: 200_000, mean: 50}

// alerts returns the alerts of one partition. They are valid until the next one.
func (p population) alerts(partition int) iter.Seq[*alert.Facts] {
	return func(yield func(*alert.Facts) bool) {
		r := rand.New(rand.NewPCG(uint64(partition), 1))
		n := partition << 32
		const large = 2_000 // one incident of so many has 20,000 alerts
		for i := partition; i < p.incidents; i += p.partitions {
			account := fmt.Sprintf("%012d", i/200)
			actor := fmt.Sprintf("arn:aws:iam::%s:role/team-%d-deployment-role", account, i%200/2)
			// The large ones have 10 alerts per incident on average.
			count := 1
			if p.mean > 10 {
				count += int(r.ExpFloat64() * float64(p.mean-11))
				if i%large == 0 {
					count = 20_000
				}
			}
			f := fact(0, day.Add(time.Hour), func(f *alert.Facts) {
				f.Account, f.Actor, f.Principal.Name = account, actor, actor[31:]
				f.Region = []string{"eu-west-3", "ap-east-1"}[i%2]
				f.AccountFacts = fmt.Appendf(nil, `{"name":"account %s","owner":"team@example.com","environment":"prod"}`, account)
			})
			for range count {
				n++
				f.ID = alertID(n)
				f.Action = fmt.Sprintf("Action%d", r.IntN(1+r.IntN(10)))
				f.Address = fmt.Sprintf("10.%d.%d.%d", i%250, i/250%250, r.IntN(3))
				f.Agent = []string{"aws-cli/2.31", "Boto3/1.40", "console.amazonaws.com"}[r.IntN(3)]
				f.Failed = r.IntN(4) == 0
				if !yield(f) {
					return
				}
			}
		}
	}
}

// group returns the Groupers of all partitions.
func (p population) group(budget *Budget, durable bool) []*Grouper {
	var all []*Grouper
	for partition := range p.partitions {
		g := New(Options{Settings: settings(), Budget: budget, Durable: durable})
		n := 0
		for f := range p.alerts(partition) {
			g.Add(f, day.Add(2*time.Hour))
			if n++; n%10_000 == 0 {
				g.Flush()
			}
		}
		g.Flush()
		all = append(all, g)
	}
	return all
}

func liveHeap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A hundredth of the population must fit into a hundredth of its memory.
func TestMemoryOfIncidents(t *testing.T) {
	const share = 100
	before := liveHeap()
	budget := &Budget{}
	all := population{partitions: 2, incidents: atScale.incidents / share, mean: atScale.mean}.group(budget, false)
	used := liveHeap() - before
	incidents, ids := budget.Size()
	if incidents != int64(atScale.incidents/share) || ids < int64(atScale.incidents*atScale.mean/share*9/10) {
		t.Errorf("%d incidents and %d ids", incidents, ids)
	}
	if per := used / uint64(incidents); per > 3_300 {
		t.Errorf("%d bytes for each incident with %d ids", per, ids/incidents)
	}
	runtime.KeepAlive(all)
	for _, g := range all {
		g.Release()
	}
	if incidents, ids := budget.Size(); incidents != 0 || ids != 0 || budget.detail.Load() != 0 {
		t.Errorf("after release: %d incidents, %d ids, %d bytes", incidents, ids, budget.detail.Load())
	}
}
