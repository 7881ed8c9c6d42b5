package policy

import (
	"fmt"
	"math/bits"
	"slices"
	"testing"
	"time"

	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

const (
	roleSession = `by={"type":"AssumedRole","principalId":"AROAEXAMPLE:sneaky","arn":"arn:aws:sts::111122223333:assumed-role/deploy/sneaky",` +
		`"sessionContext":{"sessionIssuer":{"type":"Role","arn":"arn:aws:iam::111122223333:role/ci/deploy"}}}`
	roleWithoutIssuer = `by={"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/deploy/sneaky"}`
	iamUser           = `by={"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/alice","userName":"alice"}`
	federatedUser     = `by={"type":"FederatedUser","arn":"arn:aws:sts::111122223333:federated-user/alice",` +
		`"sessionContext":{"sessionIssuer":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/broker"}}}`
	throughService = `by={"type":"AssumedRole","invokedBy":"cloudformation.amazonaws.com"}`
	awsService     = `by={"type":"AWSService","invokedBy":"autoscaling.amazonaws.com"}`
)

// Where the principal begins with more prefixes than are looked up, every exception is checked.
func TestExceptionAmongManyPrefixes(t *testing.T) {
	exceptions := []Exception{{Name: "alice", Principals: []string{"arn:aws:iam::111122223333:user/alice"}}}
	for n := range len("user/alice") {
		exceptions = append(exceptions, Exception{
			Name: fmt.Sprint(n), Accounts: []string{"333333333333"}, Principals: []string{"arn:aws:iam::*:" + "user/alice"[:n+1] + "*"},
		})
	}
	d := mustPolicy(t, Options{Exceptions: exceptions}).Decide(event(t, iamUser), testNow)
	if d.Outcome != OutcomeExempted || d.Exception.Name != "alice" {
		t.Errorf("%+v", d)
	}
}

func TestExceptions(t *testing.T) {
	f := func(x Exception, exempted bool, fields ...string) {
		t.Helper()
		x.Name = "x"
		p := mustPolicy(t, Options{
			Groups:     []Group{{Name: "g", Accounts: []string{"111111111111", "222222222222"}}},
			Exceptions: []Exception{x},
		})
		d := p.Decide(event(t, fields...), testNow)
		if want := map[bool]Outcome{true: OutcomeExempted, false: OutcomeAlerted}[exempted]; d.Outcome != want {
			t.Errorf("%+v: %q is %+v, want %s", x, fields, d, want)
		}
		if (d.Exception != nil) != exempted {
			t.Errorf("%+v: exception %+v", x, d.Exception)
		}
	}
	accounts := Exception{Accounts: []string{"111111111111", "333333333333"}}
	f(accounts, true, "account=111111111111")
	f(accounts, true, "account=333333333333")
	f(accounts, false, "account=222222222222")
	f(accounts, false)
	groups := Exception{Groups: []string{"g"}}
	f(groups, true, "account=222222222222")
	f(groups, false, "account=333333333333")
	f(groups, false)
	both := Exception{Groups: []string{"g"}, Accounts: []string{"111111111111", "333333333333"}}
	f(both, true, "account=111111111111")
	f(both, false, "account=222222222222")
	f(both, false, "account=333333333333")
	f(Exception{Groups: []string{"g"}, Accounts: []string{"111111111111"}}, false, "account=333333333333")

	f(Exception{Regions: []string{"ap-east-1"}}, false)
	f(Exception{Regions: []string{"ap-east-1", "eu-central-1"}}, true)

	sources := Exception{EventSources: []string{"config.amazonaws.com", "health.amazonaws.com"}}
	f(sources, true, "source=config.amazonaws.com")
	f(sources, true, `source=config\u002eamazonaws.com`)
	f(sources, true, `source=\u0063onfig.amazonaws.com`)
	f(sources, false, "source=Config.amazonaws.com")
	f(sources, false, "source=ec2.amazonaws.com")
	f(sources, false)
	f(sources, false, "source=config.amazonaws.com", "damage=")
	f(Exception{EventSources: []string{"*.amazonaws.com"}}, true, "source=ec2.amazonaws.com")
	f(Exception{EventSources: []string{"*.amazonaws.com"}}, true, `source=\u0065c2.amazonaws.com`)
	f(Exception{EventSources: []string{"*.amazonaws.com"}}, false, "source=amazonaws.com")
	names := Exception{EventSources: []string{"ec2.amazonaws.com"}, EventNames: []string{"Put*Rule", "Tag?"}}
	f(names, true, "source=ec2.amazonaws.com", "name=PutConfigRule")
	f(names, true, "source=ec2.amazonaws.com", "name=Tags")
	f(names, false, "source=ec2.amazonaws.com", "name=Tag")
	f(names, false, "source=s3.amazonaws.com", "name=Tags")
	f(Exception{EventNames: []string{"*"}}, false)

	role := Exception{Principals: []string{"arn:aws:iam::*:role/ci/*"}}
	f(role, true, roleSession)
	f(role, false, iamUser)
	f(Exception{Principals: []string{"arn:*:iam::111122223333:role/ci/deplo?"}}, true, roleSession)
	f(Exception{Principals: []string{"arn:aws:iam::111122223333:role/deploy"}}, false, roleSession)
	f(Exception{Principals: []string{"arn:aws:iam::111122223333:user/alice"}}, true, iamUser)
	f(Exception{Principals: []string{"arn:aws:iam::111122223333:user/broker"}}, true, federatedUser)
	f(Exception{Principals: []string{"arn:aws:iam::*:*/alice"}}, false, federatedUser)
	f(Exception{Principals: []string{"arn:aws:iam::111122223333:user/alice"}}, true, `by={"arn":"\u0061rn:aws:iam::111122223333:user/alice"}`)
	f(Exception{Principals: []string{"arn:aws:iam::111122223333:user/alice"}}, false, `by={"arn":"urn:aws:iam::111122223333:user/alice"}`)
	f(Exception{Principals: []string{"arn:*:*:*:*:*"}}, true, roleSession)
	f(Exception{Principals: []string{"arn:*:*:*:*:*"}}, false, awsService)
	f(Exception{Principals: []string{"arn:*:iam:*:*:*"}}, false, `by={"arn":"arn:aws:iam"}`)
	f(Exception{Principals: []string{"arn:*:iam:*:*:*"}}, false, `by={"arn":"arn:aws:iam::111122223333"}`)
	f(Exception{Principals: []string{"arn:*:iam:*:*:*"}}, true, `by={"arn":"arn:aws:iam::111122223333:root"}`)
	// Nothing that the actor writes exempts: neither a session's name nor a session without its role.
	f(Exception{Principals: []string{"arn:aws:sts::*:assumed-role/deploy/sneaky"}}, false, roleSession)
	f(Exception{Principals: []string{"arn:*:*:*:*:*"}}, false, roleWithoutIssuer)
	f(Exception{Principals: []string{"arn:aws:*::*:*sneaky"}}, false, roleSession)

	f(Exception{ServiceInvoked: true}, true, throughService)
	f(Exception{ServiceInvoked: true}, true, awsService)
	f(Exception{ServiceInvoked: true}, true, `by={"type":"AWSService"}`)
	f(Exception{ServiceInvoked: true}, true, `by={"invokedBy":"cloudformation.amazonaws.com","type":"AssumedRole"}`)
	f(Exception{ServiceInvoked: true}, false, roleSession)
	f(Exception{ServiceInvoked: true}, false)
	// The console does not act as a service: a person acts.
	f(Exception{ServiceInvoked: true}, false, `by={"type":"IAMUser","invokedBy":"signin.amazonaws.com"}`)
	f(Exception{ServiceInvoked: true}, false, `by={"type":"IAMUser","invokedBy":"\u0073ignin.amazonaws.com"}`)
	f(Exception{ServiceInvoked: true}, false, `by={"type":"IAMUser","invokedBy":""}`)
	f(Exception{ServiceInvoked: true}, false, `by={"type":"IAMUser","invokedBy":["ec2.amazonaws.com"]}`)

	ips := Exception{SourceIPs: []string{"192.0.2.0/24", "2001:db8::/32"}}
	f(ips, true, "ip=192.0.2.255")
	f(ips, false, "ip=192.0.3.1")
	f(ips, true, "ip=2001:db8::1")
	f(ips, true, "ip=::ffff:192.0.2.1")
	f(ips, false, "ip=192.0.2.1.example.com")
	f(ips, false, "ip=192.0.2.01")
	f(ips, false, "ip=192.0.2.256")
	f(ips, false, "ip=192.0.2.1 ")
	f(ips, false)
	one := Exception{SourceIPs: []string{"192.0.2.1", "2001:db8::1", "::ffff:198.51.100.1"}}
	f(one, true, "ip=192.0.2.1")
	f(one, false, "ip=192.0.2.2")
	f(one, true, "ip=2001:db8:0::1")
	f(one, false, "ip=2001:db8::2")
	f(one, true, "ip=198.51.100.1")
	services := Exception{SourceIPs: []string{"*.amazonaws.com"}}
	f(services, true, "ip=config.amazonaws.com")
	f(services, false, "ip=192.0.2.1")
	f(services, false, "ip=config.example.com")
	f(services, false, "ip=")
	f(one, true, `ip=\u003192.0.2.1`)
	f(Exception{SourceIPs: []string{"192.0.2.0/24"}}, true, "ip=192.0.2.1")
	f(Exception{SourceIPs: []string{"192.0.2.0/24", "config.amazonaws.com"}}, false, "ip=ec2.amazonaws.com")
	f(Exception{SourceIPs: []string{"*"}}, false, "ip=192.0.2.1")
	f(Exception{SourceIPs: []string{"*"}}, true, "ip=x")
	f(Exception{SourceIPs: []string{"*"}}, false, "ip=")

	f(Exception{Regions: []string{"eu-central-1"}, Expires: testNow.Add(time.Nanosecond)}, true)
	f(Exception{Regions: []string{"eu-central-1"}, Expires: testNow}, false)
}

// Without a time an exception that expires holds no more: we lean to alerting.
func TestExceptionsWithoutTime(t *testing.T) {
	p := mustPolicy(t, Options{Exceptions: []Exception{{Name: "x", Regions: []string{"eu-central-1"}, Expires: testNow}}})
	if d := p.Decide(event(t), time.Time{}); d.Outcome != OutcomeAlerted {
		t.Errorf("%+v", d)
	}
}

// The first exception that holds is named, and an expired one does not get in the way.
func TestFirstExceptionThatHolds(t *testing.T) {
	p := mustPolicy(t, Options{Exceptions: []Exception{
		{Name: "expired", Regions: []string{"eu-central-1"}, Expires: testNow.Add(-1)},
		{Name: "other", EventSources: []string{"config.amazonaws.com"}},
		{Name: "second", Regions: []string{"eu-central-1"}, Reason: "so it is"},
		{Name: "third", Regions: []string{"eu-central-1"}},
	}})
	d := p.Decide(event(t), testNow)
	if d.Outcome != OutcomeExempted || d.Exception.Name != "second" || d.Reason != "exception second: so it is" {
		t.Errorf("%+v", d)
	}
}

// manyExceptions returns a policy with n exceptions, each for another service or role, of which the last
// holds for the role of roleSession.
func manyExceptions(t testing.TB, n int, of func(i int) Exception) *Policy {
	o := Options{Default: Level{AllowedRegions: []string{"us-east-1"}}, Accounts: []Account{{ID: "111122223333", Name: "a"}}}
	for i := range n {
		x := of(i)
		x.Name = fmt.Sprint("exception-", i)
		o.Exceptions = append(o.Exceptions, x)
	}
	return mustPolicy(t, o)
}

var exceptionKinds = map[string]func(i int) Exception{
	"services": func(i int) Exception {
		return Exception{EventSources: []string{fmt.Sprintf("service%d.amazonaws.com", i)}, EventNames: []string{"Put*"}}
	},
	"names": func(i int) Exception { return Exception{EventNames: []string{fmt.Sprint("Put", i)}} },
	"roles": func(i int) Exception {
		return Exception{Principals: []string{fmt.Sprintf("arn:aws:iam::*:role/team-%d/*", i)}}
	},
	"roles of services": func(i int) Exception {
		return Exception{EventSources: []string{fmt.Sprintf("service%d.amazonaws.com", i)}, Principals: []string{fmt.Sprintf("arn:aws:iam::*:role/team-%d/*", i)}}
	},
	"accounts": func(i int) Exception {
		return Exception{Accounts: []string{"111122223333"}, Regions: []string{"eu-west-1"}, EventSources: []string{fmt.Sprintf("service%d.amazonaws.com", i)}, Expires: testNow.Add(time.Hour)}
	},
	"addresses": func(i int) Exception {
		return Exception{SourceIPs: []string{fmt.Sprintf("10.%d.0.0/16", i)}}
	},
}

func heavyEvent(t testing.TB) *cloudtrail.Event {
	return event(t, "account=111122223333", "source=service7.amazonaws.com", "name=RunInstances", "ip=192.0.2.1", roleSession)
}

func TestExceptionsAllocateNothing(t *testing.T) {
	for name, of := range exceptionKinds {
		p, e := manyExceptions(t, 200, of), heavyEvent(t)
		if n := testing.AllocsPerRun(100, func() { p.Decide(e, testNow) }); n > 0 {
			t.Errorf("%s: %v allocations, want none", name, n)
		}
	}
}

// The index of principals rules nothing out that would hold, however many prefixes a role begins with.
func TestPrincipalIndex(t *testing.T) {
	const name = "ci/deploy"
	for n := range len(name) + 1 {
		o := Options{}
		for i := range n + 1 { // role/*, role/c*, role/ci* …, all for an account that is another
			o.Exceptions = append(o.Exceptions, Exception{Name: fmt.Sprint("near-", i), Principals: []string{"arn:aws:iam::999999999999:role/" + name[:i] + "*"}})
		}
		o.Exceptions = append(o.Exceptions, Exception{Name: "x", Principals: []string{"arn:aws:iam::111122223333:role/" + name[:n] + "*"}})
		if d := mustPolicy(t, o).Decide(event(t, roleSession), testNow); d.Outcome != OutcomeExempted || d.Exception.Name != "x" {
			t.Errorf("%d prefixes: %+v", n, d)
		}
		if d := mustPolicy(t, o).Decide(event(t, iamUser), testNow); d.Outcome != OutcomeAlerted {
			t.Errorf("%d prefixes, another principal: %+v", n, d)
		}
	}
}

// A set knows each of its exceptions apart, also those in other words.
func TestExceptionSet(t *testing.T) {
	numbers := []int{0, 1, 62, 63, 64, 65, 127, 128}
	for _, i := range numbers {
		for _, j := range numbers {
			a, b := newExceptionSet(129), newExceptionSet(129)
			a.set(i)
			b.set(j)
			if a.meets(b) != (i == j) {
				t.Errorf("%d and %d: %t", i, j, i != j)
			}
		}
	}
}

// An exception of any number holds for what it names, and for nothing else.
func TestExceptionsBeyondAWord(t *testing.T) {
	o := Options{Default: Level{AllowedRegions: []string{"us-east-1"}}}
	id := func(i int) string { return fmt.Sprintf("%012d", i) }
	const n = 200
	var all []string
	for i := range n {
		o.Exceptions = append(o.Exceptions, Exception{Name: fmt.Sprint("x", i), Accounts: []string{id(i)}})
		all = append(all, id(i))
	}
	p := mustPolicy(t, o)
	for i, x := range o.Exceptions {
		if d := p.Decide(event(t, "account="+id(i)), testNow); d.Exception == nil || d.Exception.Name != x.Name {
			t.Errorf("account %d: %+v", i, d)
		}
		if got := p.Effective(id(i), testNow).Exceptions; !slices.Equal(got, []string{x.Name}) {
			t.Errorf("account %d has the exceptions %q", i, got)
		}
	}
	if got := p.Accounts(); !slices.Equal(got, all) {
		t.Errorf("accounts %q", got)
	}
}

// An exception for a region, whichever it is, holds there.
func TestExceptionInEachRegion(t *testing.T) {
	for _, r := range catalogue {
		p := mustPolicy(t, Options{Default: Level{UnusedRegions: []string{r.Code}}, Exceptions: []Exception{{Name: "x", Regions: []string{r.Code}}}})
		if d := p.Decide(event(t, "region="+r.Code), testNow); d.Outcome != OutcomeExempted {
			t.Errorf("%s: %s", r.Code, d.Outcome)
		}
	}
}

// A condition leaves few of many exceptions to be looked at: those that name what the event has.
func TestIndexesRuleOut(t *testing.T) {
	var o Options
	for i := range 50 {
		o.Exceptions = append(o.Exceptions,
			Exception{Name: fmt.Sprint("role-", i), Principals: []string{fmt.Sprintf("arn:aws:iam::*:role/team-%d/*", i)}},
			Exception{Name: fmt.Sprint("range-", i), SourceIPs: []string{fmt.Sprintf("10.%d.0.0/16", i)}},
			Exception{Name: fmt.Sprint("either-", i), SourceIPs: []string{fmt.Sprintf("11.%d.0.0/16", i), "config.amazonaws.com"}})
	}
	p := mustPolicy(t, o)
	f := func(wantPrincipals, wantSources int, fields ...string) {
		t.Helper()
		var s subject
		s.reset(p)
		e, principals, sources := event(t, fields...), 0, 0
		for w := range newExceptionSet(len(o.Exceptions)) {
			principals += bits.OnesCount64(p.principals.possible(w, e, &s))
			sources += bits.OnesCount64(p.sourceIPs.possible(w, e, &s))
		}
		if principals != wantPrincipals || sources != wantSources {
			t.Errorf("%q: %d by principal, %d by source; want %d and %d", fields, principals, sources, wantPrincipals, wantSources)
		}
	}
	f(100, 100)
	f(101, 51, `by={"arn":"arn:aws:iam::111122223333:role/team-7/x"}`, "ip=10.7.0.1")
	f(100, 50, iamUser, "ip=192.0.2.1")
	f(100, 51, "ip=11.7.0.1")
	f(100, 100, "ip=config.amazonaws.com")
}
