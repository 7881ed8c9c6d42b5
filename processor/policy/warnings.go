package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/regionwatch/regionwatch/processor/policy/regions"
)

// WarnAhead is how long before it expires an exception causes a warning.
const WarnAhead = 14 * 24 * time.Hour

// Warning is something an author should know about a valid policy.
type Warning struct {
	Fault
	from time.Time // the first instant at which it is true; zero means always
}

// Warnings returns the policy's warnings at a time, in the order of its parts.
func (p *Policy) Warnings(now time.Time) []*Fault {
	var list []*Fault
	for i := range p.warnings {
		w := &p.warnings[i]
		if w.from.IsZero() {
			list = append(list, &w.Fault)
			continue
		}
		if x := &p.exceptions[w.Place.Index]; !now.Before(w.from) {
			fault := w.Fault
			fault.Text = "it expires at " + x.expires.Format(time.RFC3339)
			if x.hasExpired(now) {
				fault.Text = "it expired at " + x.expires.Format(time.RFC3339) + ": what it was for alerts again"
			}
			list = append(list, &fault)
		}
	}
	return list
}

// warner collects warnings.
type warner struct{ faultList }

func findWarnings(o *Options) (warnings []Warning) {
	w := &warner{}
	w.enter(PartDefault, 0, "")
	if len(o.Default.UnusedRegions)+len(o.Default.AllowedRegions) == 0 {
		w.add("", -1, "the default level has no list, so the rule's example applies: "+strings.Join(DefaultUnusedRegions, ", ")+
			", and every other region is in use; name allowed_regions or unused_regions")
	}
	w.level(&o.Default)
	units := unitsIn(o)
	for i := range o.Groups {
		g := &o.Groups[i]
		w.enter(PartGroup, i, g.Name)
		if g.Level != nil {
			w.level(g.Level)
		}
		w.members(g, o, units)
	}
	for i := range o.Accounts {
		if a := &o.Accounts[i]; a.Level != nil {
			w.enter(PartAccount, i, a.ID)
			w.level(a.Level)
		}
	}
	for i := range o.Exceptions {
		w.enter(PartException, i, o.Exceptions[i].Name)
		w.exception(&o.Exceptions[i])
	}
	for _, f := range w.faults {
		warning := Warning{Fault: *f}
		if f.Place.Part == PartException && f.Place.Field == "expires" {
			warning.from = o.Exceptions[f.Place.Index].Expires.Add(-WarnAhead)
		}
		warnings = append(warnings, warning)
	}
	return warnings
}

// level warns about regions that a list may have got wrong.
func (w *warner) level(l *Level) {
	field, list := "unused_regions", l.Regions()
	if len(l.AllowedRegions) > 0 {
		field, list = "allowed_regions", l.AllowedRegions
	}
	w.partitions(field, list)
	if field == "unused_regions" {
		w.denyList(l, list)
		return
	}
	for i, code := range list {
		if r, _ := regions.Lookup(code); r.OptIn {
			w.add(field, i, code+" is not enabled by default; nothing happens there unless the account enables it")
		}
	}
}

// partitions warns about a list that mixes partitions: an account is in only one.
func (w *warner) partitions(field string, list []string) {
	first := ""
	for i, code := range list {
		r, _ := regions.Lookup(code)
		if first == "" {
			first = r.Partition
		}
		if r.Partition != first {
			w.add(field, i, fmt.Sprintf("%s is in partition %s, but the list starts with %s; an account is in only one partition", code, r.Partition, first))
		}
	}
}

// denyList warns about regions that a deny list silently leaves in use.
func (w *warner) denyList(l *Level, list []string) {
	if len(l.UnusedRegions) == 0 {
		return // the rule's own list, which has its own warning
	}
	first, _ := regions.Lookup(list[0])
	var open, optIn []string
	for _, r := range catalogue {
		switch {
		case r.Partition != first.Partition || slices.Contains(list, r.Code):
		case !r.OptIn:
			open = append(open, r.Code)
		default:
			optIn = append(optIn, r.Code)
		}
	}
	if len(open)+len(optIn) > 0 {
		w.add("unused_regions", -1, fmt.Sprintf("regions it does not list count as in use: %d enabled in every account%s, %d opt-in%s; allowed_regions would cover them, and regions to come",
			len(open), some(open), len(optIn), some(optIn)))
	}
}

// some lists the first few codes in parentheses.
func some(codes []string) string {
	const most = 3
	switch n := len(codes) - most; {
	case len(codes) == 0:
		return ""
	case n > 1:
		return fmt.Sprintf(" (%s and %d more)", strings.Join(codes[:most], ", "), n)
	}
	return " (" + strings.Join(codes, ", ") + ")"
}

func (w *warner) exception(x *Exception) {
	if !x.Expires.IsZero() {
		w.add("expires", -1, "") // Warnings says when
	}
	for i, text := range x.Principals {
		p, _ := parseARNPattern(text)
		if needsSession(&p) {
			w.add("principals", i, fmt.Sprintf("%q has a session name, which the caller chooses, so it never applies; name the role: arn:aws:iam::*:role/NAME", cut(text)))
		}
	}
	if x.isWide() {
		w.add("", -1, "it exempts every event, or everything services do on behalf of callers; narrow it by another key")
	}
	if x.Reason == "" {
		w.add("reason", -1, "no reason; an auditor will ask for it")
	}
	if x.Owner == "" {
		w.add("owner", -1, "no owner; an auditor will ask for it")
	}
}

// isWide reports whether no condition of an exception is selective: a lone *, or any call by a service, which
// CloudFormation makes for anybody.
func (x *Exception) isWide() bool {
	if len(x.Accounts)+len(x.Groups)+len(x.Regions) > 0 {
		return false
	}
	for _, patterns := range [][]string{x.EventSources, x.EventNames, x.SourceIPs, x.Principals} {
		if len(patterns) > 0 && !slices.Contains(patterns, "*") && !slices.Contains(patterns, "arn:*:*:*:*:*") {
			return false
		}
	}
	return true
}
