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

	MaxPerWindow int // incidents of one account and window before a storm; 0 means 1,000
	MaxIncidents int // incidents that are remembered; 0 means 200,000. Beyond it every new one joins a storm
	MaxIDs       int // alert ids that are remembered; 0 means 10 million. Beyond it incidents estimate their counts
	ExactIDs     int // alert ids of one incident before it estimates its counts; 0 means 1 million
	MaxGone      int // ended incidents that are remembered for late alerts; 0 means 100,000
}

func (o Options) withDefaults() Options {
	set := func(n *int, standard int) {
		if *n <= 0 {
			*n = standard
		}
	}
	set(&o.MaxPerWindow, 1_000)
	set(&o.MaxIncidents, 200_000)
	set(&o.MaxIDs, 10_000_000)
	set(&o.ExactIDs, 1_000_000)
	set(&o.MaxGone, 100_000)
	return o
}

// Counts say how alerts were counted: Read = Counted + Repeated + Below + Late.
type Counts struct {
	Read     uint64
	Counted  uint64 // in an incident
	Repeated uint64 // counted before
	Below    uint64 // in windows below their threshold
	Late     uint64 // in a late incident
}

// Add adds o to c.
func (c *Counts) Add(o Counts) {
	c.Read += o.Read
	c.Counted += o.Counted
	c.Repeated += o.Repeated
	c.Below += o.Below
	c.Late += o.Late
}
