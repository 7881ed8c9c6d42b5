package processor

import (
	"context"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	// queuedBytes is how much may wait for moving workers before the poll loop waits too.
	queuedBytes = 8 << 20
	// heldBytes is how much may wait for all workers, stuck ones included, before the poll loop waits.
	heldBytes = 32 << 20
	// patience is how long the poll loop waits for the workers before it looks for the slow ones.
	patience = 100 * time.Millisecond
)

// pauser is the part of the client that flow needs.
type pauser interface {
	PauseFetchPartitions(map[string][]int32) map[string][]int32
	ResumeFetchPartitions(map[string][]int32)
}

// flow limits what waits between the poll loop and the workers. While all workers keep moving, the poll loop simply
// waits for room, outside of a poll, so that rebalances can proceed. A partition whose worker is stuck is paused and
// does not hold up the others, until all such partitions together hold heldBytes. It is resumed when its worker has
// nothing left, or goes away. Pausing discards what is already fetched and fetches it again, so it is only for slow
// partitions.
type flow struct {
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

func newFlow(client pauser) *flow {
	return &flow{client: client, room: make(chan struct{}, 1), partitions: make(map[kadm.Partition]*lane)}
}

// open adds a partition.
func (f *flow) open(tp kadm.Partition) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.partitions[tp] = &lane{}
}

// close removes a partition, its queue count and its pause: a pause outlives the assignment, and the partition would
// never be read again after it comes back.
func (f *flow) close(tp kadm.Partition) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.partitions[tp]
	if l == nil {
		return
	}
	delete(f.partitions, tp)
	f.release(l, l.bytes)
	if l.paused {
		f.client.ResumeFetchPartitions(asMap(tp))
	}
}

// put counts bytes queued for a partition.
func (f *flow) put(tp kadm.Partition, bytes int) {
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
	if l.bytes > queuedBytes/2 {
		f.pause(tp, l)
	}
}

// done releases bytes that a worker has decided.
func (f *flow) done(tp kadm.Partition, bytes int) {
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
		f.client.ResumeFetchPartitions(asMap(tp))
	}
}

// release subtracts bytes from a lane. f is locked.
func (f *flow) release(l *lane, bytes int) {
	l.bytes -= bytes
	f.all -= bytes
	if !l.paused {
		f.bytes -= bytes
	}
	f.signal()
}

func (f *flow) signal() {
	select {
	case f.room <- struct{}{}:
	default:
	}
}

// pause stops fetching a partition and removes it from the common count. f is locked.
func (f *flow) pause(tp kadm.Partition, l *lane) {
	if l.paused {
		return
	}
	l.paused = true
	f.client.PauseFetchPartitions(asMap(tp))
	f.bytes -= l.bytes
	f.signal()
}

// wait returns when there is room for another poll, or when ctx ends.
func (f *flow) wait(ctx context.Context) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
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

func (f *flow) hasRoom() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.bytes < queuedBytes && f.all < heldBytes
}

// pauseStuck pauses every partition that has work and has not finished a batch since the last call.
func (f *flow) pauseStuck() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for tp, l := range f.partitions {
		if l.bytes > 0 && !l.moved {
			f.pause(tp, l)
		}
		l.moved = false
	}
}

// asMap returns a partition as the client takes it.
func asMap(tp kadm.Partition) map[string][]int32 {
	return map[string][]int32{tp.Topic: {tp.Partition}}
}

// each calls f for every partition of m.
func each(m map[string][]int32, f func(kadm.Partition)) {
	for topic, partitions := range m {
		for _, p := range partitions {
			f(kadm.Partition{Topic: topic, Partition: p})
		}
	}
}

var _ pauser = (*kgo.Client)(nil)
