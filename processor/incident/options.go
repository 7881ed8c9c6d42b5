package incident

import "github.com/regionwatch/regionwatch/processor/policy"

// Options of a Grouper. All but Settings may be zero.
type Options struct {
	// Partition replaces the account of alerts that name none.
	Partition int32
	// Settings returns how the alerts of an account are grouped. It is called for each alert.
	Settings func(account string) policy.Incidents
	// Durable keeps track of what [Grouper.State] must write.
	Durable bool
	// Budget bounds the memory of all Groupers that have it. A process gives the same one to the Groupers of all its
	// partitions, and calls [Grouper.Release] when a partition is revoked or lost. Nil means one of its own.
	Budget *Budget

	MaxPerWindow int // incidents of one account and window before a storm; 0 means 1,000
	ExactIDs     int // alert ids of one incident before it estimates its counts; 0 means 1 million
}

func (o Options) withDefaults() Options {
	set := func(n *int, standard int) {
		if *n <= 0 {
			*n = standard
		}
	}
	set(&o.MaxPerWindow, 1_000)
	set(&o.ExactIDs, 1_000_000)
	if o.Budget == nil {
		o.Budget = &Budget{}
	}
	return o
}
