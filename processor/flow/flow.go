// Package flow limits what waits in memory and how fast records are taken: the queues between the poll loop and the
// workers, the records of a transaction, and the records of a second.
//
// It guarantees that queues stay within [HeldBytes] and one poll beyond it, and that a partition whose worker is stuck
// holds up no other. It starts no goroutines.
package flow

import (
	"context"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	// QueuedBytes is how much may wait for moving workers before the poll loop waits too.
	QueuedBytes = 8 << 20
	// HeldBytes is how much may wait for all workers, stuck ones included, before the poll loop waits.
	HeldBytes = 32 << 20
	// patience is how long the poll loop waits for the workers before it looks for the slow ones.
	patience = 100 * time.Millisecond
)

// pauser is the part of the client that flow needs.
type pauser interface {
	PauseFetchPartitions(map[string][]int32) map[string][]int32
	ResumeFetchPartitions(map[string][]int32)
}

// Flow limits what waits between the poll loop and the workers. While all workers keep moving, the poll loop simply
// waits for room, outside of a poll, so that rebalances can proceed. A partition whose worker is stuck is paused and
// does not hold up the others, until all such partitions together hold HeldBytes. It is resumed when its worker has
// nothing left, or goes away. Pausing discards what is already fetched and fetches it again, so it is only for slow
// partitions.
type Flow struct {
	client pauser
	room   chan struct{} // holds a token after bytes were released

	mu         sync.Mutex
	partitions map[kadm.Partition]*lane
	bytes      int // queued for partitions that are not paused
	all        int // queued for all partitions
}

// lane is one partition's share of flow.
type lane struct {
	bytes  int // queued and not done
	paused bool
	moved  bool // since the poll loop last lost patience
}

// NewFlow returns a Flow without partitions.
func NewFlow(client pauser) *Flow {
	return &Flow{client: client, room: make(chan struct{}, 1), partitions: make(map[kadm.Partition]*lane)}
}

// Open adds a partition.
func (f *Flow) Open(tp kadm.Partition) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.partitions[tp] = &lane{}
}

// Close removes a partition, its queue count and its pause: a pause outlives the assignment, and the partition would
// never be read again after it comes back.
func (f *Flow) Close(tp kadm.Partition) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.partitions[tp]
	if l == nil {
		return
	}
	delete(f.partitions, tp)
	f.release(l, l.bytes)
	if l.paused {
		f.client.ResumeFetchPartitions(AsMap(tp))
	}
}

// Put counts bytes queued for a partition.
func (f *Flow) Put(tp kadm.Partition, bytes int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.partitions[tp]
	if l == nil {
		return
	}
	l.bytes += bytes
	f.all += bytes
	if !l.paused {
		f.bytes += bytes
	}
	if l.bytes > QueuedBytes/2 {
		f.pause(tp, l)
	}
}

// Done releases bytes that a worker has decided.
func (f *Flow) Done(tp kadm.Partition, bytes int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.partitions[tp]
	if l == nil {
		return
	}
	l.moved = true
	f.release(l, bytes)
	if l.paused && l.bytes == 0 {
		l.paused = false
		f.client.ResumeFetchPartitions(AsMap(tp))
	}
}

// release subtracts bytes from a lane. f is locked.
func (f *Flow) release(l *lane, bytes int) {
	l.bytes -= bytes
	f.all -= bytes
	if !l.paused {
		f.bytes -= bytes
	}
	f.signal()
}

func (f *Flow) signal() {
	select {
	case f.room <- struct{}{}:
	default:
	}
}

// pause stops fetching a partition and removes it from the common count. f is locked.
func (f *Flow) pause(tp kadm.Partition, l *lane) {
	if l.paused {
		return
	}
	l.paused = true
	f.client.PauseFetchPartitions(AsMap(tp))
	f.bytes -= l.bytes
	f.signal()
}

// Wait returns when there is room for another poll, or when ctx ends.
func (f *Flow) Wait(ctx context.Context) {
	timer := time.NewTimer(patience)
	for !f.hasRoom() {
		select {
		case <-ctx.Done():
			return
		case <-f.room:
		case <-timer.C:
			f.pauseStuck()
			timer.Reset(patience)
		}
	}
}

func (f *Flow) hasRoom() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.bytes < QueuedBytes && f.all < HeldBytes
}

// pauseStuck pauses every partition that has work and has not finished a batch since the last call.
func (f *Flow) pauseStuck() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for tp, l := range f.partitions {
		if l.bytes > 0 && !l.moved {
			f.pause(tp, l)
		}
		l.moved = false
	}
}

// AsMap returns a partition as the client takes it.
func AsMap(tp kadm.Partition) map[string][]int32 {
	return map[string][]int32{tp.Topic: {tp.Partition}}
}

// Each calls f for every partition of m.
func Each(m map[string][]int32, f func(kadm.Partition)) {
	for topic, partitions := range m {
		for _, p := range partitions {
			f(kadm.Partition{Topic: topic, Partition: p})
		}
	}
}

var _ pauser = (*kgo.Client)(nil)
