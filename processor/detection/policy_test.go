package detection

import (
	"strings"
	"testing"

	"github.com/regionwatch/regionwatch/processor/policy"
)

// What the policy knows of an account is in its alerts, which fit the schema.
func TestAlertsCarryAccountFacts(t *testing.T) {
	f := func(account, region, wantFacts string, p *policy.Policy, o Options) {
		t.Helper()
		value := with(t, regionField, `"awsRegion":"`+region+`"`)
		value = strings.ReplaceAll(value, `"recipientAccountId":"111122223333"`, `"recipientAccountId":"`+account+`"`)
		r, _ := detectWith(t, p, o, value)
		if len(r.alerts) != 1 {
			t.Fatalf("%s: %d alerts", account, len(r.alerts))
		}
		validate(t, alertSchema(t), r.encoded[0])
		a := &r.alerts[0]
		if got := string(a.Policy.Account); got != wantFacts {
			t.Errorf("%s: account %s, want %s", account, got, wantFacts)
		}
		if a.Policy.Hash != p.Hash() || a.Policy.Hash == "" {
			t.Errorf("%s: hash %q", account, a.Policy.Hash)
		}
	}
	p := mustPolicy(t, policy.Options{
		Default: policy.Level{UnusedRegions: []string{"eu-central-1"}},
		Groups: []policy.Group{
			{Name: "sandbox", Accounts: []string{"111111111111"}, Level: &policy.Level{AllowedRegions: []string{"us-west-2"}}},
			{Name: "trial", Level: &policy.Level{UnusedRegions: []string{"eu-central-1"}, Shadow: true}},
		},
		Accounts: []policy.Account{
			{ID: "222222222222", Name: "payments", Owner: "o@example.com", Environment: "prod", Tags: map[string]string{"b": "2", "a": "1"},
				Level: &policy.Level{UnusedRegions: []string{"ap-east-1"}}},
			{ID: "444444444444", Group: "trial"},
		},
	})
	f("222222222222", "ap-east-1", `{"name":"payments","owner":"o@example.com","environment":"prod","tags":{"a":"1","b":"2"}}`, p, Options{})
	f("111111111111", "eu-central-1", `{"group":"sandbox"}`, p, Options{})
	f("111111111111", "mars-east-1", `{"group":"sandbox"}`, p, Options{})
	f("999999999999", "eu-central-1", ``, p, Options{})
	f("444444444444", "eu-central-1", `{"group":"trial"}`, p, Options{Shadowed: true})
}

func TestShadowedAndExemptedAlertsOnlyWhereWanted(t *testing.T) {
	f := func(p *policy.Policy, o Options, wantAlerts int, outcome policy.Outcome, wantMode, wantException string) {
		t.Helper()
		r, c := detectWith(t, p, o, matching)
		if len(r.alerts) != wantAlerts || c.Outcomes[outcome] != 1 || c.Events != 1 || c.Passed() != 0 {
			t.Fatalf("%d alerts, counts %+v", len(r.alerts), c)
		}
		if wantAlerts == 0 {
			return
		}
		validate(t, alertSchema(t), r.encoded[0])
		a := r.alerts[0].Policy
		if a.Mode != wantMode || (a.Exception != nil) != (wantException != "") {
			t.Errorf("policy %+v", a)
		}
		if a.Exception != nil && a.Exception.Name != wantException {
			t.Errorf("exception %+v", a.Exception)
		}
	}
	shadow := mustPolicy(t, policy.Options{Shadow: true})
	f(shadow, Options{}, 0, policy.OutcomeShadowed, "", "")
	f(shadow, Options{Shadowed: true}, 1, policy.OutcomeShadowed, "shadow", "")
	exempt := mustPolicy(t, policy.Options{Exceptions: []policy.Exception{{Name: "x", Regions: []string{"eu-central-1"}}}})
	f(exempt, Options{}, 0, policy.OutcomeExempted, "", "")
	f(exempt, Options{Exempted: true}, 1, policy.OutcomeExempted, "", "x")
	_, c := detectWith(t, exempt, Options{}, strings.Join(distinct(matching, matching), "\n"))
	if c.Exempted["x"] != 2 || len(c.Exempted) != 1 {
		t.Errorf("counted by name %v", c.Exempted)
	}
}
