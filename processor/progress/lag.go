package progress

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Lags knows the lag of each assigned partition. It is safe for concurrent use.
type Lags struct {
	mu         sync.Mutex
	partitions map[kadm.Partition]*position
}

// position is the position in a partition.
type position struct {
	end    int64 // the next offset to be written, as of the last fetch or look
	start  int64 // the offset that was read first, negative if unknown
	polled int64 // the offset after the last polled record
	next   int64 // the offset after the last finished record
	// since bounds the age of waiting records: the time of the last finished record, or the last time at which none
	// waited.
	since   time.Time
	moved   time.Time // when a record was last finished, or none waited
	fetched bool      // a fetch has brought records since the partition was assigned
	blind   bool      // no broker has told where the partition ends, as while it has no leader: records may wait
}

// Lag is the lag of one partition.
type Lag struct {
	Partition kadm.Partition
	Records   int64
	Behind    time.Duration // age of the oldest waiting record; 0 if none waits
	Stalled   time.Duration // since a record was last finished; 0 if none waits, as far as brokers tell
	Start     int64         // the offset that was read first; negative if unknown
	Next      int64         // the offset after the last finished record; negative if unknown
}

// NewLags returns an empty table.
func NewLags() *Lags { return &Lags{partitions: make(map[kadm.Partition]*position)} }

// Assigned starts tracking a partition: next is where reading starts, negative if unknown; end is where it ends, negative
// if no broker tells.
func (t *Lags) Assigned(tp kadm.Partition, next, end int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	next = max(next, -1)
	p := &position{start: next, polled: next, next: next, end: max(next, end), since: time.Now(), moved: time.Now(), blind: end < 0}
	if next < 0 {
		p.end = -1 // the next look knows both
	}
	t.partitions[tp] = p
}

// Fetched records what a fetch returned. It returns how many offsets the broker has dropped, by retention or by hand,
// between the last polled or committed record and the first one fetched.
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

// timestamp returns when a record was made, or now if its producer did not say.
func timestamp(r *kgo.Record) time.Time {
	if r.Timestamp.UnixMilli() <= 0 {
		return time.Now()
	}
	return r.Timestamp
}

// reaches records where the partition ends now.
func (p *position) reaches(end int64) {
	p.end, p.blind = end, false
	p.settle()
}

// settle notes if no record waits: later ones are younger.
func (p *position) settle() {
	if p.next >= p.end {
		p.since = time.Now()
		p.moved = p.since
	}
}

// earlier returns the earlier of two times: producers choose the timestamps of records, so these may be anything.
func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// Reach records where the partition starts and ends, as of a look at the broker. The end grows while nothing is
// fetched.
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

// Done records that every record before next is finished, the last of which was made at the time at.
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

// CaughtUp reports whether no record of a partition waits, as of the last fetch or look.
func (t *Lags) CaughtUp(tp kadm.Partition) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.partitions[tp]
	return p != nil && !p.blind && p.next >= 0 && p.next >= p.end
}

// Held records that fetched records wait because of the rate limit: partitions without unfinished polled records do not
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

// Forget drops a partition that is no longer ours.
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
		}
		if l.Records > 0 || p.blind {
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
