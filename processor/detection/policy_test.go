package detection

import (
	"strings"
	"testing"

	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

func TestNewPolicySuccess(t *testing.T) {
	f := func(o PolicyOptions, unused, used string) {
		t.Helper()
		p := mustPolicy(t, o)
		for region, want := range map[string]Outcome{unused: OutcomeAlerted, used: OutcomeUsedRegion} {
			e := &cloudtrail.Event{AWSRegion: cloudtrail.Value(`"` + region + `"`), ReadOnly: cloudtrail.Value("false")}
			if d := p.Decide(e, testNow); d.Outcome != want || d.Level != "default" || d.Reason == "" {
				t.Errorf("%v: %s is %+v, want %s", o, region, d, want)
			}
		}
	}
	f(PolicyOptions{}, "ap-east-1", "us-east-1")
	f(PolicyOptions{}, "eu-west-3", "eu-west-1")
	f(PolicyOptions{}, "eu-central-1", "eu-central-2")
	f(PolicyOptions{Default: Level{UnusedRegions: []string{"us-west-1"}}}, "us-west-1", "eu-central-1")
	f(PolicyOptions{Default: Level{UnusedRegions: []string{"us-west-1", "cn-north-1", "us-west-1"}}}, "cn-north-1", "cn-northwest-1")
}

func TestNewPolicyFailure(t *testing.T) {
	f := func(regions []string, want ...string) {
		t.Helper()
		p, err := NewPolicy(PolicyOptions{Default: Level{UnusedRegions: regions}})
		if err == nil {
			t.Fatalf("NewPolicy(%q) = %v, want an error", regions, p)
		}
		if got := err.Error(); got != strings.Join(want, "\n") {
			t.Errorf("NewPolicy(%q): %s, want %s", regions, got, strings.Join(want, "\n"))
		}
	}
	f([]string{"eu-cental-1"}, `"eu-cental-1" is no AWS region, did you mean "eu-central-1"?`)
	f([]string{"us-esat-1"}, `"us-esat-1" is no AWS region, did you mean "us-east-1"?`)
	f([]string{"EU-WEST-3"}, `"EU-WEST-3" is no AWS region, did you mean "eu-west-3"?`)
	f([]string{" eu-west-3"}, `" eu-west-3" is no AWS region, did you mean "eu-west-3"?`)
	f([]string{"us-east-1a"}, `"us-east-1a" is no AWS region, did you mean "us-east-1"?`)
	f([]string{"frankfurt"}, `"frankfurt" is no AWS region (as of `+CatalogueDate+`)`)
	f([]string{strings.Repeat("x", 1000)}, `"`+strings.Repeat("x", 1000)+`" is no AWS region (as of `+CatalogueDate+`)`)
	f([]string{"", "us-east-1", "mars-east-1", "useast1"},
		`region 1 of 4 is empty`,
		`"mars-east-1" is no AWS region, did you mean "sa-east-1"?`,
		`"useast1" is no AWS region, did you mean "us-east-1"?`)
}

func TestPolicyVersion(t *testing.T) {
	version := func(o PolicyOptions) string { return mustPolicy(t, o).Version() }
	standard := version(PolicyOptions{})
	// The version is stamped on alerts: it stays the same between processes and releases.
	if want := "sha256:3dd7f48a2200"; standard != want {
		t.Errorf("default version %q, want %q", standard, want)
	}
	if got := version(PolicyOptions{Default: Level{UnusedRegions: []string{"eu-west-3", "eu-central-1", "ap-east-1", "eu-west-3"}}}); got != standard {
		t.Errorf("the same list in another order has version %q, want %q", got, standard)
	}
	if got := version(PolicyOptions{Default: Level{UnusedRegions: []string{"eu-west-3"}}}); got == standard {
		t.Error("another list has the same version")
	}
	if got := version(PolicyOptions{Default: Level{AlertOnMissingReadOnly: true}}); got == standard {
		t.Error("another setting has the same version")
	}
	if got := version(PolicyOptions{Version: "2026-11-01"}); got != "2026-11-01" {
		t.Errorf("version %q, want the one that is given", got)
	}
}

func TestRegionsCatalogue(t *testing.T) {
	counts := map[string]int{}
	seen := map[string]bool{}
	for _, r := range Regions() {
		counts[r.Partition]++
		if r.OptIn {
			counts["opt-in"]++
		}
		if seen[r.Code] || len(r.Code) > maxRegionBytes {
			t.Errorf("%s stands twice or is too long", r.Code)
		}
		seen[r.Code] = true
		if got, ok := FindRegion(r.Code); !ok || got != r {
			t.Errorf("FindRegion(%q) = %v, %t", r.Code, got, ok)
		}
		if got := NearestRegion(r.Code); got != r.Code {
			t.Errorf("NearestRegion(%q) = %q", r.Code, got)
		}
	}
	if counts["aws"] != 36 || counts["opt-in"] != 19 || len(seen) != 48 {
		t.Errorf("counts %v, %d in all", counts, len(seen))
	}
	for _, code := range DefaultUnusedRegions {
		if !seen[code] {
			t.Errorf("default %s is not in the catalogue", code)
		}
	}
}
