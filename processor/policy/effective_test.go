package policy

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

// sandbox has an account by itself, one in a group, one in an exception only, and an exception that has expired.
func sandbox(t *testing.T) *Policy {
	t.Helper()
	region := []string{"eu-west-3"}
	return mustPolicy(t, Options{
		Default: Level{UnusedRegions: []string{"eu-west-3", "ap-east-1"}},
		Groups:  []Group{{Name: "sandbox", Accounts: []string{"222222222222"}, Level: &Level{AllowedRegions: []string{"us-east-1"}, Severity: "Low", FailedSeverity: "Info", AlertOnMissingReadOnly: true}}},
		Accounts: []Account{
			{ID: "111111111111", Name: "payments", Level: &Level{AllowedRegions: []string{"us-east-1", "eu-west-1"}, Shadow: true, ExemptGlobalServices: new(bool)}},
		},
		Exceptions: []Exception{
			{Name: "everywhere", Reason: "r", Owner: "o", Regions: region},
			{Name: "one", Reason: "r", Owner: "o", Regions: region, Accounts: []string{"333333333333"}, Expires: testNow.Add(time.Hour)},
			{Name: "expired", Reason: "r", Owner: "o", Regions: region, Expires: testNow},
		},
	})
}

// What a policy shows to people is what it decides by.
func TestEffective(t *testing.T) {
	p := sandbox(t)
	if got, want := p.Accounts(), []string{"111111111111", "222222222222", "333333333333"}; !slices.Equal(got, want) {
		t.Errorf("accounts %q, want %q", got, want)
	}
	if got, want := p.Size(), (Size{Accounts: 3, UnusedRegions: 2, Exceptions: 3}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	f := func(account, level string, isAllowList, exemptGlobal, shadow bool, missing, severity, failed string, exceptions, listed []string) {
		t.Helper()
		e := p.Effective(account, testNow)
		if e.Level != level || e.AllowList != isAllowList || e.ExemptGlobalServices != exemptGlobal || e.Shadow != shadow ||
			e.MissingReadOnly != missing || e.Severity != severity || e.FailedSeverity != failed || !slices.Equal(e.Exceptions, exceptions) {
			t.Errorf("%s: %+v", account, e)
		}
		slices.Sort(e.Listed)
		if !slices.Equal(e.Listed, listed) {
			t.Errorf("%s lists %q, want %q", account, e.Listed, listed)
		}
		for _, r := range catalogue {
			if got := slices.Contains(e.Unused, r.Code); got != (slices.Contains(listed, r.Code) != isAllowList) {
				t.Errorf("%s: %s unused: %t", account, r.Code, got)
			}
		}
	}
	everywhere := []string{"everywhere"}
	f("444444444444", "default", false, false, false, "pass", "High", "High", everywhere, []string{"ap-east-1", "eu-west-3"})
	f("x", "default", false, false, false, "pass", "High", "High", everywhere, []string{"ap-east-1", "eu-west-3"})
	f("333333333333", "default", false, false, false, "pass", "High", "High", []string{"everywhere", "one"}, []string{"ap-east-1", "eu-west-3"})
	f("222222222222", "group sandbox", true, true, false, "alert", "Low", "Info", everywhere, []string{"us-east-1"})
	f("111111111111", "account 111111111111", true, false, true, "pass", "High", "High", everywhere, []string{"eu-west-1", "us-east-1"})
}

// Each region has its reason, the first and the last of the catalogue included.
func TestRegionReasons(t *testing.T) {
	for i, r := range catalogue {
		event := &cloudtrail.Event{AWSRegion: jsonscan.Value(`"` + r.Code + `"`), ReadOnly: jsonscan.Value("false")}
		other := "us-east-1"
		if r.Code == other {
			other = "us-west-2"
		}
		for want, level := range map[string]Level{
			r.Code + " is in unused_regions":      {UnusedRegions: []string{r.Code}},
			"the region is not in unused_regions": {UnusedRegions: []string{other}},
			r.Code + " is not in allowed_regions": {AllowedRegions: []string{other}},
			"the region is in allowed_regions":    {AllowedRegions: []string{r.Code}},
		} {
			d := mustPolicy(t, Options{Default: level}).Decide(event, testNow)
			code := map[bool]string{true: r.Code}[level.IsUnused(r.Code)]
			if d.RegionReason != want || d.Number != i || d.Region != code {
				t.Errorf("%s: %+v, want region %d, %q: %q", r.Code, d, i, code, want)
			}
		}
	}
}

// One level is enough to make missing readOnly count, and one to alert.
func TestAnyLevel(t *testing.T) {
	list := []string{"us-east-1"}
	f := func(o Options, alertsOnMissing, allShadow bool) {
		t.Helper()
		p := mustPolicy(t, o)
		if got := p.AlertsOnMissingReadOnly(); got != alertsOnMissing {
			t.Errorf("%+v alerts on missing readOnly: %t", o, got)
		}
		if got := p.AllShadow(); got != allShadow {
			t.Errorf("%+v is all shadow: %t", o, got)
		}
	}
	account := func(l Level) []Account { return []Account{{ID: "111111111111", Level: &l}} }
	f(Options{}, false, false)
	f(Options{Shadow: true}, false, true)
	f(Options{Default: Level{AlertOnMissingReadOnly: true}}, true, false)
	f(Options{Accounts: account(Level{AllowedRegions: list, AlertOnMissingReadOnly: true})}, true, false)
	f(Options{Default: Level{Shadow: true}, Accounts: account(Level{AllowedRegions: list})}, false, false)
	f(Options{Default: Level{Shadow: true}, Accounts: account(Level{AllowedRegions: list, Shadow: true})}, false, true)
}

// What has expired, and what soon will, is told apart from what will not.
func TestExpiries(t *testing.T) {
	var o Options
	for name, expires := range map[string]time.Time{
		"never": {}, "expired": testNow, "soon": testNow.Add(WarnAhead), "later": testNow.Add(WarnAhead + 1),
	} {
		o.Exceptions = append(o.Exceptions, Exception{Name: name, Reason: "r", Owner: "o", EventNames: []string{"Put*"}, Expires: expires})
	}
	slices.SortFunc(o.Exceptions, func(a, b Exception) int { return strings.Compare(a.Name, b.Name) })
	p := mustPolicy(t, o)
	if got := p.ExpiredExceptions(testNow); got != 1 {
		t.Errorf("%d have expired", got)
	}
	if got, want := p.Expiries(testNow), []Expiry{{"expired", "o", testNow, true}, {"soon", "o", testNow.Add(WarnAhead), false}}; !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	want := []alert.Exception{{Name: "expired", Reason: "r", Owner: "o"}, {Name: "later", Reason: "r", Owner: "o"}, {Name: "never", Reason: "r", Owner: "o"}, {Name: "soon", Reason: "r", Owner: "o"}}
	if got := p.Exceptions(); !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}
