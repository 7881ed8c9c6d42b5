// Package policies answers questions about policies: what a policy says, what changes between two policies, and whether a
// policy decides test cases as expected.
package policies

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/processor/policy/regions"
)

// Summary is what a policy says: how many accounts each level applies to, for how many accounts each region is unused, and
// which exceptions expire.
type Summary struct {
	Levels   []LevelSummary  `json:"levels"`
	Regions  []RegionSummary `json:"unusedRegions"`
	Expiries []policy.Expiry `json:"expiries,omitempty"`
}

// LevelSummary is one level, or all accounts with their own level.
type LevelSummary struct {
	Level    string `json:"level"`
	Accounts int    `json:"accounts"` // accounts that the policy names
	Rule     string `json:"rule"`
	Severity string `json:"severity"`
	Mode     string `json:"mode"`
	// Incidents is how alerts are grouped, unless it is the default.
	Incidents *policy.Grouping `json:"incidents,omitempty"`
}

// RegionSummary is an unused region.
type RegionSummary struct {
	Region   string `json:"region"`
	Accounts int    `json:"accounts"` // accounts that the policy names
	Default  bool   `json:"default"`  // also for accounts that the policy does not name
}

// Summarize summarizes a policy at a point in time.
func Summarize(p *policy.Policy, now time.Time) *Summary {
	s := &Summary{Expiries: p.Expiries(now)}
	at := map[string]int{}
	unused, ofDefault, partitions := map[string]int{}, map[string]bool{}, map[string]bool{}
	add := func(e *policy.Effective, n int) {
		name := e.Level
		if strings.HasPrefix(name, "account ") && n > 0 {
			name, e.Listed = "accounts on their own", nil
		}
		i, ok := at[name]
		if !ok {
			i = len(s.Levels)
			at[name] = i
			s.Levels = append(s.Levels, newLevelSummary(name, e))
		}
		s.Levels[i].Accounts += n
	}
	standard := p.Effective("", now)
	notePartitions(partitions, standard.Listed)
	for _, code := range standard.Unused {
		ofDefault[code] = true
	}
	add(&standard, 0)
	for _, id := range p.Accounts() {
		e := p.Effective(id, now)
		notePartitions(partitions, e.Listed)
		for _, code := range e.Unused {
			unused[code]++
		}
		add(&e, 1)
	}
	for _, r := range regions.All() {
		if partitions[r.Partition] && (unused[r.Code] > 0 || ofDefault[r.Code]) {
			s.Regions = append(s.Regions, RegionSummary{r.Code, unused[r.Code], ofDefault[r.Code]})
		}
	}
	return s
}

func notePartitions(partitions map[string]bool, codes []string) {
	for _, code := range codes {
		r, _ := regions.Lookup(code)
		partitions[r.Partition] = true
	}
}

func newLevelSummary(name string, e *policy.Effective) LevelSummary {
	s := LevelSummary{Level: name, Severity: e.Severity, Mode: "alert", Rule: ruleText(e)}
	if e.Listed == nil {
		s.Severity, s.Rule, s.Mode = "-", "each its own", "-"
		return s
	}
	if e.Shadow {
		s.Mode = "shadow"
	}
	if !isDefaultGrouping(&e.Incidents) {
		s.Incidents = &e.Incidents
	}
	return s
}

func isDefaultGrouping(g *policy.Grouping) bool {
	standard := policy.DefaultIncidents.Grouping()
	return len(g.Differences(&standard)) == 0
}

// ruleText describes the region list of a level.
func ruleText(e *policy.Effective) string {
	if e.AllowList {
		return "all unused but " + strings.Join(e.Listed, ", ")
	}
	return "unused " + strings.Join(e.Listed, ", ")
}

// Print formats the summary for people.
func (s *Summary) Print(w io.Writer) error {
	table := display.NewTable(w, "LEVEL", "ACCOUNTS", "REGIONS", "SEVERITY", "MODE")
	for _, l := range s.Levels {
		accounts := display.Number(l.Accounts)
		if l.Level == "default" {
			accounts += " and all others"
		}
		table.Row(l.Level, accounts, l.Rule, l.Severity, l.Mode)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if err := s.printGroupings(w); err != nil {
		return err
	}
	if len(s.Expiries) > 0 {
		fmt.Fprintln(w)
		table = display.NewTable(w, "EXCEPTION", "OWNER", "EXPIRES")
		for _, x := range s.Expiries {
			at := display.Time(x.Expires)
			if x.Expired {
				at += " (expired)"
			}
			table.Row(x.Name, x.Owner, at)
		}
		if err := table.Flush(); err != nil {
			return err
		}
	}
	list := slices.Clone(s.Regions)
	slices.SortStableFunc(list, func(a, b RegionSummary) int { return b.Accounts - a.Accounts })
	fmt.Fprintln(w)
	table = display.NewTable(w, "UNUSED REGION", "ACCOUNTS", "BY DEFAULT").AlignRight(1)
	for _, r := range list {
		table.Row(r.Region, r.Accounts, map[bool]string{true: "yes", false: "no"}[r.Default])
	}
	return table.Flush()
}

// printGroupings prints how the alerts of the levels are grouped that do not do it as by default.
func (s *Summary) printGroupings(w io.Writer) error {
	first := true
	for _, l := range s.Levels {
		if l.Incidents == nil {
			continue
		}
		if first {
			fmt.Fprintln(w)
			first = false
		}
		if _, err := fmt.Fprintln(w, display.Text("incidents of "+l.Level+": "+l.Incidents.Text())); err != nil {
			return fmt.Errorf("writing the summary: %w", err)
		}
	}
	return nil
}

// Show writes what applies to an account or, if id is empty, to every account that the policy does not name.
func Show(w io.Writer, p *policy.Policy, id string, now time.Time) error {
	e := p.Effective(id, now)
	var t display.Fields
	if id == "" {
		id = "any that the policy does not name"
	}
	t.Title("account " + id)
	if e.Account != nil {
		t.Add("description", string(e.Account))
	}
	t.Add("level", e.Level)
	t.Add("regions", ruleText(&e))
	unused := RegionList(e.Unused)
	if e.AllowList {
		unused += ", and every region that AWS opens after " + regions.Date
	}
	t.Add("unused", unused)
	t.Add("global services", map[bool]string{true: "pass in the region where CloudTrail logs them", false: "like any other"}[e.ExemptGlobalServices])
	t.Add("missing readOnly", e.MissingReadOnly)
	t.Add("severity", e.Severity+"; "+e.FailedSeverity+" for failed calls")
	t.Add("mode", map[bool]string{true: "shadow", false: "alert"}[e.Shadow])
	if !isDefaultGrouping(&e.Incidents) {
		t.Add("incidents", e.Incidents.Text())
	}
	t.Add("exceptions", display.List(e.Exceptions))
	t.Add("policy", "version "+p.Version()+", content "+p.Hash())
	_, err := t.WriteTo(w)
	return err
}

// RegionList joins region codes. If all regions of a partition are listed, it names the partition instead: with an allow
// list, that is every partition but the company's own.
func RegionList(codes []string) string {
	missing := map[string]bool{} // partitions with a region that is not listed
	for _, r := range regions.All() {
		if !slices.Contains(codes, r.Code) {
			missing[r.Partition] = true
		}
	}
	var list, whole []string
	for _, r := range regions.All() {
		name := "all of " + r.Partition
		switch {
		case !slices.Contains(codes, r.Code) || !missing[r.Partition] && slices.Contains(whole, name):
		case missing[r.Partition]:
			list = append(list, r.Code)
		default:
			whole = append(whole, name)
		}
	}
	return strings.Join(append(list, whole...), ", ")
}
