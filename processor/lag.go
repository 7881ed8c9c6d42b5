package processor

import (
	"cmp"
	"slices"
	"sync"
)

// lagTable knows how far behind its end each assigned partition is. It is safe for concurrent use.
type lagTable struct {
	mu         sync.Mutex
	partitions map[topicPartition]*position
}

// position is where a partition stands.
type position struct {
	end  int64 // the offset of the record to come, as of the last fetch
	next int64 // the offset after the last record that is done
	seen bool  // whether next is known
}

// partitionLag is the lag of one partition.
type partitionLag struct {
	tp      topicPartition
	records int64
}

func newLagTable() *lagTable { return &lagTable{partitions: make(map[topicPartition]*position)} }

// fetched tells what a fetch brought: its first offset, and the partition's end.
func (t *lagTable) fetched(tp topicPartition, first, end int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.partitions[tp]
	if p == nil {
		p = &position{}
		t.partitions[tp] = p
	}
	p.end = end
	if !p.seen {
		p.next, p.seen = first, true
	}
}

// done tells that every record before next is done.
func (t *lagTable) done(tp topicPartition, next int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p := t.partitions[tp]; p != nil {
		p.next, p.seen = next, true
	}
}

// forget drops a partition that is not ours any more.
func (t *lagTable) forget(tp topicPartition) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.partitions, tp)
}

// all returns every partition's lag, ordered by topic and partition.
func (t *lagTable) all() []partitionLag {
	t.mu.Lock()
	defer t.mu.Unlock()
	lags := make([]partitionLag, 0, len(t.partitions))
	for tp, p := range t.partitions {
		lags = append(lags, partitionLag{tp, max(p.end-p.next, 0)})
	}
	slices.SortFunc(lags, func(a, b partitionLag) int {
		return cmp.Or(cmp.Compare(a.tp.topic, b.tp.topic), cmp.Compare(a.tp.partition, b.tp.partition))
	})
	return lags
}

// total returns the sum of all lags.
func (t *lagTable) total() (records int64) {
	for _, l := range t.all() {
		records += l.records
	}
	return records
}
