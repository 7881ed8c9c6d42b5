package policy

import (
	"strings"
	"testing"
	"time"

	"github.com/regionwatch/regionwatch/schema/cloudtrail"
	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

// event returns an event in its fields alone; fields are NAME=VALUE, the value without quotes.
func event(t testing.TB, fields ...string) *cloudtrail.Event {
	t.Helper()
	e := &cloudtrail.Event{AWSRegion: jsonscan.Value(`"eu-central-1"`), ReadOnly: jsonscan.Value("false")}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, "=")
		text := jsonscan.Value(`"` + value + `"`)
		switch name {
		case "account":
			e.RecipientAccountID = text
		case "region":
			e.AWSRegion = text
		case "source":
			e.EventSource = text
		case "name":
			e.EventName = text
		case "ip":
			e.SourceIPAddress = text
		case "error":
			e.ErrorCode = text
		case "readOnly":
			e.ReadOnly = jsonscan.Value(value)
		case "by":
			e.UserIdentity = jsonscan.Value(value)
		case "damage":
			e.Damage = &cloudtrail.SyntaxError{}
		default:
			t.Fatalf("no field %q", name)
		}
	}
	return e
}

func leveledPolicy(t testing.TB) *Policy {
	return mustPolicy(t, Options{
		Default: Level{UnusedRegions: []string{"eu-central-1"}},
		Groups: []Group{
			{Name: "sandbox", Accounts: []string{"111111111111"}, Level: &Level{AllowedRegions: []string{"us-west-2"}, Severity: "Low", FailedSeverity: "Info"}},
			{Name: "trial", Level: &Level{UnusedRegions: []string{"eu-central-1"}, Shadow: true}},
			{Name: "plain", Accounts: []string{"555555555555"}},
		},
		Accounts: []Account{
			{ID: "222222222222", Name: "payments", Owner: "o@example.com", Environment: "prod", Tags: map[string]string{"b": "2", "a": "1"},
				Level: &Level{UnusedRegions: []string{"ap-east-1"}, AlertOnMissingReadOnly: true}},
			{ID: "333333333333", Group: "sandbox", Level: &Level{UnusedRegions: []string{"sa-east-1"}}},
			{ID: "444444444444", Group: "trial"},
			{ID: "000000000001", Name: "management"},
			{ID: "666666666666", Level: &Level{AllowedRegions: []string{"us-west-2"}, ExemptGlobalServices: new(bool)}},
		},
	})
}

func TestDecideByLevel(t *testing.T) {
	p := leveledPolicy(t)
	f := func(want Outcome, level, severity string, fields ...string) {
		t.Helper()
		d := p.Decide(event(t, fields...), testNow)
		if d.Outcome != want || d.Level != level || d.Severity != severity {
			t.Errorf("%q: %+v, want %s at %q, severity %q", fields, d, want, level, severity)
		}
		if d.IsFinding() != (want == OutcomeAlerted || want == OutcomeShadowed) {
			t.Errorf("%q: %s is a finding: %t", fields, want, d.IsFinding())
		}
	}
	// The closest level applies as a whole: the default's list says nothing about the others.
	f(OutcomeAlerted, "default", "High", "account=999999999999")
	f(OutcomeAlerted, "default", "High", "account=000000000001")
	f(OutcomeAlerted, "default", "High", "account=555555555555")
	f(OutcomeAlerted, "default", "High")
	f(OutcomeAlerted, "default", "High", "account=1")
	f(OutcomeAlerted, "default", "High", "account=22222222222x")
	f(OutcomeUsedRegion, "account 222222222222", "", "account=222222222222")
	f(OutcomeUsedRegion, "account 222222222222", "", `account=\u00322222222222\u0032`)
	f(OutcomeAlerted, "account 222222222222", "High", "account=222222222222", "region=ap-east-1")
	f(OutcomeAlerted, "account 222222222222", "High", "account=222222222222", "region=ap-east-1", "readOnly=null")
	f(OutcomeUnknownReadOnly, "default", "", "readOnly=null")
	f(OutcomeUsedRegion, "account 333333333333", "", "account=333333333333")
	f(OutcomeAlerted, "account 333333333333", "High", "account=333333333333", "region=sa-east-1")

	// An allow list: all else is unused, also what the catalogue does not know.
	f(OutcomeAlerted, "group sandbox", "Low", "account=111111111111")
	f(OutcomeUsedRegion, "group sandbox", "", "account=111111111111", "region=us-west-2")
	f(OutcomeAlerted, "group sandbox", "Low", "account=111111111111", "region=mars-east-1")
	f(OutcomeAlerted, "group sandbox", "Low", "account=111111111111", "region=us-west-2 ")
	f(OutcomeAlerted, "group sandbox", "Info", "account=111111111111", "error=AccessDenied")
	f(OutcomeReadOnly, "group sandbox", "", "account=111111111111", "readOnly=true")
	f(OutcomeNoRegion, "group sandbox", "", "account=111111111111", "region=")
	f(OutcomeUsedRegion, "default", "", "region=mars-east-1")

	// Global services are logged in one region of the partition, and only there they pass.
	f(OutcomeGlobalService, "group sandbox", "Low", "account=111111111111", "region=us-east-1", "source=iam.amazonaws.com")
	f(OutcomeGlobalService, "group sandbox", "Low", "account=111111111111", "region=us-east-1", "source=signin.amazonaws.com")
	f(OutcomeGlobalService, "group sandbox", "Low", "account=111111111111", "region=us-gov-west-1", "source=sts.amazonaws.com")
	f(OutcomeGlobalService, "group sandbox", "Low", "account=111111111111", "region=us-east-1", `source=iam\u002eamazonaws.com`)
	f(OutcomeAlerted, "group sandbox", "Low", "account=111111111111", "region=us-east-1", "source=ec2.amazonaws.com")
	f(OutcomeAlerted, "group sandbox", "Low", "account=111111111111", "region=us-east-2", "source=iam.amazonaws.com")
	f(OutcomeAlerted, "group sandbox", "Low", "account=111111111111", "region=us-east-1", "source=iam.amazonaws.com", "damage=")
	f(OutcomeAlerted, "account 666666666666", "High", "account=666666666666", "region=us-east-1", "source=iam.amazonaws.com")

	f(OutcomeShadowed, "group trial", "High", "account=444444444444")
	f(OutcomeUsedRegion, "group trial", "", "account=444444444444", "region=us-east-1")
}

// A policy of one account only has it.
func TestOneAccount(t *testing.T) {
	p := mustPolicy(t, Options{
		Default:  Level{UnusedRegions: []string{"eu-central-1"}},
		Accounts: []Account{{ID: "222222222222", Level: &Level{UnusedRegions: []string{"ap-east-1"}}}},
	})
	if d := p.Decide(event(t, "account=222222222222"), testNow); d.IsFinding() {
		t.Errorf("%+v: the account uses the region", d)
	}
}

func TestAllShadow(t *testing.T) {
	f := func(want bool, o Options) {
		t.Helper()
		if got := mustPolicy(t, o).AllShadow(); got != want {
			t.Errorf("%+v: all in shadow mode %t, want %t", o, got, want)
		}
	}
	live := &Level{UnusedRegions: []string{"eu-central-1"}}
	trial := &Level{UnusedRegions: []string{"eu-central-1"}, Shadow: true}
	f(false, Options{})
	f(true, Options{Shadow: true})
	f(true, Options{Default: *trial})
	f(true, Options{Shadow: true, Groups: []Group{{Name: "a", Accounts: []string{"111111111111"}, Level: live}}})
	f(true, Options{Default: *trial, Groups: []Group{{Name: "a", Accounts: []string{"111111111111"}, Level: trial}}})
	f(false, Options{Default: *trial, Groups: []Group{{Name: "a", Accounts: []string{"111111111111"}, Level: live}}})
	f(false, Options{Default: *trial, Accounts: []Account{{ID: "111111111111", Level: live}}})
	f(false, Options{Default: *live, Accounts: []Account{{ID: "111111111111", Level: trial}}})
}

func TestShadowPolicy(t *testing.T) {
	p := mustPolicy(t, Options{Shadow: true, Groups: []Group{{Name: "a", Accounts: []string{"111111111111"}, Level: &Level{UnusedRegions: []string{"eu-central-1"}}}}})
	for _, e := range []*cloudtrail.Event{event(t), event(t, "account=111111111111"), event(t, "damage=")} {
		if d := p.Decide(e, testNow); d.Outcome != OutcomeShadowed {
			t.Errorf("%+v, want it shadowed", d)
		}
	}
}

func defaultPolicy(t testing.TB) *Policy { return mustPolicy(t, Options{}) }

func mustPolicy(t testing.TB, o Options) *Policy {
	t.Helper()
	p, err := Compile(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// testNow is when tests decide.
var testNow = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
