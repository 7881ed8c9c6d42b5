package processor

import (
	"cmp"
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// lagTable knows how far behind its end each assigned partition is. It is safe for concurrent use.
type lagTable struct {
	mu         sync.Mutex
	partitions map[topicPartition]*position
}

// position is where a partition stands.
type position struct {
	end    int64 // the offset of the record to come, as of the last fetch
	polled int64 // the offset after the last record that was polled
	next   int64 // the offset after the last record that is done
}

// partitionLag is the lag of one partition.
type partitionLag struct {
	tp      topicPartition
	records int64
}

func newLagTable() *lagTable { return &lagTable{partitions: make(map[topicPartition]*position)} }

// fetched tells what a fetch brought. It returns how many offsets the broker dropped, by retention or by
// hand, between what was polled before and the partition's first record. Where nothing was polled yet that
// is what the group had committed, which committed tells; negative means nothing.
func (t *lagTable) fetched(tp topicPartition, f *kgo.FetchPartition, committed func(topicPartition) int64) (dropped int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.partitions[tp]
	if p == nil {
		p = &position{polled: committed(tp)}
		if p.polled < 0 {
			p.polled = f.Records[0].Offset
		}
		p.next = p.polled
		t.partitions[tp] = p
	}
	dropped = max(f.LogStartOffset-p.polled, 0)
	p.end = f.HighWatermark
	p.polled = f.Records[len(f.Records)-1].Offset + 1
	return dropped
}

// done tells that every record before next is done.
func (t *lagTable) done(tp topicPartition, next int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p := t.partitions[tp]; p != nil {
		p.next = next
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
