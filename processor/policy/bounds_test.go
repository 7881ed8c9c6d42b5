package policy

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

// A policy may have exactly what is allowed, and not one more.
func TestBoundsOfPolicy(t *testing.T) {
	account := func(a Account) Options {
		a.ID = "111111111111"
		return Options{Accounts: []Account{a}}
	}
	exception := func(x Exception) Options {
		x.EventNames = []string{"Put*"}
		return Options{Exceptions: []Exception{x}}
	}
	for name, f := range map[string]struct {
		most int
		of   func(n int) Options
	}{
		"version":               {maxText, func(n int) Options { return Options{Version: strings.Repeat("x", n)} }},
		"owner":                 {maxText, func(n int) Options { return account(Account{Owner: strings.Repeat("x", n)}) }},
		"environment":           {maxText, func(n int) Options { return account(Account{Environment: strings.Repeat("x", n)}) }},
		"unit":                  {maxOU, func(n int) Options { return account(Account{OU: strings.Repeat("x", n)}) }},
		"name of an exception":  {maxText, func(n int) Options { return exception(Exception{Name: strings.Repeat("x", n)}) }},
		"reason":                {maxText, func(n int) Options { return exception(Exception{Name: "x", Reason: strings.Repeat("x", n)}) }},
		"owner of an exception": {maxText, func(n int) Options { return exception(Exception{Name: "x", Owner: strings.Repeat("x", n)}) }},
		"tags": {maxTags, func(n int) Options {
			a := Account{Tags: make(map[string]string)}
			for i := range n {
				a.Tags[fmt.Sprint(i)] = "x"
			}
			return account(a)
		}},
		"escalations": {maxEscalations, func(n int) Options {
			g := &Incidents{}
			for i := range n {
				g.Escalations = append(g.Escalations, uint64(i+1))
			}
			return Options{Default: Level{Incidents: g}}
		}},
		"threshold": {1_000_000, func(n int) Options { return Options{Default: Level{Incidents: &Incidents{Threshold: uint64(n)}}} }},
		"threshold by action": {MaxActions, func(n int) Options {
			return Options{Default: Level{Incidents: &Incidents{ByAction: true, Threshold: uint64(n)}}}
		}},
		"principal": {maxARNBytes, func(n int) Options {
			const begin = "arn:aws:iam::*:role/"
			return Options{Exceptions: []Exception{{Name: "x", Principals: []string{begin + strings.Repeat("x", n-len(begin))}}}}
		}},
	} {
		if _, err := Compile(f.of(f.most)); err != nil {
			t.Errorf("%s, %d: %v", name, f.most, err)
		}
		_, err := Compile(f.of(f.most + 1))
		faults, ok := errors.AsType[Faults](err)
		if !ok {
			t.Errorf("%s, %d: no fault", name, f.most+1)
		}
		wantItems(t, faults)
	}
}

// An exception applies to an event whose text is as long as allowed, quotes included, and not to a longer one.
func TestBoundsOfEvent(t *testing.T) {
	f := func(room int, x Exception, begin, end string) {
		t.Helper()
		x.Name = "x"
		p := mustPolicy(t, Options{Exceptions: []Exception{x}})
		for n, want := range map[int]Outcome{room: OutcomeExempted, room + 1: OutcomeAlerted} {
			if d := p.Decide(event(t, begin+strings.Repeat("x", n)+end), testNow); d.Outcome != want {
				t.Errorf("%s and %d bytes: %s, want %s", begin, n, d.Outcome, want)
			}
		}
	}
	const role = "arn:aws:iam::111122223333:role/"
	f(maxARNBytes-len(role)-2, Exception{Principals: []string{"arn:aws:iam::*:role/*"}}, `by={"arn":"`+role, `"}`)
	f(maxNameBytes-len(".amazonaws.com")-2, Exception{SourceIPs: []string{"*.amazonaws.com"}}, "ip=", ".amazonaws.com")
}

// A text may have as many bytes as there is room for, each of them escaped.
func TestShortText(t *testing.T) {
	f := func(text, want string, ok bool) {
		t.Helper()
		if got, fits := shortText(jsonscan.Value(text), make([]byte, 2)); string(got) != want && fits || fits != ok {
			t.Errorf("%s: %q, %t", text, got, fits)
		}
	}
	f(`"\u0061\u0062"`, "ab", true)
	f(`"a\u0062"`, "ab", true)
	f(`"ab"`, "ab", true)
	f(`"abc"`, "", false)
	f(`"\u0061\u0062c"`, "", false)
	f(`7`, "", false)
}

// What is remembered of actors is bounded: no userIdentity that is larger, and the one asked for last is at hand.
func TestActorsBound(t *testing.T) {
	p := mustPolicy(t, Options{Exceptions: []Exception{{Name: "x", ServiceInvoked: true}}})
	for n, want := range map[int]bool{maxUserIdentityBytes: true, maxUserIdentityBytes + 1: false} {
		x, e := new(Decider), event(t, "ip=192.0.2.1")
		e.UserIdentity = jsonscan.Value(`{"x":"` + strings.Repeat("x", n-len(`{"x":""}`)) + `"}`)
		x.Decide(new(Decision), p, e, testNow)
		if got := x.known.last != nil && bytes.Equal(x.known.last.text, e.UserIdentity); got != want || (x.subject.remembered != nil) != want {
			t.Errorf("%d bytes: remembered %t, want %t", n, got, want)
		}
		if x.Release(); x.subject.policy != nil || x.subject.source != nil || x.subject.own.read {
			t.Errorf("%d bytes: it holds %+v after the event", n, x.subject)
		}
	}
}

// A fault quotes a text of 100 bytes, and of a longer one so much.
func TestCut(t *testing.T) {
	text := strings.Repeat("x", 100)
	if cut(text) != text || cut(text+"x") != text+"…" {
		t.Errorf("%q, %q", cut(text), cut(text+"x"))
	}
}
