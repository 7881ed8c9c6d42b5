package scp

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// write writes the policy.
func (p *combined) write(target Target, notes []string) []byte {
	var b bytes.Buffer
	fmt.Fprintln(&b, "# Made by regionwatch policy import-scp of:")
	for _, d := range p.denials {
		fmt.Fprintf(&b, "#   %s\n", oneLine(d.place))
	}
	if len(notes) > 0 {
		fmt.Fprintln(&b, "# Not carried over, or not to the letter:")
		for _, n := range notes {
			fmt.Fprintf(&b, "#   %s\n", printable(n))
		}
	}
	indent := "  "
	switch {
	case target.Group != "":
		fmt.Fprintf(&b, "groups:\n  %s:\n    # ous: [Workloads/Prod] # or accounts\n", strconv.Quote(target.Group))
		indent = "    "
	case target.Account != "":
		fmt.Fprintf(&b, "accounts:\n  %q:\n", target.Account)
		indent = "    "
	default:
		fmt.Fprintln(&b, "default:")
	}
	key := "unused_regions"
	if p.allow {
		key = "allowed_regions"
	}
	fmt.Fprintf(&b, "%s%s: [%s]\n", indent, key, strings.Join(p.list, ", "))
	if p.allow {
		fmt.Fprintf(&b, "%sexempt_global_services: false # the exceptions say what is exempt\n", indent)
	}
	p.writeExceptions(&b, target)
	return b.Bytes()
}

func (p *combined) writeExceptions(b *bytes.Buffer, target Target) {
	fmt.Fprintln(b, "exceptions:")
	names := map[string]int{}
	begin := func(name, reason string, regions []string) {
		if names[name]++; names[name] > 1 {
			name = fmt.Sprintf("%s-%d", name, names[name])
		}
		fmt.Fprintf(b, "  - name: %s\n    reason: %s\n", strconv.Quote(name), strconv.Quote(oneLine(reason)))
		if target.Group != "" {
			fmt.Fprintf(b, "    groups: [%s]\n", strconv.Quote(target.Group))
		}
		if target.Account != "" {
			fmt.Fprintf(b, "    accounts: [%q]\n", target.Account)
		}
		if len(regions) > 0 {
			fmt.Fprintf(b, "    regions: [%s]\n", strings.Join(regions, ", "))
		}
	}
	list := func(key string, values []string) {
		quoted := make([]string, len(values))
		for i, v := range values {
			quoted[i] = strconv.Quote(v)
		}
		fmt.Fprintf(b, "    %s: [%s]\n", key, strings.Join(quoted, ", "))
	}
	fmt.Fprintln(b, "  # A service control policy does not bind service-linked roles.")
	begin("scp-service-linked-roles", "service control policies do not bind service-linked roles", nil)
	list("principals", []string{"arn:*:iam::*:role/aws-service-role/*"})
	for _, g := range p.groups() {
		fmt.Fprintf(b, "  # from %s\n", oneLine(strings.Join(g.places, "; ")))
		begin(g.name, g.reason, g.regions)
		if len(g.principals) > 0 {
			list("principals", g.principals)
		}
		if len(g.sources) > 0 {
			list("event_sources", g.sources)
		}
		if len(g.names) > 0 {
			list("event_names", g.names)
		}
	}
}

// exceptionGroup is exemptions that fit in one exception.
type exceptionGroup struct {
	name, reason               string
	regions, places            []string
	principals, sources, names []string
}

// groups merges exemptions that differ in one list only: all principals, all whole services, and the events of each
// service.
func (p *combined) groups() (list []*exceptionGroup) {
	byKey := map[string]*exceptionGroup{}
	group := func(name, reason string, x *scopedExemption) *exceptionGroup {
		key := fmt.Sprint(name, x.regions, x.places)
		if byKey[key] == nil {
			byKey[key] = &exceptionGroup{name: name, reason: reason, regions: x.regions, places: x.places}
			list = append(list, byKey[key])
		}
		return byKey[key]
	}
	for i := range p.exempt {
		switch x := &p.exempt[i]; {
		case x.principal != "":
			g := group("scp-principals", "principals that the service control policy exempts", x)
			g.principals = append(g.principals, x.principal)
		case x.name == "":
			g := group("scp-services", "services that the service control policy exempts", x)
			g.sources = append(g.sources, x.source)
		default:
			g := group("scp-"+strings.TrimSuffix(x.source, ".amazonaws.com"), "calls that the service control policy exempts", x)
			g.sources = []string{x.source}
			if !slices.Contains(g.names, x.name) {
				g.names = append(g.names, x.name)
			}
		}
	}
	return list
}
