// Package learn drafts a policy from observed traffic: it counts what each account does in each region, decides which
// regions are in use, and writes a policy with the evidence.
//
// It errs on the side of review: a region is allowed only if at least two principals wrote there on several days and
// began well before the end of the traffic. Writing in a new region for days, through services or as root gets a region
// into the review, not into an allow list. An actor with several principals and enough patience looks like normal use.
//
// The package is pure: no clock, no I/O, no goroutines. A [Learner] is safe for concurrent use.
package learn

import (
	"strconv"
	"sync"
	"time"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/processor/policy/regions"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// maxPlaces limits the pairs of account and region: 10,000 accounts in 34 regions, and some more.
const maxPlaces = 400_000

// place is an account and a region of the catalogue.
type place struct {
	account uint64
	region  int
}

// shardCount is how many parts of a Learner can be written to at the same time.
const shardCount = 64

type shard struct {
	mu     sync.Mutex
	usages map[place]*Usage
}

// Learner counts events by account and region. Make it with [NewLearner].
type Learner struct {
	now    time.Time
	shards [shardCount]shard

	mu      sync.Mutex
	skipped Skipped
}

// Skipped counts events that were not learned from, or only in part.
type Skipped struct {
	NoAccount     uint64 // without an account id
	UnknownRegion uint64 // in a region that the catalogue lacks, or without one
	Global        uint64 // of global services, in the only region where CloudTrail logs them
	Damaged       uint64 // that could not be read completely
	NoTime        uint64 // without a time, or with a future one: counted, but on no day
	TooMany       uint64 // of places beyond the limit
}

// NewLearner returns a learner. It does not believe event times after now.
func NewLearner(now time.Time) *Learner {
	l := &Learner{now: now}
	for i := range l.shards {
		l.shards[i].usages = make(map[place]*Usage)
	}
	return l
}

// Add counts an event. It does not keep it.
func (l *Learner) Add(e *cloudtrail.Event) {
	var array [64]byte
	id := e.RecipientAccountID.AppendText(array[:0])
	account, err := strconv.ParseUint(string(id), 10, 64)
	if err != nil || len(id) != 12 {
		l.skip(func(s *Skipped) { s.NoAccount++ })
		return
	}
	p := place{account, regions.Index(e.AWSRegion.AppendText(array[:0]))}
	source := e.EventSource.AppendText(array[:0])
	switch {
	case e.Damage != nil:
		l.skip(func(s *Skipped) { s.Damaged++ })
	case p.region < 0:
		l.skip(func(s *Skipped) { s.UnknownRegion++ })
	case regions.LogsGlobally(p.region, source):
		l.skip(func(s *Skipped) { s.Global++ })
	default:
		l.count(p, source, e)
	}
}

func (l *Learner) count(p place, source []byte, e *cloudtrail.Event) {
	var array [64]byte
	var at time.Time
	if err := at.UnmarshalText(e.EventTime.AppendText(array[:0])); err != nil || at.After(l.now) || at.Unix() < 0 {
		at = time.Time{}
		l.skip(func(s *Skipped) { s.NoTime++ })
	}
	o := observation{at: at, failed: !e.ErrorCode.IsNull(), source: source, isWrite: policy.ReadOnlyOf(e.ReadOnly) == policy.ReadOnlyFalse}
	if o.isWrite {
		var name [2 * maxNameBytes]byte
		o.principal, o.isService = policy.AppendCaller(name[:0], e.UserIdentity)
	}
	s := &l.shards[p.account%shardCount]
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.usages[p]
	if u == nil {
		if len(s.usages) >= maxPlaces/shardCount*2 {
			l.skip(func(s *Skipped) { s.TooMany++ })
			return
		}
		u = &Usage{}
		s.usages[p] = u
	}
	u.add(&o)
}

func (l *Learner) skip(count func(*Skipped)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	count(&l.skipped)
}

// Skipped returns the counts of events that were not learned from.
func (l *Learner) Skipped() Skipped {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.skipped
}
