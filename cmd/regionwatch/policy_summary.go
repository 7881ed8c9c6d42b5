package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/processor/policy/regions"
)

// policySummary is what a policy comes to: how many accounts each level holds for, and for how many accounts each
// region is unused.
type policySummary struct {
	Levels  []levelSummary  `json:"levels"`
	Regions []regionSummary `json:"unusedRegions"`
}

type levelSummary struct {
	Level    string `json:"level"`
	Accounts int    `json:"accounts"` // that the policy names
	Rule     string `json:"rule"`
	Severity string `json:"severity"`
	Mode     string `json:"mode"`
}

type regionSummary struct {
	Region   string `json:"region"`
	Accounts int    `json:"accounts"` // that the policy names
	Default  bool   `json:"default"`  // for accounts that it does not name, too
}

// newPolicySummary goes through all accounts. Those with a level of their own are one line together.
func newPolicySummary(p *policy.Policy, now time.Time) *policySummary {
	s := &policySummary{}
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
			s.Regions = append(s.Regions, regionSummary{r.Code, unused[r.Code], ofDefault[r.Code]})
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

func newLevelSummary(name string, e *policy.Effective) levelSummary {
	s := levelSummary{Level: name, Severity: e.Severity, Mode: "alert", Rule: ruleText(e)}
	if e.Listed == nil {
		s.Severity, s.Rule, s.Mode = "-", "each its own", "-"
	} else if e.Shadow {
		s.Mode = "shadow"
	}
	return s
}

// ruleText says a level's list.
func ruleText(e *policy.Effective) string {
	if e.AllowList {
		return "all unused but " + strings.Join(e.Listed, ", ")
	}
	return "unused " + strings.Join(e.Listed, ", ")
}

func (s *policySummary) print(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "LEVEL\tACCOUNTS\tREGIONS\tSEVERITY\tMODE")
	for _, l := range s.Levels {
		accounts := display.Number(l.Accounts)
		if l.Level == "default" {
			accounts += " and all others"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", display.Text(l.Level), accounts, l.Rule, l.Severity, l.Mode)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	regions := slices.Clone(s.Regions)
	slices.SortStableFunc(regions, func(a, b regionSummary) int { return b.Accounts - a.Accounts })
	fmt.Fprintln(w)
	fmt.Fprintln(table, "UNUSED REGION\tACCOUNTS\tBY DEFAULT")
	for _, r := range regions {
		fmt.Fprintf(table, "%s\t%d\t%s\n", r.Region, r.Accounts, map[bool]string{true: "yes", false: "no"}[r.Default])
	}
	return table.Flush()
}
