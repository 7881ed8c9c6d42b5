package incident

import "sync/atomic"

// Budget limits what all Groupers of a process remember together, however many partitions it has. Zero limits mean the
// defaults. Groupers in different goroutines may share it; do not copy or change it after that.
//
// A restored partition is taken over whatever the Budget says, because its incidents exist, and their exact counts stay
// exact: only new alerts make estimates. But an instance may get the partitions of any number of others. Beyond twice
// MaxIDs, which still fits into Bytes, what is restored becomes estimates as well.
type Budget struct {
	MaxIncidents int64 // 0 means 200,000. Beyond it every new one joins a storm
	MaxIDs       int64 // alert ids, and large sketches for what they take; 0 means 10 million. Beyond it incidents of more than 64 alerts estimate their counts
	MaxGone      int64 // ended incidents that are remembered for late alerts; 0 means 100,000
	MaxDetail    int64 // bytes of names, escalations and account facts; 0 means 256 MiB. Beyond it lists are short

	incidents, ids, sketches, gone, detail, due atomic.Int64 // sketches in bytes
}

// Size returns how many incidents and alert ids are remembered.
func (b *Budget) Size() (incidents, ids int64) { return b.incidents.Load(), b.ids.Load() }

func limit(n, standard int64) int64 {
	if n <= 0 {
		return standard
	}
	return n
}

// What one takes, with what its container has spare while it grows. TestChargedMemory measures that none takes more.
const (
	incidentBytes = 2 << 10 // without detail; with up to smallSet ids, or a small sketch
	idBytes       = 40
	goneBytes     = 256
	accountBytes  = 384 // of detail, and its id
)

// Bytes returns the most memory that everything within the limits takes.
func (b *Budget) Bytes() int64 {
	return (b.maxIncidents()+b.maxStorms())*incidentBytes + b.maxIDs()*idBytes + b.maxDetail() + b.maxGone()*goneBytes
}

func (b *Budget) maxIDs() int64       { return limit(b.MaxIDs, 10_000_000) }
func (b *Budget) maxDetail() int64    { return limit(b.MaxDetail, 256<<20) }
func (b *Budget) maxGone() int64      { return limit(b.MaxGone, 100_000) }
func (b *Budget) maxIncidents() int64 { return limit(b.MaxIncidents, 200_000) }

// crowded reports whether new incidents must join storms.
func (b *Budget) crowded() bool { return b.incidents.Load() >= b.maxIncidents() }

// maxStorms is how many more there may be, which replace incidents: storms of accounts and windows, and late ones.
func (b *Budget) maxStorms() int64 { return (b.maxIncidents() + 3) / 4 }

// exhausted reports whether there is not even room for storms.
func (b *Budget) exhausted() bool { return b.incidents.Load() >= b.maxIncidents()+b.maxStorms() }

// hasRestored reports whether there is room for restored ids.
func (b *Budget) hasRestored() bool { return b.ids.Load() <= 2*b.maxIDs() }

func (b *Budget) hasIDs() bool    { return b.ids.Load()+b.sketches.Load()/idBytes <= b.maxIDs() }
func (b *Budget) hasGone() bool   { return b.gone.Load() <= b.maxGone() }
func (b *Budget) hasDetail() bool { return b.detail.Load() < b.maxDetail() }

// share is what one Grouper has of a Budget.
type share struct {
	of                                     *Budget
	incidents, ids, sketches, gone, detail int64
	due                                    int64 // entries acted on since the last Flush
}

func (s *share) addIncidents(n int) { s.incidents += int64(n); s.of.incidents.Add(int64(n)) }
func (s *share) addIDs(n int)       { s.ids += int64(n); s.of.ids.Add(int64(n)) }
func (s *share) addSketch(n int)    { s.sketches += int64(n); s.of.sketches.Add(int64(n)) }
func (s *share) addGone(n int)      { s.gone += int64(n); s.of.gone.Add(int64(n)) }
func (s *share) addDetail(n int)    { s.detail += int64(n); s.of.detail.Add(int64(n)) }
func (s *share) addDue(n int)       { s.due += int64(n); s.of.due.Add(int64(n)) }

// most returns how long a list may get.
func (s *share) most(n int) int {
	const few = 5
	if s.of.hasDetail() {
		return n
	}
	return min(n, few)
}

// release gives everything back, and what is used from now on counts for no one.
func (s *share) release() {
	s.addIncidents(-int(s.incidents))
	s.addIDs(-int(s.ids))
	s.addSketch(-int(s.sketches))
	s.addGone(-int(s.gone))
	s.addDetail(-int(s.detail))
	s.addDue(-int(s.due))
	s.of = &Budget{MaxIncidents: s.of.MaxIncidents, MaxIDs: s.of.MaxIDs, MaxGone: s.of.MaxGone, MaxDetail: s.of.MaxDetail}
}
