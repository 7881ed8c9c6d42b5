package policy

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/regionwatch/regionwatch/internal/nearest"
)

// maxOU limits the path of an organizational unit, in bytes. AWS Organizations allows five levels with 128 characters
// each.
const maxOU = 1024

// CheckOU says what is wrong with the path of an organizational unit, or returns "".
func CheckOU(path string) string {
	if len(path) > maxOU {
		return fmt.Sprintf("the path has %d bytes, %d are allowed", len(path), maxOU)
	}
	for name := range strings.SplitSeq(path, "/") {
		if name == "" || strings.TrimSpace(name) != name {
			return fmt.Sprintf("%q is not the path of an organizational unit: want names from below the root, with a slash between two, such as Workloads/Prod", cut(path))
		}
	}
	return ""
}

// UnitsOf yields a path and those of the organizational units it is in, the outermost first.
func UnitsOf(path string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range len(path) {
			if path[i] == '/' && !yield(path[:i]) {
				return
			}
		}
		if path != "" {
			yield(path)
		}
	}
}

// ParseTags reads tags in the form key=value;key=value. The fault is what is wrong, or "".
func ParseTags(text string) (tags map[string]string, fault string) {
	if text == "" {
		return nil, ""
	}
	tags = map[string]string{}
	for part := range strings.SplitSeq(text, ";") {
		key, value, ok := strings.Cut(part, "=")
		key = strings.TrimSpace(key)
		switch _, twice := tags[key]; {
		case !ok || key == "":
			return nil, fmt.Sprintf("%q is not a tag: want key=value, with a semicolon between two", cut(part))
		case twice:
			return nil, fmt.Sprintf("duplicate tag %q", cut(key))
		}
		tags[key] = strings.TrimSpace(value)
	}
	return tags, ""
}

// tag is a key and its value.
type tag struct{ key, value string }

// firstTag returns the tag under whose key, the first in order, a group is found.
func firstTag(tags map[string]string) tag {
	key := slices.Min(slices.Collect(maps.Keys(tags)))
	return tag{key, tags[key]}
}

// members finds the groups that accounts are in by their units and tags.
type members struct {
	byOU  map[string]string // the group's name; at most one on the way down to any unit
	byTag map[tag][]*Group  // by [firstTag]
}

// addUnits adds the units of a group, and reports those that another group, or the same one, has already. What is in
// two groups by its unit would be in both.
func (c *checker) addUnits(g *Group) {
	for i, unit := range g.OUs {
		if text := CheckOU(unit); text != "" {
			c.add("ous", i, text)
		} else if other, taken := c.members.byOU[unit]; taken {
			c.add("ous", i, fmt.Sprintf("%s is also in group %s; it can be in only one", cut(unit), other))
		} else {
			c.members.byOU[unit] = g.Name
		}
	}
	if len(g.Tags) > 0 {
		first := firstTag(g.Tags)
		c.members.byTag[first] = append(c.members.byTag[first], g)
	}
}

// checkUnits reports units within other units that are in a group too. Every group is known by now.
func (c *checker) checkUnits() {
	for i := range c.o.Groups {
		g := &c.o.Groups[i]
		c.enter(PartGroup, i, g.Name)
		for j, unit := range g.OUs {
			for outer := range UnitsOf(unit) {
				if other, taken := c.members.byOU[outer]; taken && outer != unit {
					c.add("ous", j, fmt.Sprintf("%s is within %s, which is in group %s; its accounts would be in both", cut(unit), cut(outer), other))
				}
			}
		}
	}
}

// addByFacts adds an account to the groups that its unit or tags put it in.
func (c *checker) addByFacts(a *Account) {
	for unit := range UnitsOf(a.OU) {
		if group, ok := c.members.byOU[unit]; ok {
			c.joinBy("ou", a, group)
			break // [checker.checkUnits] reports more
		}
	}
	for key, value := range a.Tags {
		for _, g := range c.members.byTag[tag{key, value}] {
			if g.hasTagsOf(a) {
				c.joinBy("tags", a, g.Name)
			}
		}
	}
}

// joinBy notes that an account is in a group by one of its facts. Unlike in a list, it may be in that group already.
func (c *checker) joinBy(field string, a *Account, group string) {
	other, ok := c.groupOf[a.ID]
	switch {
	case !ok:
		c.groupOf[a.ID] = group
	case other != group:
		c.add(field, -1, fmt.Sprintf("account %s is in group %s and, by its %s, in group %s; an account can be in only one group", a.ID, other, field, group))
	}
}

// hasTagsOf reports whether an account has all tags of the group, which has some.
func (g *Group) hasTagsOf(a *Account) bool {
	for key, value := range g.Tags {
		if has, ok := a.Tags[key]; !ok || has != value {
			return false
		}
	}
	return true
}

// members warns about units and tags that no account has.
func (w *warner) members(g *Group, o *Options, units map[string]struct{}) {
	for i, unit := range g.OUs {
		if _, ok := units[unit]; ok {
			continue
		}
		text := "no account of the policy is in " + unit
		if near := nearest.Of(unit, slices.Sorted(maps.Keys(units))); near != "" {
			text += fmt.Sprintf(", did you mean %q?", near)
		}
		w.add("ous", i, text)
	}
	if len(g.Tags) > 0 && !slices.ContainsFunc(o.Accounts, func(a Account) bool { return g.hasTagsOf(&a) }) {
		w.add("tags", -1, "no account of the policy has these tags")
	}
}

// unitsIn returns the units of all accounts, and those they are in.
func unitsIn(o *Options) map[string]struct{} {
	units := map[string]struct{}{}
	for i := range o.Accounts {
		for unit := range UnitsOf(o.Accounts[i].OU) {
			units[unit] = struct{}{}
		}
	}
	return units
}

// GroupsOf returns the group of each account that is in one, of a valid policy.
func GroupsOf(o *Options) map[string]string {
	c, _ := checkPolicy(o)
	return c.groupOf
}
