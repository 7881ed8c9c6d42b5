package policy

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// drawn is an event in plain texts, from the same small pools as the exceptions.
type drawn struct{ account, group, region, source, name, role string }

// holdsPlainly is an exception in plain words.
func holdsPlainly(x *Exception, e *drawn) bool {
	has := func(list []string, text string) bool {
		return len(list) == 0 || slices.ContainsFunc(list, func(p string) bool { return MatchWildcard(p, []byte(text)) })
	}
	return has(x.Accounts, e.account) && has(x.Groups, e.group) && has(x.Regions, e.region) && has(x.EventSources, e.source) &&
		has(x.EventNames, e.name) && has(x.Principals, "arn:aws:iam::111122223333:role/"+e.role) && (x.Expires.IsZero() || testNow.Before(x.Expires))
}

// The index finds the same exception as looking at all of them in their order.
func TestExceptionsAgainstPlainWords(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pools := map[string][]string{
		"account": {"111111111111", "222222222222", "333333333333"}, "group": {"g", "h"}, "region": {"eu-central-1", "eu-west-3", "ap-east-1"},
		"source": {"ec2.amazonaws.com", "s3.amazonaws.com", "*.amazonaws.com", "ec?.amazonaws.com"}, "name": {"Run", "Stop", "R*", "*"},
		"role": {"a", "ab", "ab/c", "*", "a*", "ab*", "?b", "ab/*", "ab/?"},
	}
	draw := func(pool string, least int) (list []string) {
		for range least + random.IntN(3)*random.IntN(2) {
			list = append(list, pools[pool][random.IntN(len(pools[pool]))])
		}
		slices.Sort(list)
		return slices.Compact(list)
	}
	decided := map[Outcome]int{}
	for range 300 {
		o := Options{Default: Level{AllowedRegions: []string{"us-east-1"}}, Groups: []Group{{Name: "g", Accounts: []string{"111111111111"}}, {Name: "h", Accounts: []string{"222222222222"}}}}
		for i := range 1 + random.IntN(150) {
			x := Exception{Name: fmt.Sprint(i), Regions: draw("region", 1), EventSources: draw("source", 0), EventNames: draw("name", 0)}
			if x.Groups = draw("group", 0); len(x.Groups) == 0 {
				x.Accounts = draw("account", 0)
			}
			for _, role := range draw("role", 0) {
				x.Principals = append(x.Principals, "arn:aws:iam::111122223333:role/"+role)
			}
			if random.IntN(3) == 0 {
				x.Expires = testNow.Add(time.Duration(random.IntN(3)-1) * time.Second)
			}
			o.Exceptions = append(o.Exceptions, x)
		}
		p := mustPolicy(t, o)
		for range 50 {
			e := drawn{
				account: pools["account"][random.IntN(3)], region: pools["region"][random.IntN(3)], source: pools["source"][random.IntN(2)],
				name: pools["name"][random.IntN(2)], role: pools["role"][random.IntN(3)],
			}
			e.group = map[string]string{"111111111111": "g", "222222222222": "h"}[e.account]
			want := ""
			if i := slices.IndexFunc(o.Exceptions, func(x Exception) bool { return holdsPlainly(&x, &e) }); i >= 0 {
				want = o.Exceptions[i].Name
			}
			d := p.Decide(event(t, "account="+e.account, "region="+e.region, "source="+e.source, "name="+e.name,
				`by={"sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::111122223333:role/`+e.role+`"}}}`), testNow)
			decided[d.Outcome]++
			if got := d.Exception; (got == nil) != (want == "") || got != nil && got.Name != want {
				t.Fatalf("%+v: exception %+v, want %q of %+v", e, got, want, o.Exceptions)
			}
		}
	}
	if decided[OutcomeAlerted] == 0 || decided[OutcomeExempted] == 0 {
		t.Errorf("outcomes %v", decided)
	}
}
