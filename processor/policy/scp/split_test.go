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

// denied evaluates service control policies as AWS does: what any statement of any of them denies is denied.
func denied(t *testing.T, texts [][]byte, action, region, principal string) bool {
	t.Helper()
	for _, text := range texts {
		var document struct{ Statement []written }
		if err := json.Unmarshal(text, &document); err != nil {
			t.Fatal(err)
		}
		for _, w := range document.Statement {
			matches := func(pattern string) bool { return policy.MatchWildcard(pattern, []byte(action)) }
			denies := w.Action == "*" || len(w.NotAction) > 0 && !slices.ContainsFunc(w.NotAction, matches)
			if only, ok := w.Condition["StringEquals"]; ok {
				denies = denies && slices.Contains(only["aws:RequestedRegion"], region)
			}
			if but, ok := w.Condition["StringNotEquals"]; ok {
				denies = denies && !slices.Contains(but["aws:RequestedRegion"], region)
			}
			if denies && !slices.Contains(w.Condition["ArnNotLike"]["aws:PrincipalArn"], principal) {
				return true
			}
		}
	}
	return false
}

// Whatever the exceptions and however many policies it takes, the same calls are denied as the policy finds, and the
// same list of regions reads back.
func TestSplitKeepsTheMeaning(t *testing.T) {
	role := func(i int) string {
		return fmt.Sprintf("arn:aws:iam::111122223333:role/a-role-with-a-long-name-%02d", i)
	}
	counts := map[int]int{}
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 7))
		o := randomPolicy(random)
		o.Exceptions = nil
		l := &o.Default
		var unused []string
		for _, r := range regions.All() {
			if l.IsUnused(r.Code) {
				unused = append(unused, r.Code)
			}
		}
		for i := range 1 + random.IntN(5) {
			x := policy.Exception{Name: fmt.Sprint("x", i)}
			for range random.IntN(25) {
				x.Principals = append(x.Principals, role(random.IntN(90)))
			}
			if len(x.Principals) == 0 {
				x.EventSources = []string{"ec2.amazonaws.com"}
			}
			for range random.IntN(3) {
				x.Regions = append(x.Regions, unused[random.IntN(len(unused))])
			}
			o.Exceptions = append(o.Exceptions, x)
		}
		exported, err := Export(&o, Target{})
		if err != nil {
			counts[0]++
			continue
		}
		counts[len(exported.Policies)]++
		if len(exported.Notes) > 0 && strings.Contains(exported.Notes[0], "not carried over") {
			t.Fatalf("seed %d: %q", seed, exported.Notes)
		}
		exempt := l.ExemptGlobalServices == nil && len(l.AllowedRegions) > 0 || l.ExemptGlobalServices != nil && *l.ExemptGlobalServices
		for range 100 {
			action := []string{"ec2:RunInstances", "s3:PutObject", "iam:CreateUser"}[random.IntN(3)]
			region, principal := regions.All()[random.IntN(len(regions.All()))].Code, role(random.IntN(90))
			want := l.IsUnused(region) && (action != "iam:CreateUser" || !exempt) && !slices.ContainsFunc(o.Exceptions, func(x policy.Exception) bool {
				return (len(x.Regions) == 0 || slices.Contains(x.Regions, region)) && (slices.Contains(x.Principals, principal) || len(x.EventSources) > 0 && strings.HasPrefix(action, "ec2:"))
			})
			if got := denied(t, exported.Policies, action, region, principal); got != want {
				t.Fatalf("seed %d: %s in %s by %s is denied: %t, want %t; %+v", seed, action, region, principal, got, want, o.Exceptions)
			}
		}
		for _, text := range exported.Policies {
			if len(text) > MaxCharacters {
				t.Errorf("seed %d: %d characters", seed, len(text))
			}
		}
		wantSameList(t, exported, &o)
	}
	if counts[1] == 0 || counts[2] == 0 || counts[3]+counts[4] == 0 || len(counts) > MaxPolicies+1 {
		t.Errorf("runs by number of policies, 0 if refused: %v", counts)
	}
}

// wantSameList wants the policies to read back as the default level's list.
func wantSameList(t *testing.T, exported *Exported, o *policy.Options) {
	t.Helper()
	imported, err := Import(sources(exported), Target{})
	if err != nil {
		t.Fatal(err)
	}
	file, err := policyfile.Parse("imported", imported.Policy)
	if err != nil {
		t.Fatalf("%v in\n%s", err, imported.Policy)
	}
	before, err := policy.Compile(policy.Options{Default: o.Default})
	if err != nil {
		t.Fatal(err)
	}
	want, got := before.Effective("", time.Time{}), file.Policy.Effective("", time.Time{})
	if got.AllowList != want.AllowList || !slices.Equal(got.Listed, want.Listed) {
		t.Errorf("%v %v, want %v %v", got.AllowList, got.Listed, want.AllowList, want.Listed)
	}
}

// A deny list is split by its regions, an allow list never: its parts would deny each other's regions.
func TestSplitByRegion(t *testing.T) {
	var all []string
	for _, r := range regions.All() {
		all = append(all, r.Code)
	}
	x := policy.Exception{Name: "x"}
	for i := range 90 {
		x.Principals = append(x.Principals, fmt.Sprintf("arn:aws:iam::*:role/a-role-with-a-long-name-%03d", i))
	}
	o := policy.Options{Default: policy.Level{UnusedRegions: all}, Exceptions: []policy.Exception{x}}
	exported, err := Export(&o, Target{})
	if err != nil || len(exported.Policies) != 2 {
		t.Fatalf("%v: %d policies, want 2", err, len(exported.Policies))
	}
	wantSameList(t, exported, &o)
	o.Default = policy.Level{AllowedRegions: all[1:]}
	if _, err := Export(&o, Target{}); err == nil || !strings.Contains(err.Error(), "it cannot be split") {
		t.Errorf("an allow list: %v", err)
	}
	for i := range 10 {
		more := policy.Exception{Name: fmt.Sprint("more", i), Regions: []string{all[i]}}
		for j := range 20 {
			more.Principals = append(more.Principals, fmt.Sprintf("arn:aws:iam::*:role/another-role-with-a-long-name-%d-%03d", i, j))
		}
		o.Exceptions = append(o.Exceptions, more)
	}
	o.Default, o.Exceptions[0].Principals = policy.Level{UnusedRegions: all}, o.Exceptions[0].Principals[:50]
	const want = "it takes 11 service control policies of 5120 characters; AWS allows 4 on one target beside FullAWSAccess"
	if _, err := Export(&o, Target{}); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// A policy may have exactly MaxCharacters, in one statement or in several.
func TestPackBound(t *testing.T) {
	f := func(want string, lengths ...int) {
		t.Helper()
		var list []written
		for _, n := range lengths {
			w := written{Effect: "Deny", NotAction: []string{""}, Resource: "*"}
			w.NotAction[0] = strings.Repeat("x", n-len(encode([]written{w}, "")))
			list = append(list, w)
		}
		policies, err := pack(list)
		var got []int
		for _, text := range policies {
			got = append(got, len(text))
		}
		if fmt.Sprint(got) != want || (err == nil) != (len(got) > 0) {
			t.Errorf("%v: policies of %v, want %s; %v", lengths, got, want, err)
		}
	}
	around := len(encode([]written{}, "")) - len(",2") // what two statements in one policy save
	f("[5120]", MaxCharacters)
	f("[]", MaxCharacters+1)
	f("[5120 5120]", MaxCharacters, MaxCharacters)
	f("[]", MaxCharacters, MaxCharacters+1)
	f("[5120 1000]", 3000, MaxCharacters-3000+around, 1000)
	f(fmt.Sprint([]int{4000 - around, MaxCharacters - 3000 + around + 1}), 3000, MaxCharacters-3000+around+1, 1000)
	f("[5120 5120 5120 5120]", MaxCharacters, MaxCharacters, MaxCharacters, MaxCharacters)
	f("[]", MaxCharacters, MaxCharacters, MaxCharacters, MaxCharacters, MaxCharacters)
}

// Two regions can be divided, one or an allow list cannot.
func TestIsSplittable(t *testing.T) {
	for operator, codes := range map[string][]string{"StringEquals": {"ap-east-1", "sa-east-1"}, "StringNotEquals": {"ap-east-1", "sa-east-1"}} {
		for n := range 3 {
			w := written{Condition: map[string]map[string][]string{operator: {"aws:RequestedRegion": codes[:n]}}}
			if want := n == 2 && operator == "StringEquals"; w.isSplittable() != want {
				t.Errorf("%s of %d regions: %t", operator, n, !want)
			}
		}
	}
}

// A policy has white space as long as it fits with it.
func TestPackWhiteSpace(t *testing.T) {
	for size, want := range map[int]bool{MaxCharacters: true, MaxCharacters + 1: false} {
		w := written{NotAction: []string{""}}
		w.NotAction[0] = strings.Repeat("x", size-len(encode([]written{w}, "  ")))
		packed, err := pack([]written{w})
		if err != nil || len(packed) != 1 || strings.Contains(string(packed[0]), "\n  ") != want {
			t.Errorf("%d characters with white space: %d policies, %v", size, len(packed), err)
		}
	}
}

// A comment has 100 characters of a text, and of a longer one so much.
func TestOneLine(t *testing.T) {
	text := strings.Repeat("é", 100)
	if oneLine(text) != text || oneLine(text+"x") != text+"…" {
		t.Errorf("%q, %q", oneLine(text), oneLine(text+"x"))
	}
	if got := oneLine("a\xff \n\x00b"); got != "a\uFFFD b" {
		t.Errorf("%q", got)
	}
}
