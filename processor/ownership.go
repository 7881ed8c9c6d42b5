package processor

import (
	"sync"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/flow"
)

// ownership knows which partitions the group has assigned to one member, and when. Callbacks do not suffice for state: a
// GroupTransactSession passes on only the first revoke or loss between two transactions. It learns assignments from the
// group's answer itself, as a balancer, before the client acts on it.
type ownership struct {
	kgo.GroupBalancer

	mu         sync.Mutex
	owned      map[kadm.Partition]*term
	terms      int
	generation int32 // of the group, as of the last announcement
}

// term is one uninterrupted assignment of a partition.
type term struct {
	number    int
	announced bool // the client has told us: it is paused, and may be read once its state is restored
}

func newOwnership() *ownership {
	return &ownership{GroupBalancer: kgo.CooperativeStickyBalancer(), owned: make(map[kadm.Partition]*term)}
}

// ParseSyncAssignment implements kgo.GroupBalancer.
func (o *ownership) ParseSyncAssignment(raw []byte) (map[string][]int32, error) {
	assigned, err := o.GroupBalancer.ParseSyncAssignment(raw)
	if err != nil {
		return nil, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	owned := make(map[kadm.Partition]*term)
	flow.Each(assigned, func(tp kadm.Partition) {
		if owned[tp] = o.owned[tp]; owned[tp] == nil {
			o.terms++
			owned[tp] = &term{number: o.terms}
		}
	})
	o.owned = owned
	return assigned, nil
}

// announce records that the client has told us of its assignment in a generation.
func (o *ownership) announce(generation int32) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.generation = generation
	for _, t := range o.owned {
		t.announced = true
	}
}

// lose records that the member is out of the group.
func (o *ownership) lose() {
	o.mu.Lock()
	defer o.mu.Unlock()
	clear(o.owned)
}

// announced returns the partitions that are ours, with the number of their term.
func (o *ownership) announced() map[kadm.Partition]int {
	o.mu.Lock()
	defer o.mu.Unlock()
	terms := make(map[kadm.Partition]int)
	for tp, t := range o.owned {
		if t.announced {
			terms[tp] = t.number
		}
	}
	return terms
}

// owns reports whether a term goes on.
func (o *ownership) owns(tp kadm.Partition, number int) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	t := o.owned[tp]
	return t != nil && t.number == number
}

// inGeneration returns the generation as of the last announcement.
func (o *ownership) inGeneration() int32 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.generation
}
