package processor

import (
	"cmp"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/regionwatch/regionwatch/processor/progress"

	"github.com/regionwatch/regionwatch/processor/detection"
)

// Status is a snapshot for display.
type Status struct {
	Counts     detection.Counts
	Stage      []StageCount // what a stage counted; nil without one
	Acked      uint64       // alerts that the broker has acknowledged
	DeadLetter uint64       // dead letters that the broker has acknowledged
	Assigned   int          // partitions
	Lag        int64        // records behind the end, as of the last fetches
	Connected  bool         // a broker has answered
	// Members are this process's members of the consumer group, by id.
	Members []progress.Member
	// Partitions are the assigned ones, by topic and number.
	Partitions []PartitionStatus
}

// PartitionStatus is the position in an assigned partition.
type PartitionStatus struct {
	Topic     string
	Partition int32
	Start     int64 // the first offset of this instance; -1 if unknown
	Next      int64 // the offset after the last record that is done; -1 if unknown
	Lag       int64 // records between Next and the end
	// Behind is the age of the oldest record that is not done, 0 if none waits.
	Behind time.Duration
}

// Status returns a snapshot. It may be called at any time from any goroutine.
func (p *Processor) Status() Status {
	t := p.tally.Snapshot()
	s := Status{
		Counts:     t.Counts,
		Acked:      t.AlertsAcked,
		DeadLetter: t.DeadLettersAcked,
		Assigned:   p.health.Partitions(),
		Lag:        p.lag.Total(),
		Connected:  p.health.Connected(),
		Members:    p.health.Group(),
	}
	if p.o.Stage != nil {
		s.Stage = p.o.Stage.Counts()
	}
	known := make(map[kadm.Partition]progress.Lag)
	for _, l := range p.lag.All() {
		known[l.Partition] = l
	}
	for _, tp := range p.health.Assignment() {
		status := PartitionStatus{Topic: tp.Topic, Partition: tp.Partition, Start: -1, Next: -1}
		if l, ok := known[tp]; ok {
			status.Start, status.Next, status.Lag, status.Behind = l.Start, l.Next, l.Records, l.Behind
		}
		s.Partitions = append(s.Partitions, status)
	}
	slices.SortFunc(s.Partitions, func(a, b PartitionStatus) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
	return s
}
