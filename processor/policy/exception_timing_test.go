package policy

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkDecide is the cost of a decision after the decode, for an account with 200 exceptions: of an event in a
// region that is in use, as nearly all are, and of a write in an unused one, which looks at the exceptions.
func BenchmarkDecide(b *testing.B) {
	for name, of := range exceptionKinds {
		p, x := manyExceptions(b, 200, of), new(Decider)
		b.Run("used/"+name, func(b *testing.B) {
			e := event(b, "account=111122223333", "region=us-east-1", "source=service7.amazonaws.com", roleSession)
			b.ReportAllocs()
			for b.Loop() {
				x.Decide(new(Decision), p, e, testNow)
			}
		})
		b.Run("unused/"+name, func(b *testing.B) {
			e := heavyEvent(b)
			b.ReportAllocs()
			for b.Loop() {
				x.Decide(new(Decision), p, e, testNow)
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	o := largePolicy()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Compile(o); err != nil {
			b.Fatal(err)
		}
	}
}

// largePolicy has 5,000 accounts and 2,000 exceptions.
func largePolicy() Options {
	o := Options{Default: Level{AllowedRegions: []string{"us-east-1"}}}
	for g := range 50 {
		o.Groups = append(o.Groups, Group{Name: fmt.Sprint("group-", g), Level: &Level{AllowedRegions: []string{"us-east-1", "us-west-2"}}})
	}
	for i := range 5000 {
		a := Account{ID: fmt.Sprintf("%012d", i), Name: fmt.Sprint("account-", i), Owner: "team@example.com", Environment: "prod", Group: fmt.Sprint("group-", i%50)}
		if i%5 == 0 {
			a.Level = &Level{AllowedRegions: []string{"us-east-1", "eu-west-1"}, Severity: "Low"}
		}
		o.Accounts = append(o.Accounts, a)
	}
	for i := range 2000 {
		x := Exception{
			Name: fmt.Sprint("exception-", i), Reason: "because", Owner: "team@example.com", Expires: testNow.Add(time.Hour),
			Regions: []string{"ap-east-1"}, EventSources: []string{fmt.Sprintf("service%d.amazonaws.com", i)},
			Principals: []string{fmt.Sprintf("arn:aws:iam::*:role/team-%d/*", i)},
		}
		switch i % 3 {
		case 0:
			x.Accounts = []string{fmt.Sprintf("%012d", i)}
		case 1:
			x.Groups = []string{fmt.Sprint("group-", i%50)}
		}
		o.Exceptions = append(o.Exceptions, x)
	}
	return o
}
