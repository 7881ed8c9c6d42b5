// Package grouping is the stage of the processor that groups alerts into incidents.
//
// It keeps the state of the assigned partitions in memory. The processor gives it alerts and the time, writes what it
// returns in one transaction with the offsets, and restores it from the state topic. The package starts no goroutines
// and does no I/O.
package grouping

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/deadletter"
	"github.com/regionwatch/regionwatch/processor/incident"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/alert"
	incidents "github.com/regionwatch/regionwatch/schema/incident"
)

// Options of a Stage. The topics, Policy and Registry are required.
type Options struct {
	IncidentTopic string
	StateTopic    string
	OCSF          bool // write incidents as OCSF instead of native JSON

	// Policy returns the policy that says how alerts are grouped. It must be safe for concurrent use.
	Policy   func() *policy.Policy
	Registry *prometheus.Registry
	// Limits are those of all assigned partitions together; zero fields have the defaults of a Grouper, and a nil Budget
	// the defaults of a Budget. Partition, Settings and Durable are ignored.
	Limits incident.Options
}

// Stage groups alerts. It is safe for concurrent use, each partition by one goroutine at a time. Make it with [New].
type Stage struct {
	o      Options
	budget *incident.Budget

	mu     sync.Mutex
	parts  map[kadm.Partition]*part
	totals totals
}

// part is the state of one partition.
type part struct {
	mu      sync.Mutex
	grouper *incident.Grouper
	since   totals // since the last Commit
}

// New returns a stage without partitions, and registers its metrics.
func New(o Options) (*Stage, error) {
	s := &Stage{o: o, budget: cmp.Or(o.Limits.Budget, &incident.Budget{}), parts: make(map[kadm.Partition]*part)}
	return s, o.Registry.Register(s)
}

// part returns the state of a partition, nil if it has none.
func (s *Stage) part(tp kadm.Partition) *part {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.parts[tp]
}

// all returns every partition's state.
func (s *Stage) all() []*part {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*part, 0, len(s.parts))
	for _, p := range s.parts {
		list = append(list, p)
	}
	return list
}

// Take groups an alert, or returns why it is none.
func (s *Stage) Take(tp kadm.Partition, r *kgo.Record, now time.Time) *deadletter.Fault {
	p := s.part(tp)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.since.read++
	f, err := alert.ReadFacts(r.Value)
	if err != nil {
		p.since.unreadable++
		return unreadable(err)
	}
	before := p.grouper.Counts()
	p.grouper.Add(&f, stamp(r.Timestamp, now))
	after := p.grouper.Counts()
	p.since.count(&before, &after)
	return nil
}

// stamp returns the timestamp that counts: a producer may choose any, or none.
func stamp(t, now time.Time) time.Time {
	if t.After(now) || t.UnixMilli() <= 0 {
		return now
	}
	return t
}

// Flush returns the records to write for a partition, in the same transaction as the offsets of what was taken. If now
// is not zero, no alert waits, and the clock of the partition follows it.
func (s *Stage) Flush(tp kadm.Partition, now time.Time) []*kgo.Record {
	p := s.part(tp)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.grouper.Advance(now)
	list := p.grouper.Flush()
	state := p.grouper.State()
	records := make([]*kgo.Record, 0, len(list)+len(state))
	for _, i := range list {
		p.since.written[i.Activity]++
		records = append(records, s.record(i))
	}
	for _, r := range state {
		p.since.state++
		records = append(records, &kgo.Record{Topic: s.o.StateTopic, Partition: tp.Partition, Key: r.Key, Value: r.Value})
	}
	return records
}

// Commit says that everything up to now is written for good.
func (s *Stage) Commit(tp kadm.Partition) {
	p := s.part(tp)
	p.mu.Lock()
	since := p.since
	p.since = totals{written: make(map[string]uint64)}
	p.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.totals.add(&since)
}

// Drop forgets the state of a partition.
func (s *Stage) Drop(tp kadm.Partition) {
	p := s.part(tp)
	if p == nil {
		return
	}
	s.mu.Lock()
	delete(s.parts, tp)
	s.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.grouper.Release()
}

// Restore restores the state of a partition, which has none: the caller passes every record of its state to record and
// calls finish. The alerts topic has so many partitions.
func (s *Stage) Restore(tp kadm.Partition, partitions int) (record func(key, value []byte) error, finish func() error) {
	r := incident.NewRestorer(s.options(tp, partitions))
	return r.Record, func() error {
		g, err := r.Finish()
		if err != nil {
			return err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.parts[tp] = &part{grouper: g, since: totals{written: make(map[string]uint64)}}
		return nil
	}
}

// Open returns at most n open incidents of this instance as they are, the most important first. It may be called at any
// time from any goroutine.
func (s *Stage) Open(n int) []*incidents.Incident {
	var list []*incidents.Incident
	for _, p := range s.all() {
		p.mu.Lock()
		list = append(list, p.grouper.Open(n)...)
		p.mu.Unlock()
	}
	slices.SortFunc(list, incident.Compare)
	return list[:min(n, len(list))]
}
