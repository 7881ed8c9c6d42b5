package progress

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Lags knows how far behind its end each assigned partition is. It is safe for concurrent use.
type Lags struct {
	mu         sync.Mutex
	partitions map[kadm.Partition]*position
}

// position is where a partition stands.
type position struct {
	end    int64 // the offset of the record to come, as of the last fetch or look
	start  int64 // the offset that it was first read from, negative while that is not known
	polled int64 // the offset after the last record that was polled
	next   int64 // the offset after the last record that is done
	// since is a time than which no record that waits is much older: that of the last record that is done, or the
	// last one at which nothing waited.
	since   time.Time
	moved   time.Time // when a record was last done, or nothing waited
	fetched bool      // a fetch has brought records since the partition was assigned
}

// Lag is how far behind one partition is.
type Lag struct {
	Partition kadm.Partition
	Records   int64
	Behind    time.Duration // age of the oldest waiting record; 0 if none waits
	Stalled   time.Duration // since a record was last done; 0 if none waits
	Start     int64         // the offset it was first read from; negative while unknown
	Next      int64         // the offset after the last record that is done; negative while unknown
}

// NewLags returns an empty table.
func NewLags() *Lags { return &Lags{partitions: make(map[kadm.Partition]*position)} }

// Assigned begins to count a partition: next is where it is read from, negative where that is not known yet; end is
// where it ends, or negative.
func (t *Lags) Assigned(tp kadm.Partition, next, end int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	next = max(next, -1)
	p := &position{start: next, polled: next, next: next, end: max(next, end), since: time.Now(), moved: time.Now()}
	if next < 0 {
		p.end = -1 // the next look knows both
	}
	t.partitions[tp] = p
}

// Fetched counts what a fetch brought. It returns how many offsets the broker has dropped, by retention or by hand,
// between what was polled before, or committed, and the partition's first record.
func (t *Lags) Fetched(tp kadm.Partition, f *kgo.FetchPartition) (dropped int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	first := f.Records[0]
	p := t.partitions[tp]
	if p == nil {
		p = &position{start: -1, polled: -1, next: -1, since: time.Now(), moved: time.Now()}
		t.partitions[tp] = p
	}
	if p.polled >= 0 {
		dropped = max(f.LogStartOffset-p.polled, 0)
	}
	if p.next < 0 {
		p.start, p.next = first.Offset, first.Offset
	}
	if !p.fetched {
		p.fetched, p.since = true, earlier(timestamp(first), p.since)
	}
	p.reaches(f.HighWatermark)
	p.polled = f.Records[len(f.Records)-1].Offset + 1
	return dropped
}

// timestamp returns when a record was made, now where its producer did not say.
func timestamp(r *kgo.Record) time.Time {
	if r.Timestamp.UnixMilli() <= 0 {
		return time.Now()
	}
	return r.Timestamp
}

// reaches tells where the partition ends now.
func (p *position) reaches(end int64) {
	p.end = end
	p.settle()
}

// settle notes that nothing waits, where that is so: what comes later is younger.
func (p *position) settle() {
	if p.next >= p.end {
		p.since = time.Now()
		p.moved = p.since
	}
}

// earlier returns the earlier of two times: a record's timestamp is its producer's word, and may be any.
func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// Reach says where the partition starts and ends, as of a look at the broker. The end grows while nothing is fetched.
func (t *Lags) Reach(tp kadm.Partition, start, end int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.partitions[tp]
	if p == nil {
		return
	}
	if p.next < 0 {
		p.start, p.next = start, start
	}
	p.reaches(max(end, p.end)) // a look may be older than the last fetch
}

// Done tells that every record before next is done, of which the last was made at the time at.
func (t *Lags) Done(tp kadm.Partition, next int64, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.partitions[tp]
	if p == nil {
		return
	}
	p.next, p.moved = next, time.Now()
	if at = earlier(at, time.Now()); at.After(p.since) {
		p.since = at
	}
	p.settle()
}

// Held tells that fetched records wait because of a limit: partitions of which nothing was polled that is not done do not
// stall.
func (t *Lags) Held() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.partitions {
		if p.polled <= p.next {
			p.moved = time.Now()
		}
	}
}

// Forget drops a partition that is not ours any more.
func (t *Lags) Forget(tp kadm.Partition) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.partitions, tp)
}

// All returns every partition's lag, ordered by topic and partition.
func (t *Lags) All() []Lag {
	t.mu.Lock()
	defer t.mu.Unlock()
	lags := make([]Lag, 0, len(t.partitions))
	for tp, p := range t.partitions {
		l := Lag{Partition: tp, Records: max(p.end-p.next, 0), Start: p.start, Next: p.next}
		if l.Records > 0 {
			l.Behind = max(time.Since(p.since), 0)
			l.Stalled = max(time.Since(p.moved), 0)
		}
		lags = append(lags, l)
	}
	slices.SortFunc(lags, func(a, b Lag) int {
		return cmp.Or(cmp.Compare(a.Partition.Topic, b.Partition.Topic), cmp.Compare(a.Partition.Partition, b.Partition.Partition))
	})
	return lags
}

// Total returns the sum of all lags.
func (t *Lags) Total() (records int64) {
	for _, l := range t.All() {
		records += l.Records
	}
	return records
}
