package progress

import (
	"sync"
	"time"

	"github.com/regionwatch/regionwatch/processor/detection"
)

// Totals is everything that is counted. While nothing is in flight it adds up: Read = Counts.Records + Abandoned.
type Totals struct {
	detection.Counts        // of records that are done for good: acknowledged, or committed in a transaction
	Read             uint64 // records polled from the broker
	Abandoned        uint64 // of those, abandoned before they were done: we or another member read them again

	AlertsAcked      uint64
	DeadLettersAcked uint64
	UnpublishedAcked uint64 // findings in shadow mode and exempted events
	AlertsShrunk     uint64
	HeadersOmitted   uint64 // of records that raised alerts: too large to be copied into them
	Redelivered      uint64 // alerts and dead letters that were tried again after their delivery timed out

	Commits        uint64
	CommitFailures uint64
	Committed      uint64 // transactions
	Aborted        uint64 // transactions
	Panics         uint64 // records set aside because deciding them panicked
	LargeBatches   uint64 // batches set aside because they are too large
	DataLosses     uint64
	Foreign        uint64        // members of the group that are not ours, now
	Recreated      uint64        // topics found to be deleted and created again
	StartSkipped   uint64        // records before the start position of a new group
	Limited        time.Duration // in which the limit of records per second held records back
	Dropped        uint64        // offsets that the broker dropped before they were read
}

// Tally is Totals for all goroutines. One lock makes each snapshot add up.
type Tally struct {
	mu     sync.Mutex
	totals Totals
}

// Update lets f change the totals in one atomic step.
func (t *Tally) Update(f func(*Totals)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f(&t.totals)
}

// Snapshot returns the current totals.
func (t *Tally) Snapshot() Totals {
	t.mu.Lock()
	defer t.mu.Unlock()
	totals := t.totals
	totals.Counts = t.totals.Counts.Clone()
	return totals
}
