package scp

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/processor/policy/policyfile"
	"github.com/regionwatch/regionwatch/processor/policy/regions"
)

// An exported level reads back as the same list of regions, for whatever target and with whatever exceptions.
func TestExportReadsBack(t *testing.T) {
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 1))
		o := randomPolicy(random)
		for _, target := range []Target{{}, {Group: "g"}, {Account: "111111111111"}, {Account: "222222222222"}} {
			exported, err := Export(&o, target)
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			imported, err := Import(sources(exported), Target{})
			if err != nil {
				t.Fatalf("seed %d: %v in\n%s", seed, err, exported.Policies)
			}
			file, err := policyfile.Parse("imported", imported.Policy)
			if err != nil {
				t.Fatalf("seed %d: %v in\n%s", seed, err, imported.Policy)
			}
			before, err := policy.Compile(o)
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			account := target.Account
			if target.Group != "" {
				account = "222222222222" // is in it
			}
			want, got := before.Effective(account, time.Time{}), file.Policy.Effective("", time.Time{})
			if got.AllowList != want.AllowList || !slices.Equal(got.Unused, want.Unused) || !slices.Equal(got.Listed, want.Listed) {
				t.Errorf("seed %d, %+v: %v %v, want %v %v", seed, target, got.AllowList, got.Listed, want.AllowList, want.Listed)
			}
		}
	}
}

// An exception in one region exempts nothing in the others.
func TestExportExceptionInOneRegion(t *testing.T) {
	o := policy.Options{Default: policy.Level{UnusedRegions: []string{"ap-east-1", "eu-west-3"}}, Exceptions: []policy.Exception{{
		Name: "x", Reason: "x", Owner: "x", Principals: []string{"arn:aws:iam::*:role/a"}, Regions: []string{"ap-east-1"},
	}}}
	exported, err := Export(&o, Target{})
	if err != nil {
		t.Fatal(err)
	}
	imported, err := Import(sources(exported), Target{})
	if err != nil {
		t.Fatal(err)
	}
	file, err := policyfile.Parse("imported", imported.Policy)
	if err != nil {
		t.Fatal(err)
	}
	x := file.Options.Exceptions[len(file.Options.Exceptions)-1] // the first is about roles that policies do not bind
	if !slices.Equal(x.Principals, o.Exceptions[0].Principals) || !slices.Equal(x.Regions, []string{"ap-east-1"}) {
		t.Errorf("%+v of\n%s", x, exported.Policies)
	}
}

func sources(x *Exported) (list []Source) {
	for i, text := range x.Policies {
		list = append(list, Source{fmt.Sprint("scp-", i, ".json"), text})
	}
	return list
}

func randomPolicy(random *rand.Rand) policy.Options {
	level := func() policy.Level {
		var l policy.Level
		var list []string
		for _, r := range regions.All() {
			if random.IntN(3) == 0 {
				list = append(list, r.Code)
			}
		}
		random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		if list = append(list, "us-east-1"); random.IntN(2) == 0 {
			l.AllowedRegions = list
		} else {
			l.UnusedRegions = list
		}
		if random.IntN(3) == 0 {
			exempt := random.IntN(2) == 0
			l.ExemptGlobalServices = &exempt
		}
		return l
	}
	of, mine := level(), level()
	return policy.Options{
		Default:  level(),
		Groups:   []policy.Group{{Name: "g", Accounts: []string{"222222222222"}, Level: &of}},
		Accounts: []policy.Account{{ID: "111111111111", Level: &mine}},
		Exceptions: []policy.Exception{
			{Name: "role", Principals: []string{"arn:aws:iam::*:role/breakglass"}},
			{Name: "source", Groups: []string{"g"}, EventSources: []string{"monitoring.amazonaws.com"}},
		},
	}
}

func TestExportExceptions(t *testing.T) {
	f := func(target Target, x policy.Exception, want string, notes int) {
		t.Helper()
		x.Name = "x"
		o := policy.Options{Default: policy.Level{UnusedRegions: []string{"ap-east-1"}}, Exceptions: []policy.Exception{x}, Groups: []policy.Group{{Name: "g", OUs: []string{"Lab"}}}, Accounts: []policy.Account{{ID: "333333333333", OU: "Lab"}}}
		exported, err := Export(&o, target)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(strings.Join(strings.Fields(string(exported.Policies[0])), ""), want) || len(exported.Notes) != notes {
			t.Errorf("%+v: notes %q,\n%s\nwant %s", x, exported.Notes, exported.Policies[0], want)
		}
	}
	const none = `"Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":["ap-east-1"]}}`
	sources, role := []string{"email.amazonaws.com", "monitoring.amazonaws.com"}, []string{"arn:aws:iam::*:role/a"}
	f(Target{}, policy.Exception{Principals: role}, `"ArnNotLike":{"aws:PrincipalArn":["arn:aws:iam::*:role/a"]}`, 0)
	f(Target{}, policy.Exception{Principals: []string{"arn:*:iam::*:role/aws-service-role/*"}}, none, 0)
	f(Target{}, policy.Exception{EventSources: sources}, `"NotAction":["email:*","cloudwatch:*"]`, 0)
	f(Target{}, policy.Exception{EventSources: []string{"s3.amazonaws.com"}, EventNames: []string{"ListBuckets", "Get*"}}, `"NotAction":["s3:ListAllMyBuckets","s3:Get*"]`, 0)
	f(Target{}, policy.Exception{EventSources: []string{"s3.amazonaws.com"}, EventNames: []string{"ListObjects*"}}, `"NotAction":["s3:ListBucket"]`, 0)
	f(Target{}, policy.Exception{EventSources: []string{"lambda.amazonaws.com"}, EventNames: []string{"Invoke"}}, `"NotAction":["lambda:InvokeFunction"]`, 0)
	f(Target{}, policy.Exception{Principals: []string{"arn:aws:iam::*:role/<a&b>/c"}}, `"arn:aws:iam::*:role/<a&b>/c"`, 0)
	f(Target{}, policy.Exception{Principals: role, EventNames: []string{"Get*"}}, none, 1)
	f(Target{}, policy.Exception{Principals: role, SourceIPs: []string{"192.0.2.0/24"}}, none, 1)
	f(Target{}, policy.Exception{EventSources: sources, Principals: role}, none, 1)
	f(Target{}, policy.Exception{EventSources: []string{"s*.amazonaws.com"}}, none, 1)
	f(Target{}, policy.Exception{EventNames: []string{"Get*"}}, none, 1)
	f(Target{}, policy.Exception{Principals: role, Regions: []string{"ap-east-1"}}, `"ArnNotLike":{"aws:PrincipalArn":["arn:aws:iam::*:role/a"]}`, 0)
	f(Target{}, policy.Exception{Principals: role, Expires: time.Unix(1, 0)}, none, 1)
	f(Target{}, policy.Exception{Principals: role, ServiceInvoked: true}, none, 1)
	f(Target{}, policy.Exception{Principals: role, Groups: []string{"g"}}, none, 0) // it is for others
	f(Target{Group: "g"}, policy.Exception{Principals: role, Groups: []string{"g"}}, `role/a`, 0)
	f(Target{Account: "333333333333"}, policy.Exception{Principals: role, Groups: []string{"g"}}, `role/a`, 0) // its unit is in the group
	f(Target{Account: "444444444444"}, policy.Exception{Principals: role, Groups: []string{"g"}}, none, 0)
	f(Target{Account: "444444444444"}, policy.Exception{Principals: role, Groups: []string{"g"}, Accounts: []string{"444444444444"}}, none, 0) // it applies to nothing
}

// Regions with the same exemptions share a statement, and each statement has a region.
func TestExportStatements(t *testing.T) {
	f := func(l policy.Level, want ...string) {
		t.Helper()
		role := func(name string, codes ...string) policy.Exception {
			return policy.Exception{Name: name, Principals: []string{"arn:aws:iam::*:role/" + name}, Regions: codes}
		}
		exported, err := Export(&policy.Options{Default: l, Exceptions: []policy.Exception{role("a", "ap-east-1", "sa-east-1"), role("b", "eu-west-1", "eu-west-2")}}, Target{})
		if err != nil {
			t.Fatal(err)
		}
		var document struct{ Statement []written }
		if err := json.Unmarshal(exported.Policies[0], &document); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, w := range document.Statement {
			got = append(got, fmt.Sprint(w.Action, w.Condition, slices.Contains(w.NotAction, "iam:*")))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%+v:\n%s\nwant\n%s", l, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	const a, b = "map[ArnNotLike:map[aws:PrincipalArn:[arn:aws:iam::*:role/a]] StringEquals:map[aws:RequestedRegion:[sa-east-1 ap-east-1]]]",
		"map[ArnNotLike:map[aws:PrincipalArn:[arn:aws:iam::*:role/b]] StringEquals:map[aws:RequestedRegion:[eu-west-1 eu-west-2]]]"
	f(policy.Level{UnusedRegions: []string{"ap-east-1", "sa-east-1"}}, "*"+a+" false")
	f(policy.Level{UnusedRegions: []string{"ap-east-1", "sa-east-1", "eu-west-1", "eu-west-2", "eu-west-3"}},
		"*map[StringEquals:map[aws:RequestedRegion:[eu-west-3]]] false", "*"+b+" false", "*"+a+" false")
	f(policy.Level{AllowedRegions: []string{"us-east-1"}},
		"map[StringNotEquals:map[aws:RequestedRegion:[us-east-1 eu-west-1 eu-west-2 sa-east-1 ap-east-1]]] true", b+" true", a+" true")
}

func TestExportNotesOthers(t *testing.T) {
	o := policy.Options{Default: policy.Level{AllowedRegions: []string{"us-east-1"}}}
	for i := range 8 {
		o.Groups = append(o.Groups, policy.Group{Name: fmt.Sprint("g", i), Level: &policy.Level{AllowedRegions: []string{"us-east-1", "eu-west-1"}[:1+min(i, 1)]}})
	}
	o.Accounts = []policy.Account{{ID: "111111111111", Level: &policy.Level{AllowedRegions: []string{"us-east-1", "eu-west-1"}}}}
	if exported, err := Export(&policy.Options{Default: o.Default, Accounts: o.Accounts}, Target{}); err != nil || len(exported.Notes) != 1 || !strings.HasSuffix(exported.Notes[0], ": account 111111111111") {
		t.Errorf("%v: %q", err, exported)
	}
	const begin = "some use regions that this denies, so do not attach it above them: "
	f := func(o policy.Options, target Target, want ...string) {
		t.Helper()
		exported, err := Export(&o, target)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(exported.Notes, want) {
			t.Errorf("%q, want %q", exported.Notes, want)
		}
	}
	f(policy.Options{Default: o.Default, Groups: o.Groups}, Target{}, begin+"group g1, group g2, group g3, group g4, group g5 and 2 more")
	f(policy.Options{Default: o.Default, Groups: o.Groups[:7]}, Target{}, begin+"group g1, group g2, group g3, group g4, group g5 and 1 more")
	f(policy.Options{Default: o.Default, Groups: o.Groups[:6]}, Target{}, begin+"group g1, group g2, group g3, group g4, group g5")
	// Of a group, only its own accounts are bound.
	o.Groups[0].Accounts, o.Groups[1].Accounts = []string{"111111111111"}, []string{"222222222222"}
	o.Accounts = append(o.Accounts, policy.Account{ID: "222222222222", Level: o.Accounts[0].Level}, policy.Account{ID: "333333333333", Level: o.Accounts[0].Level})
	f(o, Target{Group: "g0"}, begin+"account 111111111111")
	o.Accounts = append(o.Accounts, policy.Account{ID: "444444444444"})
	f(o, Target{Account: "444444444444"}) // nothing is below an account
}

func TestExportFailure(t *testing.T) {
	f := func(o policy.Options, target Target, want string) {
		t.Helper()
		if _, err := Export(&o, target); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	f(policy.Options{}, Target{Group: "g"}, `the policy has no group "g"`)
	x := policy.Exception{Name: "x"}
	for i := range 120 {
		x.Principals = append(x.Principals, fmt.Sprintf("arn:aws:iam::*:role/role-with-a-long-name-%03d", i))
	}
	f(policy.Options{Exceptions: []policy.Exception{x}}, Target{},
		"a statement has 5974 characters, of which 5760 exempt principals and 0 exempt actions; AWS allows 5120 in a policy, and it cannot be split: each part would deny what the other exempts")
	// What is too long only because of its indents is written on one line.
	x.Principals = x.Principals[:100]
	exported, err := Export(&policy.Options{Exceptions: []policy.Exception{x}}, Target{})
	if err != nil || len(exported.Policies) != 1 || len(exported.Policies[0]) > MaxCharacters || strings.Contains(string(exported.Policies[0]), "  ") {
		t.Errorf("%v: %s", err, exported.Policies)
	}
}

// Statements of one policy have different ids.
func TestStatementIDs(t *testing.T) {
	var document struct{ Statement []struct{ Sid string } }
	if err := json.Unmarshal(encode(make([]written, 3), ""), &document); err != nil {
		t.Fatal(err)
	}
	want := []struct{ Sid string }{{"DenyUnusedRegions"}, {"DenyUnusedRegions2"}, {"DenyUnusedRegions3"}}
	if !slices.Equal(document.Statement, want) {
		t.Errorf("%q, want %q", document.Statement, want)
	}
}

// CloudTrail writes an action with a capital letter, whatever the policy has.
func TestEventNames(t *testing.T) {
	f := func(prefix, name, want string) {
		t.Helper()
		if got := eventName(prefix, name); got != want {
			t.Errorf("%s:%s is %q, want %q", prefix, name, got, want)
		}
	}
	f("x", "*", "")
	f("x", "doThat", "DoThat")
	f("x", "do*", "Do*")
	f("lambda", "invented", "Invented*")
	f("lambda", "inv*", "Inv*")
}

// One statement need not be in a list.
func TestStatementsWithoutList(t *testing.T) {
	for _, text := range []string{`{"Effect":"Deny"}`, `[{"Effect":"Deny"}]`} {
		var s statements
		if err := json.Unmarshal([]byte(text), &s); err != nil || len(s) != 1 {
			t.Errorf("%d statements in %s: %v", len(s), text, err)
		}
	}
}
