package processor

import (
	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/processor/policy"
)

// decider carries a record from its bytes to its alerts and dead letters, and counts. It belongs to one
// goroutine at a time. It stands between us and detection.Detector so that delivery can be tested with
// a decision that a test controls.
type decider interface {
	Detect(p *policy.Policy, r *detection.Record, sink detection.Sink) error
	// take returns what was counted since it was last called.
	take() detection.Counts
}

// detector is the decider of production.
type detector struct{ *detection.Detector }

func (d detector) take() detection.Counts {
	counts := d.Counts
	d.Counts = detection.Counts{}
	return counts
}

// newDetector returns a decider with these options.
func (o *Options) newDetector() decider {
	return detector{detection.NewDetector(detection.Options{
		MaxEventBytes: o.MaxEventBytes,
		NoEventCopy:   o.NoEventCopy,
		Shadowed:      o.ShadowTopic != "",
		Exempted:      o.ExemptedTopic != "",
	})}
}
