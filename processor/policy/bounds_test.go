package policy

import (
	"fmt"
	"strings"
	"testing"
)

// A policy may have exactly what is allowed, and not one more.
func TestBoundsOfPolicy(t *testing.T) {
	account := func(a Account) Options {
		a.ID = "111111111111"
		return Options{Accounts: []Account{a}}
	}
	for name, f := range map[string]struct {
		most int
		of   func(n int) Options
	}{
		"version": {maxText, func(n int) Options { return Options{Version: strings.Repeat("x", n)} }},
		"unit":    {maxOU, func(n int) Options { return account(Account{OU: strings.Repeat("x", n)}) }},
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
		if _, err := Compile(f.of(f.most + 1)); err == nil {
			t.Errorf("%s, %d: no fault", name, f.most+1)
		}
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

// A fault quotes a text of 100 bytes, and of a longer one so much.
func TestCut(t *testing.T) {
	text := strings.Repeat("x", 100)
	if cut(text) != text || cut(text+"x") != text+"…" {
		t.Errorf("%q, %q", cut(text), cut(text+"x"))
	}
}
