package admin

import (
	"time"

	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/processor/policy"
)

// Source is what the page shows. Its functions are called once a second, and must be safe for concurrent use.
type Source struct {
	Version string // of the program
	// Facts are the settings that tell this instance from others.
	Facts  []Fact
	Status func() processor.Status
	Policy func() PolicyState
	Recent *Recent
}

// Fact is a setting with its value.
type Fact struct{ Name, Value string }

// PolicyState is the policy that decides now, and what came of the last try to replace it.
type PolicyState struct {
	Policy *policy.Policy
	Origin string    // where it comes from: "file policy.yaml"
	Since  time.Time // since when it decides
	// Fault is why the last try to replace it failed, at FaultAt; empty where it did not.
	Fault   string
	FaultAt time.Time
}
