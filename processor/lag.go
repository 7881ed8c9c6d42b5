package processor

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// lagTable knows how far behind its end each assigned partition is. It is safe for concurrent use.
type lagTable struct {
	mu         sync.Mutex
	partitions map[topicPartition]*position
}

// position is where a partition stands.
type position struct {
	end    int64 // the offset of the record to come, as of the last fetch or look
	polled int64 // the offset after the last record that was polled
	next   int64 // the offset after the last record that is done
	// since is a time than which no record that waits is much older: that of the last record that is done, or the
	// last one at which nothing waited.
	since time.Time
}

// partitionLag is the lag of one partition.
type partitionLag struct {
	tp      topicPartition
	records int64
	behind  time.Duration // 0 where no record waits
	next    int64         // the offset after the last record that is done
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
		p = &position{polled: committed(tp), end: f.HighWatermark}
		if p.polled < 0 {
			p.polled = f.Records[0].Offset
		}
		p.next, p.since = p.polled, earlier(f.Records[0].Timestamp, now())
		t.partitions[tp] = p
	}
	dropped = max(f.LogStartOffset-p.polled, 0)
	p.reaches(f.HighWatermark)
	p.polled = f.Records[len(f.Records)-1].Offset + 1
	return dropped
}

// reaches tells where the partition ends now.
func (p *position) reaches(end int64) {
	p.end = end
	p.settle()
}

// settle notes that nothing waits, where that is so: what comes later is younger.
func (p *position) settle() {
	if p.next >= p.end {
		p.since = now()
	}
}

// earlier returns the earlier of two times: a record's timestamp is its producer's word, and may be any.
func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// ends tells where the partition ends, as of a look at the broker. It goes on growing while nothing is fetched.
func (t *lagTable) ends(tp topicPartition, end int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p := t.partitions[tp]; p != nil {
		p.reaches(max(end, p.end)) // a look may be older than the last fetch
	}
}

// done tells that every record before next is done, of which the last was made at the time at.
func (t *lagTable) done(tp topicPartition, next int64, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.partitions[tp]
	if p == nil {
		return
	}
	p.next = next
	if at = earlier(at, now()); at.After(p.since) {
		p.since = at
	}
	p.settle()
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
		l := partitionLag{tp: tp, records: max(p.end-p.next, 0), next: p.next}
		if l.records > 0 {
			l.behind = max(now().Sub(p.since), 0)
		}
		lags = append(lags, l)
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
