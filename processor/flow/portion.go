package flow

import (
	"math/bits"
	"time"
)

// MaxTransaction limits the records of one transaction. Larger ones cost less per record, but a rebalance that aborts
// one causes all of it to be decided again.
const MaxTransaction = 50_000

// Portion is how many records a session takes into its next transaction. A transaction that takes too long is aborted by
// the broker, and would be again with the same records: after two long ones in a row the next ones are smaller, down to a
// single record. One alone says nothing of its records: a broker hung, or this process stood still. It belongs to the
// session's goroutine and outlives the session.
type Portion struct {
	Most int  // records; 0 means MaxTransaction
	long bool // the last transaction took too long

	overran int // transactions of a single record in a row that took longer than the broker allows
}

// shrinkBy is by how much a portion shrinks: soon enough to a single record, while each attempt costs the timeout.
const shrinkBy = 8

// Limit returns the most records of the next transaction.
func (p *Portion) Limit() int {
	if p.Most == 0 {
		return MaxTransaction
	}
	return p.Most
}

// Learn takes how long a transaction with that many records took, of the time that the broker allows.
func (p *Portion) Learn(records int, took, allowed time.Duration) {
	before := p.long
	p.long = took >= allowed/2
	switch {
	case p.long && before:
		p.Most = max(records/shrinkBy, 1)
	case took >= allowed/4 || p.Most == 0: // fits, or may have been an accident
	case p.Most >= MaxTransaction/2:
		p.Most = 0
	default:
		p.Most *= 2
	}
}

// Overran takes how a transaction ended, and returns how many in a row were aborted after they had taken longer than the
// broker allows, although they had a single record: no smaller one can follow. It returns 0 unless that is worth telling:
// the second time, because a broker may hang once, and then half as often each time.
func (p *Portion) Overran(records int, took, allowed time.Duration, aborted bool) (times int) {
	if !aborted || records > 1 || took < allowed {
		p.overran = 0
		return 0
	}
	p.overran++
	if p.overran < 2 || bits.OnesCount(uint(p.overran)) > 1 {
		return 0
	}
	return p.overran
}

// Least returns the smaller of two limits of which 0 is none.
func Least(a, b int) int {
	if a == 0 || b == 0 {
		return a + b
	}
	return min(a, b)
}
