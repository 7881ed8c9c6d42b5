package policy

import (
	"time"

	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// Decider decides one event after the other and remembers the identities that it read last, because whoever acts makes many
// calls. It belongs to one goroutine. The zero value is ready.
type Decider struct {
	subject subject
	known   actors
}

// Decide is [Policy.Decide] into d, which must be empty.
func (x *Decider) Decide(d *Decision, p *Policy, e *cloudtrail.Event, now time.Time) {
	if x.subject.known == nil {
		x.subject.known = &x.known
	}
	p.decide(d, e, now, &x.subject)
}

// Release lets go of the last event's bytes.
func (x *Decider) Release() { x.subject.reset(nil) }
