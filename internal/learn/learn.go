// Package learn drafts a policy from observed traffic: it counts what each account does in each region, decides which
// regions are in use, and writes a policy with the evidence.
//
// It errs on the side of review: a region is allowed only if at least two principals wrote there on several days and
// began well before the end of the traffic. Writing in a new region for days, through services or as root gets a region
// into the review, not into an allow list. An actor with several principals and enough patience looks like normal use.
//
// What is learned depends on the events, never on their order or on how they were spread over learners: every count is a
// sum, a minimum, a maximum or a set, and what is bounded keeps what comes first in a fixed order. So the same logs give
// the same bytes, however many workers read them and however often they were interrupted.
//
// The package is pure: no clock, no I/O, no goroutines.
package learn

import (
	"slices"
	"time"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/processor/policy/regions"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// maxPlaces limits the pairs of account and region: 10,000 accounts in 34 regions, and some more.
const maxPlaces = 400_000

// place is an account and a region: the account's number, then the region's index in the catalogue.
type place uint64

const regionBits = 6

func newPlace(account uint64, region int) place { return place(account<<regionBits | uint64(region)) }

func (p place) account() uint64 { return uint64(p >> regionBits) }

func (p place) region() int { return int(p & (1<<regionBits - 1)) }

// Learner counts events by account and region. Make it with [NewLearner]. It belongs to one goroutine at a time: several
// workers have one each, and [Learner.Merge] brings together what they learned.
type Learner struct {
	clock   clock
	usages  map[place]*Usage
	limit   int   // maxPlaces
	beyond  place // the first that is too many; none if 0
	skipped Skipped

	// The place of the event before, because files have many of one place in a row.
	last      place
	lastUsage *Usage

	sources interner
	callers callers
}

// Skipped counts events that were not learned from, or only in part.
type Skipped struct {
	NoAccount     uint64 // without an account id
	UnknownRegion uint64 // in a region that the catalogue lacks, or without one
	Global        uint64 // of global services, in the only region where CloudTrail logs them
	Damaged       uint64 // that could not be read completely
	NoTime        uint64 // without a time, or with one in the future or decades ago: counted, but on no day
	TooMany       uint64 // of places beyond the limit, which are those of the accounts with the highest ids
}

func (s *Skipped) add(o *Skipped) {
	s.NoAccount += o.NoAccount
	s.UnknownRegion += o.UnknownRegion
	s.Global += o.Global
	s.Damaged += o.Damaged
	s.NoTime += o.NoTime
	s.TooMany += o.TooMany
}

// NewLearner returns a learner. It does not believe event times after now.
func NewLearner(now time.Time) *Learner {
	return &Learner{clock: newClock(now), usages: make(map[place]*Usage), limit: maxPlaces}
}

// Apart returns an empty learner with the same limits, to merge later.
func (l *Learner) Apart() *Learner {
	return &Learner{clock: l.clock, usages: make(map[place]*Usage), limit: l.limit}
}

// Add counts an event. It does not keep it.
func (l *Learner) Add(e *cloudtrail.Event) {
	account, ok := accountNumber(textOf(e.RecipientAccountID))
	if !ok {
		l.skipped.NoAccount++
		return
	}
	region, source := regions.Index(textOf(e.AWSRegion)), textOf(e.EventSource)
	switch {
	case e.Damage != nil:
		l.skipped.Damaged++
	case region < 0:
		l.skipped.UnknownRegion++
	case regions.LogsGlobally(region, source):
		l.skipped.Global++
	default:
		l.count(newPlace(account, region), source, e)
	}
}

func (l *Learner) count(p place, source []byte, e *cloudtrail.Event) {
	at := l.clock.unix(textOf(e.EventTime))
	if at == 0 {
		l.skipped.NoTime++
	}
	u := l.usage(p)
	if u == nil {
		l.skipped.TooMany++
		return
	}
	failed := !e.ErrorCode.IsNull()
	if policy.ReadOnlyOf(e.ReadOnly) != policy.ReadOnlyFalse {
		u.addRead(at, failed)
		return
	}
	o := write{at: at, failed: failed, source: l.sources.intern(source)}
	o.principal, o.isService = l.callers.of(e.UserIdentity)
	u.addWrite(&o)
}

// usage returns the usage of a place, or nil if the place is beyond the limit.
func (l *Learner) usage(p place) *Usage {
	if p == l.last && l.lastUsage != nil {
		return l.lastUsage
	}
	u := l.usages[p]
	if u == nil {
		if l.beyond > 0 && p >= l.beyond {
			return nil
		}
		u = &Usage{}
		l.usages[p] = u
		if len(l.usages) > l.limit+l.limit/4 {
			l.prune()
			if l.usages[p] != u {
				return nil
			}
		}
	}
	l.last, l.lastUsage = p, u
	return u
}

// prune drops the places beyond the limit. Those that stay have been there since their first event.
func (l *Learner) prune() {
	if len(l.usages) <= l.limit && l.beyond == 0 {
		return
	}
	if len(l.usages) > l.limit {
		l.beyond = l.places()[l.limit]
	}
	for p, u := range l.usages {
		if p >= l.beyond {
			l.skipped.TooMany += u.Reads + u.Writes
			delete(l.usages, p)
		}
	}
	l.last, l.lastUsage = 0, nil
}

// places returns the places in order.
func (l *Learner) places() []place {
	list := make([]place, 0, len(l.usages))
	for p := range l.usages {
		list = append(list, p)
	}
	slices.Sort(list)
	return list
}

// Merge moves what o learned to l. It leaves o empty.
func (l *Learner) Merge(o *Learner) {
	if o.beyond > 0 && (l.beyond == 0 || o.beyond < l.beyond) {
		l.beyond = o.beyond
	}
	for p, u := range o.usages {
		if known := l.usages[p]; known != nil {
			known.merge(u)
		} else {
			l.usages[p] = u
		}
	}
	l.skipped.add(&o.skipped)
	o.skipped, o.last, o.lastUsage = Skipped{}, 0, nil
	clear(o.usages)
	l.prune()
}

// Len returns how many pairs of account and region there are.
func (l *Learner) Len() int { return len(l.usages) }

// Skipped returns the counts of events that were not learned from.
func (l *Learner) Skipped() Skipped { return l.skipped }

// accountNumber reads the twelve digits of an account id.
func accountNumber(id []byte) (n uint64, ok bool) {
	if len(id) != 12 {
		return 0, false
	}
	for _, c := range id {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	return n, true
}
