package grouping

import (
	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/regionwatch/regionwatch/processor/incident"
	"github.com/regionwatch/regionwatch/processor/policy"
)

// The limits of all partitions together, where Options has none, and the least for each of them. They depend on the
// number of partitions of the topic and not on how many are assigned, so that every instance groups alike.
const (
	maxIncidents, leastIncidents = 200_000, 5_000
	maxIDs, leastIDs             = 10_000_000, 250_000
	maxGone, leastGone           = 100_000, 5_000
)

// options returns the options of one partition of so many.
func (s *Stage) options(tp kadm.Partition, partitions int) incident.Options {
	o := s.o.Limits
	o.Partition, o.Durable = tp.Partition, true
	o.Settings = func(account string) policy.Incidents { return s.o.Policy().Incidents(account) }
	share := func(n *int, standard, least int) {
		if *n == 0 {
			*n = standard
		}
		*n = max(*n/max(partitions, 1), min(least, *n))
	}
	share(&o.MaxIncidents, maxIncidents, leastIncidents)
	share(&o.MaxIDs, maxIDs, leastIDs)
	share(&o.MaxGone, maxGone, leastGone)
	return o
}
