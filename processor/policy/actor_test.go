package policy

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// What is remembered of an actor is what would be read, and the address is the event's own: who acts before, under
// whatever policy.
func TestActorsAgainstForgetting(t *testing.T) {
	roles := func(pattern string) *Policy {
		return mustPolicy(t, Options{Exceptions: []Exception{{Name: "x", Principals: []string{"arn:aws:iam::*:role/" + pattern}}}})
	}
	policies := []*Policy{
		roles("ci/*"), roles("team-1?/*"), roles("*"),
		mustPolicy(t, Options{Exceptions: []Exception{{Name: "x", ServiceInvoked: true}}}),
		mustPolicy(t, Options{Exceptions: []Exception{{Name: "x", SourceIPs: []string{"10.0.0.0/8", "*.amazonaws.com"}}}}),
	}
	events := []*cloudtrail.Event{event(t, roleSession), event(t, iamUser), event(t, federatedUser), event(t, throughService), event(t), event(t, `by="text"`)}
	for i := range 60 {
		events = append(events, event(t, fmt.Sprintf(`by={"arn":"arn:aws:iam::111122223333:role/team-%d/x"}`, i)))
	}
	long := strings.Repeat("a", maxUserIdentityBytes)
	for _, role := range []string{"ci/x", "cd/x"} {
		events = append(events, event(t, `by={"userName":"`+long+`","arn":"arn:aws:iam::111122223333:role/`+role+`"}`))
	}
	for _, source := range []string{"10.0.0.1", "192.0.2.1", "config.amazonaws.com", ""} {
		events = append(events, event(t, "ip="+source))
	}

	random := rand.New(rand.NewPCG(3, 4))
	x, outcomes := new(Decider), map[Outcome]int{}
	policy := policies[0]
	for range 20_000 {
		if random.IntN(50) == 0 {
			policy = policies[random.IntN(len(policies))]
		}
		e := events[random.IntN(len(events))]
		var got Decision
		x.Decide(&got, policy, e, testNow)
		want := policy.Decide(e, testNow)
		outcomes[got.Outcome]++
		if got.Outcome != want.Outcome {
			t.Fatalf("%s: %s, want %s", e.UserIdentity, got.Outcome, want.Outcome)
		}
	}
	if outcomes[OutcomeAlerted] == 0 || outcomes[OutcomeExempted] == 0 {
		t.Errorf("outcomes %v", outcomes)
	}
}

// What is remembered is a copy: the bytes of a record are those of another one later.
func TestActorsKeepCopies(t *testing.T) {
	p := mustPolicy(t, Options{Exceptions: []Exception{{Name: "x", Principals: []string{"arn:aws:iam::*:role/ci-1?"}}}})
	identity := func(i int) string { return fmt.Sprintf(`{"arn":"arn:aws:iam::111122223333:role/ci-%02d"}`, i) }
	e, x, buffer := event(t), new(Decider), []byte(identity(0))
	e.UserIdentity = buffer
	for i := range 100 {
		copy(buffer, identity(i))
		var d Decision
		x.Decide(&d, p, e, testNow)
		if want := i/10 == 1; (d.Outcome == OutcomeExempted) != want {
			t.Errorf("%s: %s", buffer, d.Outcome)
		}
	}
}

// The index finds ranges of IPv6 by their own lengths, and takes no address of one family for the other's.
func TestSourceIndexOfIPv6(t *testing.T) {
	p := mustPolicy(t, Options{Exceptions: []Exception{
		{Name: "six", SourceIPs: []string{"2001:db8::1/33", "::/96"}}, {Name: "four", SourceIPs: []string{"10.0.0.0/8"}},
	}})
	for source, want := range map[string]string{
		"2001:db8:7fff::1": "six", "2001:DB8::": "six", "2001:db8:8000::1": "", "::10.0.0.1": "six", "::ffff:10.0.0.1": "four",
		"::ffff:0a00:1": "four", "10.0.0.1": "four", "10.0.0.1%eth0": "", "2001:db8::1%eth0": "six", "11.0.0.1": "", "0a.0.0.1": "",
	} {
		d := p.Decide(event(t, "ip="+source), testNow)
		if got := d.Exception; got == nil && want != "" || got != nil && got.Name != want {
			t.Errorf("%s: %+v, want %q", source, got, want)
		}
	}
}

// The index of addresses rules nothing out that would hold, however many ranges an address is in.
func TestSourceIndex(t *testing.T) {
	for bits := range 33 {
		o := Options{}
		for i := range bits {
			o.Exceptions = append(o.Exceptions, Exception{Name: fmt.Sprint("near-", i), EventNames: []string{"Other*"}, SourceIPs: []string{fmt.Sprintf("192.0.2.1/%d", i)}})
		}
		x := Exception{Name: "x", SourceIPs: []string{fmt.Sprintf("192.0.2.1/%d", bits), "config.amazonaws.com"}}
		for _, at := range []int{0, bits} {
			p := mustPolicy(t, Options{Exceptions: slices.Insert(slices.Clone(o.Exceptions), at, x)})
			for _, source := range []string{"192.0.2.1", "::ffff:192.0.2.1", "config.amazonaws.com"} {
				if d := p.Decide(event(t, "ip="+source), testNow); d.Outcome != OutcomeExempted || d.Exception.Name != "x" {
					t.Errorf("/%d, %s: %+v", bits, source, d)
				}
			}
		}
	}
}

// The caller is the role or user whose name no session chose, if the event says so.
func TestAppendCaller(t *testing.T) {
	f := func(field, principal string, isService bool) {
		t.Helper()
		got, service := AppendCaller([]byte("before "), event(t, field).UserIdentity)
		if string(got) != "before "+principal || service != isService {
			t.Errorf("%s: %q, by a service %t", field, got, service)
		}
	}
	f(roleSession, "arn:aws:iam::111122223333:role/ci/deploy", false)
	f(iamUser, "arn:aws:iam::111122223333:user/alice", false)
	f(roleWithoutIssuer, "", false)
	f(awsService, "", true)
	f(throughService, "", true)
	f(`by=null`, "", false)
}
