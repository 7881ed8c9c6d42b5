package learn

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/regionwatch/regionwatch/processor/policy"
)

// draftOf returns a draft of accounts that use the given regions, in the given units.
func draftOf(o Options, used map[string]regionSet, units map[string]string) *Draft {
	d := &Draft{options: o, levelOf: map[string]regionSet{}}
	d.options.Accounts = map[string]policy.Account{}
	for id, allowed := range used {
		d.Accounts = append(d.Accounts, Account{ID: id, allowed: allowed})
		d.options.Accounts[id] = policy.Account{ID: id, OU: units[id]}
	}
	slices.SortFunc(d.Accounts, func(a, b Account) int { return strings.Compare(a.ID, b.ID) })
	d.group()
	return d
}

// A unit stands for its accounts where they all have one list: the outermost such unit, and no unit with another list.
func TestDraftGroupsByUnit(t *testing.T) {
	used, units := map[string]regionSet{}, map[string]string{}
	for i, row := range []struct {
		regions regionSet
		unit    string
	}{
		{1, ""}, {1, "Mixed"}, {1, "Mixed/Plain"}, {1, "Plain"}, {1, "Plain"},
		{2, "Prod"}, {2, "Prod/EU"}, {2, "Prod/EU/Old"},
		{4, "Mixed/Lab"}, {4, "Mixed/Lab"}, {4, "Mixed"}, {4, "Single"},
		{0, "Idle"}, {0, "Idle"},
	} {
		id := fmt.Sprintf("%012d", i)
		used[id], units[id] = row.regions, row.unit
	}
	var out strings.Builder
	if err := draftOf(Options{}, used, units).Write(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"  Prod:\n    # applies to 3 accounts\n    ous: [\"Prod\"]\n", "  learned-1:\n    # applies to 4 accounts\n    ous: [\"Mixed/Lab\"]\n",
		"  no-writes:\n    # applies to 2 accounts\n    ous: [\"Idle\"]\n",
		`"000000000005": {ou: "Prod"}`, `"000000000008": {ou: "Mixed/Lab"}`, `"000000000010": {ou: "Mixed", group: learned-1}`, `"000000000011": {ou: "Single", group: learned-1}`,
		`"000000000000": {}`, `"000000000003": {ou: "Plain"}`, `"000000000012": {ou: "Idle"}`,
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

// Whatever the units, the policy allows each account what it used, and never names a unit of mixed accounts.
func TestDraftByUnitIsExact(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	names := []string{"a", "b", "null", "learned-1", noWrites, "x: [y] #", strings.Repeat("long", 40)}
	byUnit := 0
	for range 400 {
		used, units := map[string]regionSet{}, map[string]string{}
		for i := range 1 + random.IntN(14) {
			id := fmt.Sprintf("%012d", i)
			var path []string
			for range random.IntN(4) {
				path = append(path, names[random.IntN(len(names))])
			}
			units[id] = strings.Join(path, "/")
			used[id] = regionSet(random.IntN(2 + random.IntN(3)))
		}
		d := draftOf(Options{MaxGroups: random.IntN(3)}, used, units)
		f := load(t, d)
		for id := range used {
			e := f.Policy.Effective(id, end)
			got := e.Listed
			if !e.AllowList {
				got = nil
			}
			if want := d.Allowed(id); !slices.Equal(got, want) {
				t.Fatalf("account %s in %q is allowed %q, want %q", id, units[id], got, want)
			}
		}
		for _, g := range f.Options.Groups {
			byUnit += len(g.OUs)
		}
	}
	if byUnit < 50 {
		t.Errorf("only %d units stand for accounts", byUnit)
	}
}
