package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/regionwatch/regionwatch/internal/nearest"
	"github.com/regionwatch/regionwatch/processor/policy/regions"
)

// maxText limits each text that goes from a policy into alerts, in bytes.
const maxText = 256

// maxTags limits the tags of an account, as AWS Organizations does.
const maxTags = 50

// checker finds the mistakes in a policy.
type checker struct {
	faultList
	o        *Options
	groupOf  map[string]string // by account id
	groups   map[string]*Group // by name
	accounts map[string]*Account
	members  members
	levels   []*Level            // all of them
	levelsIn map[string][]*Level // by group
}

// checkPolicy returns every mistake.
func checkPolicy(o *Options) (*checker, Faults) {
	c := &checker{
		o:        o,
		groupOf:  make(map[string]string, len(o.Accounts)),
		groups:   make(map[string]*Group, len(o.Groups)),
		accounts: make(map[string]*Account, len(o.Accounts)),
		members:  members{map[string]string{}, map[tag][]*Group{}},
	}
	c.checkText("version", o.Version)
	c.enter(PartDefault, 0, "")
	c.checkLevel(&o.Default, false)
	c.checkGroups()
	c.checkAccounts()
	c.checkExceptions()
	return c, c.faults
}

func (c *checker) checkGroups() {
	for i := range c.o.Groups {
		g := &c.o.Groups[i]
		c.enter(PartGroup, i, g.Name)
		switch {
		case g.Name == "":
			c.add("", -1, "a group needs a name")
		case c.groups[g.Name] != nil:
			c.add("", -1, "duplicate name")
		default:
			c.checkText("", g.Name)
			c.groups[g.Name] = g
		}
		for j, id := range g.Accounts {
			c.checkAccountID("accounts", j, id)
			c.join(id, g.Name, "accounts", j)
		}
		c.addUnits(g)
		c.checkTags(g.Tags)
		if g.Level != nil {
			c.checkLevel(g.Level, true)
		}
	}
	c.checkUnits()
}

// join notes that an account is in a group. It can be in one only; with two, it would be unclear which level applies.
func (c *checker) join(id, group, field string, item int) {
	if other, ok := c.groupOf[id]; ok {
		if other == group {
			c.add(field, item, fmt.Sprintf("account %s is listed twice in group %s", id, group))
		} else {
			c.add(field, item, fmt.Sprintf("account %s is also in group %s; an account can be in only one group", id, other))
		}
		return
	}
	c.groupOf[id] = group
}

func (c *checker) checkAccounts() {
	for i := range c.o.Accounts {
		a := &c.o.Accounts[i]
		c.enter(PartAccount, i, a.ID)
		c.checkAccountID("", -1, a.ID)
		if c.accounts[a.ID] != nil {
			c.add("", -1, "duplicate account")
		} else {
			c.accounts[a.ID] = a
		}
		c.checkText("name", a.Name)
		c.checkText("owner", a.Owner)
		c.checkText("environment", a.Environment)
		c.checkTags(a.Tags)
		if a.Group != "" && c.groups[a.Group] == nil {
			c.add("group", -1, unknownGroup(a.Group, c.groups))
		} else if a.Group != "" {
			c.join(a.ID, a.Group, "group", -1)
		}
		if text := CheckOU(a.OU); a.OU != "" && text != "" {
			c.add("ou", -1, text)
		}
		c.addByFacts(a)
		if a.Level != nil {
			c.checkLevel(a.Level, true)
		}
	}
}

func unknownGroup(name string, groups map[string]*Group) string {
	near := nearest.Of(name, slices.Sorted(maps.Keys(groups)))
	if near == "" {
		return fmt.Sprintf("there is no group %q", name)
	}
	return fmt.Sprintf("there is no group %q, did you mean %q?", name, near)
}

func (c *checker) checkAccountID(field string, item int, id string) {
	if _, ok := accountKey([]byte(id)); !ok {
		c.add(field, item, fmt.Sprintf("%q is not an account id, which has 12 digits", cut(id)))
	}
}

func (c *checker) checkText(field, text string) {
	if len(text) > maxText {
		c.add(field, -1, fmt.Sprintf("the text has %d bytes, %d are allowed", len(text), maxText))
	}
}

func (c *checker) checkTags(tags map[string]string) {
	if len(tags) > maxTags {
		c.add("tags", -1, fmt.Sprintf("there are %d tags, %d are allowed", len(tags), maxTags))
	}
	for key, value := range tags {
		c.checkText("tags", key)
		c.checkText("tags", value)
	}
}

// checkLevel checks one level. Every level but the default must list its regions.
func (c *checker) checkLevel(l *Level, needsList bool) {
	switch {
	case len(l.UnusedRegions) > 0 && len(l.AllowedRegions) > 0:
		c.add("allowed_regions", -1, "a level has either unused_regions or allowed_regions, not both")
	case needsList && len(l.UnusedRegions) == 0 && len(l.AllowedRegions) == 0:
		c.add("", -1, "levels do not inherit regions; give unused_regions or allowed_regions")
	}
	c.checkRegions("unused_regions", l.UnusedRegions)
	c.checkRegions("allowed_regions", l.AllowedRegions)
	c.checkSeverity("severity", l.Severity)
	c.checkSeverity("failed_severity", l.FailedSeverity)
	c.checkIncidents(l.Incidents)
}

func (c *checker) checkSeverity(field, severity string) {
	if severity != "" && !slices.Contains(Severities, severity) {
		c.add(field, -1, fmt.Sprintf("%q is not a severity; allowed: %s", cut(severity), strings.Join(Severities, ", ")))
	}
}

// checkRegions checks a list of region codes.
func (c *checker) checkRegions(field string, codes []string) {
	for i, code := range codes {
		if code == "" {
			c.add(field, i, fmt.Sprintf("region %d of %d is empty", i+1, len(codes)))
		} else if text := CheckRegion(code); text != "" {
			c.add(field, i, text)
		}
	}
}

// CheckRegion says what is wrong with a region code and suggests the nearest valid one, or returns "".
func CheckRegion(code string) string {
	if _, ok := regions.Lookup(code); ok {
		return ""
	}
	if nearest := regions.Nearest(code); nearest != "" {
		return fmt.Sprintf("%q is not an AWS region, did you mean %q?", code, nearest)
	}
	return fmt.Sprintf("%q is not an AWS region (as of %s)", code, regions.Date)
}

// cut limits how much of a value a fault quotes.
func cut(text string) string {
	const most = 100
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}
