package policies

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/internal/scan"
	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// verdict is a policy's decision about one event.
type verdict struct {
	outcome policy.Outcome
	alerts  bool
	text    string
	group   EventGroup // without its verb and count
}

// identity identifies an event of one record, independent of the policy. A damaged event may be decided for several
// regions.
type identity struct {
	index      int
	id, region string
}

// verdicts collects decisions. It is a [detection.Witness].
type verdicts struct {
	order []identity
	of    map[identity]verdict
}

// decideAll decides all events of a record.
func decideAll(p *policy.Policy, maxBytes int, r *detection.Record) *verdicts {
	v := &verdicts{of: map[identity]verdict{}}
	if err := detection.NewDetector(detection.Options{MaxEventBytes: maxBytes}).Explain(p, r, v); err != nil {
		panic("BUG: " + err.Error()) // the methods of verdicts return no errors
	}
	return v
}

// Event implements detection.Witness.
func (v *verdicts) Event(x *detection.Explanation) error {
	e, d := x.Event, verdict{text: x.DecisionText()}
	if x.Counted {
		d.outcome, d.alerts = x.Decision.Outcome, x.Decision.Outcome == policy.OutcomeAlerted
	}
	d.group = EventGroup{Account: e.RecipientAccountID.Text(), Region: e.AWSRegion.Text(), Event: strings.TrimSpace(strings.TrimSuffix(e.EventSource.Text(), ".amazonaws.com") + " " + e.EventName.Text())}
	if x.Alert != nil {
		d.group.describe(x.Alert)
	}
	at := identity{e.Index, e.EventID.Text(), d.group.Region}
	if _, seen := v.of[at]; !seen {
		v.order = append(v.order, at)
	}
	v.of[at] = d
	return nil
}

// Skip implements detection.Witness.
func (*verdicts) Skip(cloudtrail.Kind, cloudtrail.Chain) {}

// Fault implements detection.Witness.
func (*verdicts) Fault(*cloudtrail.Fault) error { return nil }

// EventDiff compares how two policies decide the same events.
type EventDiff struct {
	Total  uint64       `json:"total"`
	Alert  uint64       `json:"alert"`  // alert only under the new policy
	Silent uint64       `json:"silent"` // alerted only under the old policy
	Groups []EventGroup `json:"groups"`
	More   uint64       `json:"more"` // events without a group, because there are too many groups
}

// EventGroup is a group of events that change in the same way.
type EventGroup struct {
	Change    string `json:"change"` // "alert" or "silent"
	Count     uint64 `json:"count"`
	Account   string `json:"account"`
	Name      string `json:"accountName,omitempty"`
	Region    string `json:"region"`
	Event     string `json:"event"`
	Principal string `json:"principal"`
	Reason    string `json:"reason"`
}

func (g *EventGroup) describe(a *alert.Alert) {
	g.Principal, g.Name = strings.Clone(a.Principal.Name), display.NewAccountFacts(a.Policy.Account).Name
}

// maxGroups bounds the groups, whose keys come from events.
const maxGroups = 10_000

// CompareEvents decides the events of the sources with both policies.
func CompareEvents(before, after *policy.Policy, sources []scan.Source, maxEventBytes int, now time.Time) (*EventDiff, error) {
	d, groups := &EventDiff{Groups: []EventGroup{}}, map[EventGroup]uint64{}
	note := func(g EventGroup, change string, why verdict) {
		g.Change, g.Reason = change, why.text
		if _, known := groups[g]; !known && len(groups) == maxGroups {
			d.More++
			return
		}
		groups[g]++
	}
	visit := func(p *scan.Part) error {
		if p.PassedOver != nil {
			return nil
		}
		p.Record.DecidedAt = now
		old, next := decideAll(before, maxEventBytes, &p.Record), decideAll(after, maxEventBytes, &p.Record)
		for _, at := range next.order {
			d.Total++
			switch a, b := old.of[at], next.of[at]; {
			case b.alerts && !a.alerts:
				d.Alert++
				note(b.group, "alert", b)
			case a.alerts && !b.alerts:
				d.Silent++
				note(a.group, "silent", b)
			}
		}
		for _, at := range old.order { // a damaged event that does not alert has no verdict
			if _, decided := next.of[at]; !decided && old.of[at].alerts {
				d.Total++
				d.Silent++
				note(old.of[at].group, "silent", verdict{text: "no alert"})
			}
		}
		return nil
	}
	for i := range sources {
		if err := scan.Records(&sources[i], maxEventBytes, visit); err != nil {
			return d, err
		}
	}
	for g, n := range groups {
		g.Count = n
		d.Groups = append(d.Groups, g)
	}
	slices.SortFunc(d.Groups, func(a, b EventGroup) int {
		return cmp.Or(strings.Compare(a.Change, b.Change), cmp.Compare(b.Count, a.Count), strings.Compare(a.Account, b.Account), strings.Compare(a.Event, b.Event),
			strings.Compare(a.Region, b.Region), strings.Compare(a.Principal, b.Principal), strings.Compare(a.Reason, b.Reason))
	})
	return d, nil
}

func (d *EventDiff) print(w io.Writer) error {
	fmt.Fprintf(w, "%s: %s newly alert, %s fall silent\n", display.Plural(d.Total, "event"), display.Number(d.Alert), display.Number(d.Silent))
	if len(d.Groups) == 0 {
		return nil
	}
	const shown = 50 // the JSON form has all
	table := display.NewTable(w, "CHANGE", "EVENTS", "ACCOUNT", "REGION", "EVENT", "PRINCIPAL", "WHY").AlignRight(1).Whole(0, 2, 3).Extra(6)
	for i := range d.Groups[:min(len(d.Groups), shown)] {
		g := &d.Groups[i]
		account := g.Account
		if g.Name != "" {
			account = g.Name + " " + account
		}
		table.Row(map[string]string{"alert": "+ alerts", "silent": "- silent"}[g.Change], display.Number(g.Count), account, g.Region, g.Event, g.Principal, g.Reason)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if n := len(d.Groups) - shown; n > 0 {
		fmt.Fprintf(w, "and %s; --format json has all\n", display.Plural(n, "more group"))
	}
	return nil
}
