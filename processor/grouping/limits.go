package grouping

import (
	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/processor/incident"
	"github.com/regionwatch/regionwatch/processor/policy"
)

// options returns the options of a partition. All share one Budget, which bounds the memory of the process however many
// partitions there are.
func (s *Stage) options(tp kadm.Partition) incident.Options {
	o := s.o.Limits
	o.Partition, o.Durable, o.Budget = tp.Partition, true, s.budget
	o.Settings = func(account string) policy.Incidents { return s.o.Policy().Incidents(account) }
	return o
}

// MemoryNeed implements processor.Stage.
func (s *Stage) MemoryNeed() processor.Need {
	return processor.Need{Bytes: int(s.budget.Bytes()), Why: "incidents and their alert ids"}
}
