package policy

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// A group has the accounts that it lists, those of its units and what is within them, and those with all of its tags.
func TestGroupsByOUAndTag(t *testing.T) {
	p := mustPolicy(t, Options{
		Groups: []Group{
			{Name: "prod", OUs: []string{"Workloads/Prod", "Payments"}, Level: &Level{AllowedRegions: []string{"us-east-1"}}},
			{Name: "lab", Tags: map[string]string{"env": "lab", "team": "x"}, Accounts: []string{"000000000009", "000000000012"}, Level: &Level{AllowedRegions: []string{"us-west-2"}}},
		},
		Accounts: []Account{
			{ID: "000000000001", OU: "Workloads/Prod"}, {ID: "000000000002", OU: "Workloads/Prod/EU"}, {ID: "000000000003", OU: "Payments"},
			{ID: "000000000004", OU: "Workloads/Production"}, {ID: "000000000005", OU: "Workloads"}, {ID: "000000000006", OU: "workloads/prod"},
			{ID: "000000000007", Tags: map[string]string{"env": "lab", "team": "x", "more": ""}}, {ID: "000000000008", Tags: map[string]string{"env": "lab"}},
			{ID: "000000000009", OU: "Other", Tags: map[string]string{"env": "lab", "team": "x"}}, {ID: "000000000010", OU: "Workloads/Prod", Group: "prod"},
			{ID: "000000000011", OU: "Workloads/Prod", Level: &Level{AllowedRegions: []string{"sa-east-1"}}},
		},
	})
	for i, want := range []string{"group prod", "group prod", "group prod", "default", "default", "default", "group lab", "default", "group lab", "group prod", "account 000000000011"} {
		id := fmt.Sprintf("%012d", i+1)
		if got := p.Effective(id, time.Time{}).Level; got != want {
			t.Errorf("account %s: %s, want %s", id, got, want)
		}
	}
	for id, want := range map[string]string{"000000000002": `{"group":"prod","ou":"Workloads/Prod/EU"}`, "000000000012": `{"group":"lab"}`} {
		if facts := string(p.Effective(id, time.Time{}).Account); facts != want {
			t.Errorf("account %s: facts %s, want %s", id, facts, want)
		}
	}
}

func TestGroupFaults(t *testing.T) {
	f := func(o Options, want ...string) {
		t.Helper()
		_, err := Compile(o)
		if err == nil || err.Error() != strings.Join(want, "\n") {
			t.Errorf("got\n%v\nwant\n%s", err, strings.Join(want, "\n"))
		}
		faults, _ := errors.AsType[Faults](err)
		wantItems(t, faults)
	}
	prod, eu := []string{"Workloads/Prod"}, map[string]string{"area": "eu"}
	f(Options{Groups: []Group{{Name: "a", OUs: prod}, {Name: "b", Tags: eu}}, Accounts: []Account{{ID: "111111111111", OU: "Workloads/Prod/x", Tags: eu}}},
		"account 111111111111: tags: account 111111111111 is in group a and, by its tags, in group b; an account can be in only one group")
	f(Options{Groups: []Group{{Name: "a", OUs: prod}, {Name: "b", Accounts: []string{"111111111111"}}}, Accounts: []Account{{ID: "111111111111", OU: "Workloads/Prod"}, {ID: "222222222222", OU: "Workloads/Prod", Group: "b"}}},
		"account 111111111111: ou: account 111111111111 is in group b and, by its ou, in group a; an account can be in only one group",
		"account 222222222222: ou: account 222222222222 is in group b and, by its ou, in group a; an account can be in only one group")
	f(Options{Groups: []Group{{Name: "a", Tags: eu}, {Name: "b", Tags: eu}}, Accounts: []Account{{ID: "111111111111", Tags: eu}}},
		"account 111111111111: tags: account 111111111111 is in group a and, by its tags, in group b; an account can be in only one group")
	f(Options{Groups: []Group{{Name: "a", OUs: []string{"Workloads/Prod/EU", "Workloads/Prod", "Lab"}}, {Name: "b", OUs: []string{"Workloads", "Lab"}}}},
		"group b: ous: Lab is also in group a; it can be in only one",
		"group a: ous: Workloads/Prod/EU is within Workloads, which is in group b; its accounts would be in both",
		"group a: ous: Workloads/Prod/EU is within Workloads/Prod, which is in group a; its accounts would be in both",
		"group a: ous: Workloads/Prod is within Workloads, which is in group b; its accounts would be in both")
	const want = `" is not the path of an organizational unit: want names from below the root, with a slash between two, such as Workloads/Prod`
	f(Options{Groups: []Group{{Name: "a", OUs: []string{"", "/a", "a/", "a//b", " a"}, Tags: map[string]string{"k": strings.Repeat("x", maxText+1)}}}, Accounts: []Account{{ID: "111111111111", OU: "a/ b"}, {ID: "222222222222", OU: strings.Repeat("x", maxOU+1)}}},
		`group a: ous: "`+want, `group a: ous: "/a`+want, `group a: ous: "a/`+want, `group a: ous: "a//b`+want, `group a: ous: " a`+want,
		"group a: tags: the text has 257 bytes, 256 are allowed", `account 111111111111: ou: "a/ b`+want, "account 222222222222: ou: the path has 1025 bytes, 1024 are allowed")
}

func TestGroupWarnings(t *testing.T) {
	list := &Level{AllowedRegions: []string{"us-east-1"}}
	p := mustPolicy(t, Options{
		Default: *list,
		Groups: []Group{
			{Name: "a", OUs: []string{"Workloads/Prd", "Lab", "Sandbox/EU"}, Level: list}, {Name: "b", Tags: map[string]string{"a": "b"}},
			{Name: "c", Tags: map[string]string{"a": "c"}},
		},
		Accounts: []Account{{ID: "111111111111", OU: "Workloads/Prod", Tags: map[string]string{"a": "c"}}, {ID: "222222222222", OU: "Sandbox/EU/x"}},
	})
	var got []string
	for _, w := range p.Warnings(testNow) {
		got = append(got, w.Error())
	}
	wantItems(t, p.Warnings(testNow))
	want := []string{`group a: ous: no account of the policy is in Workloads/Prd, did you mean "Workloads/Prod"?`, "group a: ous: no account of the policy is in Lab", "group b: tags: no account of the policy has these tags"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// The hash covers what groups ask for and what accounts have, in whatever order.
func TestHashCoversMembers(t *testing.T) {
	hash := func(group Group, accounts ...Account) string {
		group.Name = "a"
		return mustPolicy(t, Options{Groups: []Group{group}, Accounts: accounts}).Hash()
	}
	seen := map[string]int{}
	tags := map[string]string{"a": "b", "c": "d"}
	for i, h := range []string{
		hash(Group{}), hash(Group{OUs: []string{"x"}}), hash(Group{OUs: []string{"y"}}), hash(Group{OUs: []string{"x", "y"}}), hash(Group{Tags: tags}),
		hash(Group{Tags: map[string]string{"a": "b"}}), hash(Group{}, Account{ID: "111111111111", OU: "x"}), hash(Group{}, Account{ID: "111111111111", OU: "y"}),
		hash(Group{}, Account{ID: "111111111111", Tags: tags}), hash(Group{OUs: []string{"x"}}, Account{ID: "111111111111", OU: "x"}),
	} {
		if j, taken := seen[h]; taken {
			t.Errorf("policies %d and %d have one hash", j, i)
		}
		seen[h] = i
	}
	if hash(Group{OUs: []string{"x", "y"}}) != hash(Group{OUs: []string{"y", "x"}}) {
		t.Error("the order of units changes the hash")
	}
}

// Groups are found as plain words say, and an account of two is a fault.
func TestGroupsAgainstPlainWords(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	units := []string{"a", "a/b", "a/b/c", "ab", "b", "b/a", ""}
	draw := func() (tags map[string]string) {
		tags = map[string]string{}
		for range random.IntN(3) {
			tags[string(rune('k'+random.IntN(2)))] = string(rune('x' + random.IntN(2)))
		}
		return tags
	}
	outcomes := map[string]int{}
	for range 3000 {
		var o Options
		for i := range 1 + random.IntN(3) {
			g := Group{Name: fmt.Sprint("g", i), Tags: draw(), Level: &Level{AllowedRegions: []string{"us-east-1"}}}
			if unit := units[random.IntN(len(units))]; unit != "" {
				g.OUs = []string{unit}
			}
			if random.IntN(3) == 0 {
				g.Accounts = []string{"000000000001"}
			}
			o.Groups = append(o.Groups, g)
		}
		for i := range 3 {
			o.Accounts = append(o.Accounts, Account{ID: fmt.Sprintf("%012d", i), OU: units[random.IntN(len(units))], Tags: draw()})
		}
		p, err := Compile(o)
		want, valid := groupsPlainly(&o)
		if (err == nil) != valid {
			t.Fatalf("%+v: %v, valid %t", o, err, valid)
		}
		if !valid {
			outcomes["invalid"]++
			continue
		}
		for id, group := range want {
			outcomes[group]++
			if group == "" {
				group = "default"
			} else {
				group = "group " + group
			}
			if got := p.Effective(id, testNow).Level; got != group {
				t.Fatalf("%+v: account %s has %s, want %s", o, id, got, group)
			}
		}
	}
	if outcomes["invalid"] < 100 || outcomes[""] < 100 || outcomes["g0"] < 100 || outcomes["g1"] < 100 {
		t.Errorf("outcomes %v", outcomes)
	}
}

// groupsPlainly returns the group of each account, and whether none is in two and no unit of a group is in another's.
func groupsPlainly(o *Options) (of map[string]string, valid bool) {
	of, valid = map[string]string{}, true
	within := func(unit, outer string) bool { return strings.HasPrefix(unit+"/", outer+"/") }
	for i := range o.Accounts {
		a := &o.Accounts[i]
		for _, g := range o.Groups {
			has := slices.Contains(g.Accounts, a.ID) || len(g.OUs) > 0 && a.OU != "" && within(a.OU, g.OUs[0])
			all := len(g.Tags) > 0
			for k, v := range g.Tags {
				all = all && a.Tags[k] == v
			}
			if has || all {
				valid = valid && of[a.ID] == ""
				of[a.ID] = g.Name
			} else if of[a.ID] == "" {
				of[a.ID] = ""
			}
		}
	}
	for i, g := range o.Groups {
		for j, other := range o.Groups {
			valid = valid && (i == j || len(g.OUs)*len(other.OUs) == 0 || !within(g.OUs[0], other.OUs[0]))
		}
	}
	return of, valid
}

func TestParseTags(t *testing.T) {
	f := func(text, want, fault string) {
		t.Helper()
		tags, got := ParseTags(text)
		if fmt.Sprint(tags) != want || got != fault {
			t.Errorf("%q: %v, %q", text, tags, got)
		}
	}
	f("", "map[]", "")
	f("env=prod; team = a=b ;x=", "map[env:prod team:a=b x:]", "")
	f("env", "map[]", `"env" is not a tag: want key=value, with a semicolon between two`)
	f("=a", "map[]", `"=a" is not a tag: want key=value, with a semicolon between two`)
	f("a=b;a=c", "map[]", `duplicate tag "a"`)
}

// Any fact alone makes an object; without facts there is none.
func TestAccountFacts(t *testing.T) {
	f := func(a Account, group, want string) {
		t.Helper()
		if got := string(encodeFacts(&a, group)); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	f(Account{}, "", "")
	f(Account{Tags: map[string]string{"a": "b"}}, "", `{"tags":{"a":"b"}}`)
	f(Account{OU: "Lab"}, "", `{"ou":"Lab"}`)
	f(Account{Environment: "prod"}, "", `{"environment":"prod"}`)
	f(Account{}, "sandbox", `{"group":"sandbox"}`)
}
