package learn

import (
	"fmt"
	"slices"
	"time"

	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/processor/policy"
)

// Options of a draft.
type Options struct {
	MaxGroups int                       // how many groups there may be besides the default level; 0 means no limit
	Accounts  map[string]policy.Account // of the organization, by id: their names and units
	Source    string                    // of the traffic, for the policy's header
}

// Draft is a learned policy.
type Draft struct {
	Accounts []Account // regions added by merging are marked as ReasonWidened
	Skipped  Skipped
	options  Options
	levels   []level              // the final ones, the default first
	levelOf  map[string]regionSet // by account id
	units    map[string]unit      // by path
}

// Draft decides and groups. Call it once all events are added.
func (l *Learner) Draft(o Options) *Draft {
	d := &Draft{Accounts: l.Accounts(), Skipped: l.Skipped(), options: o, levelOf: map[string]regionSet{}}
	d.group()
	return d
}

// group finds the levels, and the units whose accounts all have one.
func (d *Draft) group() {
	levels := levelsOf(d.Accounts)
	most := len(levels)
	if d.options.MaxGroups > 0 {
		most = d.options.MaxGroups + 1
	}
	into := merge(levels, most)
	counts := map[regionSet]int{}
	for i := range d.Accounts {
		a := &d.Accounts[i]
		level := into[a.allowed]
		d.levelOf[a.ID] = level
		counts[level]++
		a.widen(level)
	}
	for allowed, n := range counts {
		d.levels = append(d.levels, level{allowed, n})
	}
	slices.SortFunc(d.levels, compareLevels)
	d.addUnits()
}

// widen marks the regions that the account's level allows but its own traffic does not.
func (a *Account) widen(level regionSet) {
	for i, r := range catalogue {
		if !level.has(i) || a.allowed.has(i) {
			continue
		}
		at, known := slices.BinarySearchFunc(a.Regions, i, func(x Region, place int) int { return x.place - place })
		if !known {
			a.Regions = slices.Insert(a.Regions, at, Region{Code: r.Code, Usage: &Usage{}, place: i})
		}
		a.Regions[at].Reasons = append(a.Regions[at].Reasons, ReasonWidened)
	}
}

// Review counts the pairs of account and region that need review by a person.
func (d *Draft) Review() (n int) {
	for i := range d.Accounts {
		for j := range d.Accounts[i].Regions {
			if len(d.Accounts[i].Regions[j].Reasons) > 0 {
				n++
			}
		}
	}
	return n
}

// Allowed returns the regions that the policy allows an account, in the order of the catalogue.
func (d *Draft) Allowed(account string) []string { return d.levelOf[account].codes() }

// day returns the date of a Unix time, or "unknown".
func day(unix int64) string {
	if unix == 0 {
		return "unknown"
	}
	return time.Unix(unix, 0).UTC().Format(time.DateOnly)
}

// describe summarizes in one line what was seen in a region.
func (r *Region) describe() string {
	u := r.Usage
	if u.Reads+u.Writes == 0 {
		return "no events were seen there"
	}
	text := fmt.Sprintf("%s (%s by services), %s, %s failed, on %s from %s to %s", display.Plural(u.Writes, "write"), display.Number(u.ServiceWrites),
		display.Plural(u.Reads, "read"), display.Number(u.Failed), display.Plural(u.days.len(), "day"), day(u.First), day(u.Last))
	if len(u.principals) > 0 {
		text += fmt.Sprintf("; %s, most by %s", display.Plural(u.Principals(), "principal"), display.Text(u.principals.top(1)[0].text))
	}
	return text
}
