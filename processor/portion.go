package processor

import "time"

// portion is how many records a session takes into its next transaction. A transaction that takes too long is aborted by
// the broker, and would be again with the same records: after a long one the next ones are smaller, down to a single
// record. It belongs to the session's goroutine and outlives the session.
type portion struct {
	most int // records; 0 means maxTransaction
}

// shrinkBy is by how much a portion shrinks: soon enough to a single record, while each attempt costs the timeout.
const shrinkBy = 8

// limit returns the most records of the next transaction.
func (p *portion) limit() int {
	if p.most == 0 {
		return maxTransaction
	}
	return p.most
}

// learn takes how long a transaction with that many records took, of the time that the broker allows.
func (p *portion) learn(records int, took, allowed time.Duration) {
	switch {
	case took >= allowed/2:
		p.most = max(records/shrinkBy, 1)
	case took >= allowed/8 || p.most == 0: // fits
	case p.most >= maxTransaction/2:
		p.most = 0
	default:
		p.most *= 2
	}
}

// least returns the smaller of two limits of which 0 is none.
func least(a, b int) int {
	if a == 0 || b == 0 {
		return a + b
	}
	return min(a, b)
}
