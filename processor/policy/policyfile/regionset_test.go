package policyfile

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/regionwatch/regionwatch/processor/policy"
)

// A set may stand below the levels that name it, and in files of accounts. It means its regions and nothing more.
func TestRegionSets(t *testing.T) {
	with, err := Parse("policy.yaml", []byte(`default: { allowed_regions: ["@core", eu-north-1] }
groups: { lab: { allowed_regions: ["@core"] } }
exceptions:
  - { name: x, regions: [ap-south-1, "@asia"], event_names: [Put*] }
region_sets: { core: [us-west-2, us-east-1], asia: [ap-east-1] }
`))
	if err != nil {
		t.Fatal(err)
	}
	without, err := Parse("policy.yaml", []byte(`default: { allowed_regions: [us-east-1, us-west-2, eu-north-1] }
groups: { lab: { allowed_regions: [us-east-1, us-west-2] } }
exceptions:
  - { name: x, regions: [ap-south-1, ap-east-1], event_names: [Put*] }
`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(without.Options, with.Options); diff != "" {
		t.Error(diff)
	}
	if with.Policy.Hash() != without.Policy.Hash() {
		t.Error("a policy with sets has another hash than the same policy without")
	}
}

// A literal region is reported where it stands, one of a set at the list.
func TestRegionSetPosition(t *testing.T) {
	_, err := Parse("policy.yaml", []byte(`region_sets: { core: [us-east-1, us-west-2] }
default: { allowed_regions: ["@core", eu-west-1] }
exceptions:
  - { name: x, regions: ["@core", eu-west-1], event_names: [Put*] }
`))
	want := `policy.yaml:4:25: us-east-1 is in use at every level the exception covers; it can never apply
policy.yaml:4:25: us-west-2 is in use at every level the exception covers; it can never apply
policy.yaml:4:35: eu-west-1 is in use at every level the exception covers; it can never apply`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestNotBefore(t *testing.T) {
	f, err := Parse("policy.yaml", []byte("exceptions: [{ name: x, event_names: [Put*], not_before: 2027-01-01, expires: 2027-02-01T12:00:00+01:00 }]\n"))
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	if x := f.Options.Exceptions[0]; !x.NotBefore.Equal(begin) {
		t.Errorf("it begins at %v, want %v", x.NotBefore, begin)
	}
	inForce := func(p *policy.Policy, at time.Time) bool { return len(p.Effective("", at).Exceptions) == 1 }
	for at, want := range map[time.Time]bool{
		{}: false, begin.Add(-1): false, begin: true, begin.AddDate(0, 1, 0): true, begin.AddDate(0, 1, 1): false,
	} {
		if inForce(f.Policy, at) != want {
			t.Errorf("in force at %v: %t, want %t", at, !want, want)
		}
	}
}

// A fault about a region set that does not exist names ten at most.
func TestRegionSetsNamed(t *testing.T) {
	for n, want := range map[int]string{maxNamed: "09", maxNamed + 1: "09 and 1 more"} {
		var sets []string
		for i := range n {
			sets = append(sets, fmt.Sprintf("'%02d': [us-east-1]", i))
		}
		_, err := Parse("p", []byte("region_sets: {"+strings.Join(sets, ", ")+"}\ndefault: {allowed_regions: ['@missing']}\n"))
		if err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%d: %v, want %q", n, err, want)
		}
	}
}
