// Package grouping is the stage of the processor that groups alerts into incidents.
//
// It keeps the state of the assigned partitions in memory. The processor gives it alerts and the time, writes what it
// returns in one transaction with the offsets, and restores it from the state topic. The package starts no goroutines
// and does no I/O but its log.
package grouping

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor"
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
	Logger   *slog.Logger // nil discards
	// Limits are those of all assigned partitions together; zero fields have the defaults of a Grouper, and a nil Budget
	// the defaults of a Budget. Partition, Settings and Durable are ignored.
	Limits incident.Options
}

// Stage groups alerts. It is safe for concurrent use. Make it with [New].
type Stage struct {
	o        Options
	budget   *incident.Budget
	restores restores

	mu     sync.Mutex
	parts  map[*part]bool
	totals totals
}

// New returns a stage without partitions, and registers its metrics.
func New(o Options) (*Stage, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Stage{o: o, budget: cmp.Or(o.Limits.Budget, &incident.Budget{}), parts: make(map[*part]bool)}
	return s, o.Registry.Register(s)
}

// all returns every partition's state.
func (s *Stage) all() []*part {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.parts))
}

// Check returns why the alerts topic cannot be read, by a record of it.
func (s *Stage) Check(r *kgo.Record) error {
	_, err := alert.ReadFacts(r.Value)
	if foreign, ok := errors.AsType[*alert.ForeignError](err); ok && foreign.Reason == alert.ForeignOCSF {
		return fmt.Errorf("topic %q holds OCSF findings (partition %d offset %d), and incidents are made of native alerts: set alert-format native and a new alert-topic",
			r.Topic, r.Partition, r.Offset)
	}
	return nil
}

// Restore implements processor.Stage.
func (s *Stage) Restore(tp kadm.Partition, read func(record func(key, value []byte) error) error) (processor.StageState, error) {
	for _, older := range s.all() {
		if older.partition == tp.Partition {
			older.supersede()
		}
	}
	done := s.restores.begin()
	current := s.o.Policy()
	r := incident.NewRestorer(s.options(tp.Partition))
	err := read(r.Record)
	var g *incident.Grouper
	if err == nil {
		g, err = r.Finish()
	} else {
		r.Release()
	}
	done(err == nil)
	if err != nil {
		return nil, err
	}
	p := &part{stage: s, partition: tp.Partition, grouper: g, policy: current, since: totals{written: make(map[string]uint64)}}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parts[p] = true
	return p, nil
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

// options returns the options of a partition. All share one Budget, which bounds the memory of the process however many
// partitions there are.
func (s *Stage) options(partition int32) incident.Options {
	o := s.o.Limits
	o.Partition, o.Durable, o.Budget = partition, true, s.budget
	o.Settings = func(account string) policy.Incidents { return s.o.Policy().Incidents(account) }
	return o
}

// MemoryNeed returns the most memory that the state of all partitions takes together, with the default limits.
func MemoryNeed() processor.Need {
	return processor.Need{Bytes: int((&incident.Budget{}).Bytes()), Why: "incidents and their alert ids"}
}
