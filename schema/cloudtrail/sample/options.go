package sample

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// MaxAccounts is the number of available accounts.
const MaxAccounts = 900

// The defaults of [Options].
var (
	defaultRegions       = []string{"us-east-1", "us-west-2", "eu-west-1"}
	defaultUnusedRegions = []string{"ap-east-1", "eu-west-3", "eu-central-1"}
	defaultStart         = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
)

const (
	defaultAccounts        = 3
	defaultEventsPerRecord = 10
	defaultInterval        = 10 * time.Millisecond
)

// Options say what to make. The zero value is usable: three accounts, single events, nothing that matches and nothing
// damaged.
type Options struct {
	// Seed selects one of all possible runs.
	Seed uint64
	// Accounts is the number of accounts; 0 means 3, the most is MaxAccounts.
	Accounts int
	// Regions are the regions in use; nil means us-east-1, us-west-2 and eu-west-1. Calls to global services appear
	// only if us-east-1, where AWS records them, is among them.
	Regions []string
	// UnusedRegions are where matching events happen; nil means the rule's own list. Some read-only events happen there
	// too, which must not match.
	UnusedRegions []string
	// MatchShare is the share of events, from 0 to 1, that are writes in an unused region.
	MatchShare float64
	// DamagedShare is the share of records, from 0 to 1, with one of the kinds of [Damage].
	DamagedShare float64
	// Shapes are the chains of layers to wrap events in, the outermost first; each record takes one of them at random.
	// Nil means single events. [ParseShape] parses them.
	Shapes []cloudtrail.Chain
	// EventsPerRecord is the number of events in a record whose shape can hold several; 0 means 10.
	EventsPerRecord int
	// Start is the time of the first event; zero means 2026-11-01T00:00:00Z.
	Start time.Time
	// Interval is the time between events; 0 means 10 ms. Events are up to 5 s late, because log files are not in
	// order.
	Interval time.Duration
}

// withDefaults returns the options with every zero field set.
func (o Options) withDefaults() Options {
	if o.Accounts == 0 {
		o.Accounts = defaultAccounts
	}
	if o.Regions == nil {
		o.Regions = defaultRegions
	}
	if o.UnusedRegions == nil {
		o.UnusedRegions = defaultUnusedRegions
	}
	if o.Shapes == nil {
		o.Shapes = []cloudtrail.Chain{cloudtrail.Chain{}.Push(cloudtrail.ShapeEvent)}
	}
	if o.EventsPerRecord == 0 {
		o.EventsPerRecord = defaultEventsPerRecord
	}
	if o.Start.IsZero() {
		o.Start = defaultStart
	}
	if o.Interval == 0 {
		o.Interval = defaultInterval
	}
	return o
}

// validate names every fault of the options.
func (o Options) validate() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if o.Accounts < 1 || o.Accounts > MaxAccounts {
		fault("accounts: %d is not between 1 and %d", o.Accounts, MaxAccounts)
	}
	if !isShare(o.MatchShare) {
		fault("match share: %v is not between 0 and 1", o.MatchShare)
	}
	if !isShare(o.DamagedShare) {
		fault("damaged share: %v is not between 0 and 1", o.DamagedShare)
	}
	if o.EventsPerRecord < 1 {
		fault("events per record: %d is less than 1", o.EventsPerRecord)
	}
	if o.Interval < 0 {
		fault("interval: %v is negative", o.Interval)
	}
	if len(o.Regions) == 0 {
		fault("regions: none given")
	}
	if o.MatchShare > 0 && len(o.UnusedRegions) == 0 {
		fault("unused regions: none given, but the match share is %v", o.MatchShare)
	}
	for _, region := range slices.Concat(o.Regions, o.UnusedRegions) {
		if !isRegionCode(region) {
			fault("regions: %q is not a region code", region)
		}
	}
	for _, region := range o.UnusedRegions {
		if slices.Contains(o.Regions, region) {
			fault("regions: %s is both in use and unused", region)
		}
	}
	if len(o.Shapes) == 0 {
		fault("shapes: none given")
	}
	for _, chain := range o.Shapes {
		if err := checkShape(chain); err != nil {
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}

// isShare is false for NaN too.
func isShare(f float64) bool { return f >= 0 && f <= 1 }

// isRegionCode reports whether s needs no escaping in an event and in a host name.
func isRegionCode(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}
