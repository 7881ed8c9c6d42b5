package policyfile

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	if _, err := Parse("topic policy", []byte("default: { unused_regions: [us-west-1] }")); err != nil {
		t.Error(err)
	}
	_, err := Parse("topic policy", []byte("accounts_from: [/etc/passwd.yaml]"))
	if err == nil || err.Error() != "topic policy:1:17: only a policy that is a file can name files" {
		t.Errorf("%v", err)
	}
	if _, err := Parse("topic policy", make([]byte, MaxBytes+1)); err == nil {
		t.Error("no error for a policy that is too large")
	}
}

// A fault stands where its text does, or else where its part begins.
func TestParseFailure(t *testing.T) {
	f := func(source, want string) {
		t.Helper()
		if _, err := Parse("p", []byte(source)); err == nil || err.Error() != want {
			t.Errorf("%s: got\n%v\nwant\n%s", source, err, want)
		}
	}
	long := strings.Repeat("x", 257)
	f("version: "+long, "p:1:10: the text has 257 bytes, 256 are allowed")
	f("groups: { a: { accounts: ['111111111111'] } }\nversion: "+long, "p:2:10: the text has 257 bytes, 256 are allowed")
	f("{version: a, version: b}", "p:1:14: version is already set in line 1")
	f("exceptions:\n  - event_names: [Put*]", "p:2:5: an exception needs a name, under which its findings are counted")
	f("default: { exempt_global_services: 'true' }", "p:1:36: want true or false")
	f("default: { exempt_global_services: yes }", "p:1:36: want true or false")
	f("default: { exempt_global_services: [true] }", "p:1:36: want true or false")
	f("default: { allowed_regions: ['@core'] }", `p:1:30: there is no region set "core"; the policy has no region_sets`)
	f("region_sets: { x: [us-east-1] }\ndefault: { allowed_regions: ['@core'] }", `p:2:30: there is no region set "core"; region_sets has x`)
	f("default: { incidents: { window: 0s } }", `p:1:33: window: "0s" is not a duration such as 24h, 90m or 30s`)
	f("default: { incidents: { window: 1ns } }", "p:1:23: window is 1ns; allowed: whole seconds from 5m0s to 744h0m0s")
	f("default: { incidents: { escalations: {} } }", "p:1:38: want a list of alert counts such as [10, 100, 1000], not a mapping")
	f("default: { incidents: { escalations: [] } }", "p:1:38: want a list of alert counts such as [10, 100, 1000], not a list")
	f("\tversion: a", "p:1:1: invalid YAML: the line begins with a tab; indent it with spaces")
	f("default:\n \tmode: shadow", "p:2:2: invalid YAML: the line begins with a tab; indent it with spaces")
}

// What follows the one document is a fault, whatever it is.
func TestParseRest(t *testing.T) {
	for rest, want := range map[string]string{"": "", "---\nversion: b": "a second document", "---\n[": "p:"} {
		_, err := Parse("p", []byte("version: a\n"+rest))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", rest, err, want)
		}
	}
}

// The parser's place may be outside the file.
func TestBeginsWithTab(t *testing.T) {
	for line, want := range []bool{false, true, false, true, false} {
		if got := beginsWithTab([]byte("\ta\nb\n \tc"), line); got != want {
			t.Errorf("line %d: %t", line, got)
		}
	}
}

// One escalation is a list too.
func TestOneEscalation(t *testing.T) {
	f, err := Parse("p", []byte("default: { incidents: { escalations: [10] } }"))
	if err != nil || !cmp.Equal(f.Options.Default.Incidents.Escalations, []uint64{10}) {
		t.Errorf("%+v, %v", f, err)
	}
}

// What a threshold counts is alerts, unless the file says otherwise.
func TestThresholdOf(t *testing.T) {
	for text, want := range map[string]bool{"": false, ", threshold_of: alerts": false, ", threshold_of: actions": true} {
		f, err := Parse("p", []byte("default: {unused_regions: [us-east-1], incidents: {threshold: 2"+text+"}}"))
		if err != nil || f.Options.Default.Incidents.ByAction != want {
			t.Errorf("%s: %v, %v", text, f, err)
		}
	}
}
