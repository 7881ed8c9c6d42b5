package processor

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/deadletter"
	"github.com/regionwatch/regionwatch/processor/topics"
)

// Stage is what a processor does with its records in place of detection. It is safe for concurrent use.
type Stage interface {
	// Check returns why the input cannot be read, by a record of it.
	Check(r *kgo.Record) error
	// Restore returns the state of a partition. read passes each record of it to record.
	Restore(tp kadm.Partition, read func(record func(key, value []byte) error) error) (StageState, error)
	// Counts returns what was done and committed since the start, always the same counts in the same order.
	Counts() []StageCount
}

// StageCount is a count of a stage, with its name in the log.
type StageCount struct {
	Name string
	N    uint64
}

// StageState is what a stage remembers of one partition: in memory, and in the state topic. What Flush returns is
// written in one transaction with the offsets of the records that were taken. If that does not commit, the state is
// dropped and restored. It belongs to one goroutine at a time.
type StageState interface {
	// Take takes a record, or returns why it cannot be read.
	Take(r *kgo.Record, now time.Time) *deadletter.Fault
	// Flush returns what to write now. If no record of the partition waits, now is the time, else zero.
	Flush(now time.Time) []*kgo.Record
	// Commit says that everything up to now is written for good.
	Commit()
	// Superseded reports whether the partition was restored again since, for another session of this process. A stage may
	// then forget the older state; nothing that comes from it may be committed.
	Superseded() bool
	// Drop says that the state is not used any more.
	Drop()
}

// stagePoll is how long a session with a stage waits for records before it looks whether something must be written.
const stagePoll = 500 * time.Millisecond

// staged is the part of a processor that only one with a stage needs.
type staged struct {
	mu     sync.Mutex
	held   map[kadm.Partition]int // how many sessions have the state in memory: two for a moment, when it moves
	ready  bool                   // all of them were once
	poison map[deadletter.Place]bool
}

// hold records that a session has, or no longer has, the state of a partition in memory.
func (g *staged) hold(tp kadm.Partition, n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.held == nil {
		g.held = make(map[kadm.Partition]int)
	}
	if g.held[tp] += n; g.held[tp] == 0 {
		delete(g.held, tp)
	}
}

// restored returns nil once the state of all partitions was in memory: later restores are part of the work.
func (g *staged) restored(assigned []kadm.Partition) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ready {
		return nil
	}
	missing := 0
	for _, tp := range assigned {
		if g.held[tp] == 0 {
			missing++
		}
	}
	if g.ready = missing == 0; !g.ready {
		return fmt.Errorf("restoring the state of %d partitions", missing)
	}
	return nil
}

// maxPoison limits the records that are remembered as poison. Beyond it a panic ends the session each time.
const maxPoison = 10_000

// isPoison reports whether a record has made the stage panic.
func (g *staged) isPoison(r *kgo.Record) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.poison[deadletter.Place{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset}]
}

func (g *staged) addPoison(r *kgo.Record) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.poison == nil {
		g.poison = make(map[deadletter.Place]bool)
	}
	if len(g.poison) < maxPoison {
		g.poison[deadletter.Place{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset}] = true
	}
}

// errPoison marks a transaction in which the stage panicked.
var errPoison = errors.New("the stage panicked")

// isStateError reports whether err says that the state cannot be used.
func isStateError(err error) bool {
	_, ok := errors.AsType[*topics.StateError](err)
	return ok
}
