package policy

import (
	"strings"
	"testing"

	"github.com/regionwatch/regionwatch/processor/policy/regions"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

func TestCompileSuccess(t *testing.T) {
	f := func(o Options, unused, used string) {
		t.Helper()
		p := mustPolicy(t, o)
		for region, want := range map[string]Outcome{unused: OutcomeAlerted, used: OutcomeUsedRegion} {
			e := &cloudtrail.Event{AWSRegion: jsonscan.Value(`"` + region + `"`), ReadOnly: jsonscan.Value("false")}
			if d := p.Decide(e, testNow); d.Outcome != want || d.Level != "default" || d.Reason == "" {
				t.Errorf("%v: %s is %+v, want %s", o, region, d, want)
			}
		}
	}
	f(Options{}, "ap-east-1", "us-east-1")
	f(Options{}, "eu-west-3", "eu-west-1")
	f(Options{}, "eu-central-1", "eu-central-2")
	f(Options{Default: Level{UnusedRegions: []string{"us-west-1"}}}, "us-west-1", "eu-central-1")
	f(Options{Default: Level{UnusedRegions: []string{"us-west-1", "cn-north-1", "us-west-1"}}}, "cn-north-1", "cn-northwest-1")
}

func TestCompileFailure(t *testing.T) {
	f := func(regions []string, want ...string) {
		t.Helper()
		p, err := Compile(Options{Default: Level{UnusedRegions: regions}})
		if err == nil {
			t.Fatalf("Compile(%q) = %v, want an error", regions, p)
		}
		if got := err.Error(); got != strings.Join(want, "\n") {
			t.Errorf("Compile(%q): %s, want %s", regions, got, strings.Join(want, "\n"))
		}
	}
	f([]string{"eu-cental-1"}, `"eu-cental-1" is not an AWS region, did you mean "eu-central-1"?`)
	f([]string{"us-esat-1"}, `"us-esat-1" is not an AWS region, did you mean "us-east-1"?`)
	f([]string{"EU-WEST-3"}, `"EU-WEST-3" is not an AWS region, did you mean "eu-west-3"?`)
	f([]string{" eu-west-3"}, `" eu-west-3" is not an AWS region, did you mean "eu-west-3"?`)
	f([]string{"us-east-1a"}, `"us-east-1a" is not an AWS region, did you mean "us-east-1"?`)
	f([]string{"Frankfurt"}, `"Frankfurt" is not an AWS region, did you mean "eu-central-1"?`)
	f([]string{"atlantis"}, `"atlantis" is not an AWS region (as of `+regions.Date+`)`)
	f([]string{strings.Repeat("x", 1000)}, `"`+strings.Repeat("x", 1000)+`" is not an AWS region (as of `+regions.Date+`)`)
	f([]string{"", "us-east-1", "mars-east-1", "useast1"},
		`region 1 of 4 is empty`,
		`"mars-east-1" is not an AWS region, did you mean "sa-east-1"?`,
		`"useast1" is not an AWS region, did you mean "us-east-1"?`)
}

func TestPolicyVersion(t *testing.T) {
	version := func(o Options) string { return mustPolicy(t, o).Version() }
	standard := version(Options{})
	// The version is stamped on alerts: it stays the same between processes and releases.
	if want := "sha256:3dd7f48a2200"; standard != want {
		t.Errorf("default version %q, want %q", standard, want)
	}
	if got := version(Options{Default: Level{UnusedRegions: []string{"eu-west-3", "eu-central-1", "ap-east-1", "eu-west-3"}}}); got != standard {
		t.Errorf("the same list in another order has version %q, want %q", got, standard)
	}
	if got := version(Options{Default: Level{UnusedRegions: []string{"eu-west-3"}}}); got == standard {
		t.Error("another list has the same version")
	}
	if got := version(Options{Default: Level{AlertOnMissingReadOnly: true}}); got == standard {
		t.Error("another setting has the same version")
	}
	if got := version(Options{Version: "2026-11-01"}); got != "2026-11-01" {
		t.Errorf("version %q, want the one that is given", got)
	}
}

func TestDefaultUnusedRegions(t *testing.T) {
	for _, code := range DefaultUnusedRegions {
		if _, ok := regions.Lookup(code); !ok {
			t.Errorf("%s is not in the catalogue", code)
		}
	}
}

// A code is found however it is written, and only the whole code.
func TestFindRegion(t *testing.T) {
	f := func(text string, want int) {
		t.Helper()
		if got := findRegion(jsonscan.Value(text)); got != want {
			t.Errorf("%s: got %d, want %d", text, got, want)
		}
	}
	for i, r := range regions.All() {
		f(`"`+r.Code+`"`, i)
		f(`"`+strings.ReplaceAll(r.Code, "-", `\u002d`)+`"`, i)
		f(`"`+r.Code+`-"`, -1)
		f(r.Code, -1)
	}
	for _, text := range []string{``, `""`, `"x"`, `null`, `7`, `"` + strings.Repeat("us-east-1", 100) + `"`, `"` + strings.Repeat(`\u0075`, 100) + `"`} {
		f(text, -1)
	}
}
