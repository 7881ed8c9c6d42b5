package learn

import (
	"fmt"
	"slices"
	"strings"

	"github.com/regionwatch/regionwatch/processor/policy"
)

// noWrites is the group of accounts that are allowed no region.
const noWrites = "no-writes"

// maxGroupName limits a group's name to what a policy allows, in bytes.
const maxGroupName = 256

// group is a level other than the default, and how its accounts get into it.
type group struct {
	name string
	ous  []string // whose accounts, as far as they were seen, all have this level
}

// unit is what was learned about an organizational unit and those within it.
type unit struct {
	accounts int
	allowed  regionSet // of the first account
	mixed    bool      // others have another level
}

// addUnits notes which units have accounts of one level only.
func (d *Draft) addUnits() {
	d.units = map[string]unit{}
	for i := range d.Accounts {
		id := d.Accounts[i].ID
		for path := range policy.UnitsOf(d.options.Accounts[id].OU) {
			u := d.units[path]
			if u.accounts++; u.accounts == 1 {
				u.allowed = d.levelOf[id]
			}
			u.mixed = u.mixed || u.allowed != d.levelOf[id]
			d.units[path] = u
		}
	}
}

// unitFor returns the outermost unit of an account that can stand for it: every account seen in it has the same level.
// One with a single account does not: the account may as well name its group.
func (d *Draft) unitFor(id string) string {
	for path := range policy.UnitsOf(d.options.Accounts[id].OU) {
		if u := d.units[path]; !u.mixed && u.accounts > 1 {
			return path
		}
	}
	return ""
}

// groups returns the groups, with the units that stand for their accounts.
func (d *Draft) groups() map[regionSet]*group {
	groups := map[regionSet]*group{}
	for i, l := range d.levels {
		switch {
		case i == 0: // the default
		case l.allowed == 0:
			groups[0] = &group{name: noWrites}
		default:
			groups[l.allowed] = &group{name: fmt.Sprintf("learned-%d", i)}
		}
	}
	for i := range d.Accounts {
		id := d.Accounts[i].ID
		g, path := groups[d.levelOf[id]], d.unitFor(id)
		if g != nil && path != "" && !slices.Contains(g.ous, path) {
			g.ous = append(g.ous, path)
		}
	}
	for _, l := range d.levels[min(1, len(d.levels)):] {
		groups[l.allowed].finish(d.units, l)
	}
	return groups
}

// finish names a group after its unit, if that stands for all of its accounts.
func (g *group) finish(units map[string]unit, l level) {
	slices.Sort(g.ous)
	if len(g.ous) != 1 || units[g.ous[0]].accounts != l.accounts || l.allowed == 0 {
		return
	}
	if path := g.ous[0]; len(path) <= maxGroupName && path != noWrites && !strings.HasPrefix(path, "learned-") {
		g.name = path
	}
}
