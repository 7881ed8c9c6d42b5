package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// All mistakes in a policy are reported together, each with its place.
func TestCompileFaults(t *testing.T) {
	f := func(o Options, want ...string) {
		t.Helper()
		_, err := Compile(o)
		var faults Faults
		if !errors.As(err, &faults) || faults.Error() != strings.Join(want, "\n") {
			t.Errorf("got\n%v\nwant\n%s", err, strings.Join(want, "\n"))
		}
		wantItems(t, faults)
	}
	deny := &Level{UnusedRegions: []string{"eu-west-3"}}
	f(Options{Default: Level{UnusedRegions: []string{"eu-west-3"}, AllowedRegions: []string{"us-east-1"}}},
		"a level has either unused_regions or allowed_regions, not both")
	f(Options{Groups: []Group{{Name: "a", Accounts: []string{"1", "111111111111"}, Level: &Level{Severity: "Hihg"}}, {Name: "b", Accounts: []string{"111111111111"}}, {Name: "b"}, {}}},
		`group a: accounts: "1" is not an account id, which has 12 digits`,
		"group a: levels do not inherit regions; give unused_regions or allowed_regions",
		`group a: severity: "Hihg" is not a severity; allowed: Info, Low, Medium, High, Critical`,
		"group b: accounts: account 111111111111 is also in group a; an account can be in only one group",
		"group b: duplicate name",
		"group 4: a group needs a name")
	long := strings.Repeat("x", maxText+1)
	f(Options{Version: long, Groups: []Group{{Name: long[1:]}, {Name: long}}, Accounts: []Account{{ID: "111111111111", Name: long}, {ID: "222222222222", Tags: map[string]string{"k": long}}}},
		"the text has 257 bytes, 256 are allowed",
		"group "+long+": the text has 257 bytes, 256 are allowed",
		"account 111111111111: name: the text has 257 bytes, 256 are allowed",
		"account 222222222222: tags: the text has 257 bytes, 256 are allowed")
	f(Options{Accounts: []Account{{ID: "222222222222", Tags: map[string]string{long: "v"}}}},
		"account 222222222222: tags: the text has 257 bytes, 256 are allowed")
	f(Options{Groups: []Group{{Name: "sandbox", Accounts: []string{"111111111111"}}}, Accounts: []Account{
		{ID: "111111111111", Group: "sandbox"}, {ID: "111111111111"}, {ID: "222222222222", Group: "sandbx"}, {ID: "333333333333", Level: &Level{AllowedRegions: []string{"us-esat-1"}}},
		{ID: "44444444444", Level: &Level{AllowedRegions: []string{"us-east-1"}, FailedSeverity: "none"}}}},
		"account 111111111111: group: account 111111111111 is listed twice in group sandbox",
		"account 111111111111: duplicate account",
		`account 222222222222: group: there is no group "sandbx", did you mean "sandbox"?`,
		`account 333333333333: allowed_regions: "us-esat-1" is not an AWS region, did you mean "us-east-1"?`,
		`account 44444444444: "44444444444" is not an account id, which has 12 digits`,
		`account 44444444444: failed_severity: "none" is not a severity; allowed: Info, Low, Medium, High, Critical`)
	f(Options{Groups: []Group{{Name: "g", Accounts: []string{"111111111111"}, Level: deny}}, Exceptions: []Exception{
		{},
		{Name: "a", Regions: []string{"us-east-1"}},
		{Name: "a", Regions: []string{"eu-west-3"}},
		{Name: "b", Groups: []string{"g"}, Accounts: []string{"222222222222"}},
		{Name: "c", Groups: []string{"g"}, Regions: []string{"eu-central-1"}},
		{Name: "d", EventSources: []string{"s3", "S3.amazonaws.com"}, EventNames: []string{"s3:PutObject"}},
		{Name: "e", Principals: []string{"alice", "urn:aws:iam::*:role/a", "arn:aws:ec2::*:instance/a", "arn:aws:iam:us-east-1:*:role/a"}},
		{Name: "f", Groups: []string{"h"}},
		{Name: "g", EventSources: []string{"https://config.amazonaws.com", "config.amazonaws.com/", "config.amazonaws.com ", "aws:config.amazonaws.com", ""}},
		{Name: "h", EventNames: []string{"", "Put Object", "s3/PutObject"}},
		{Name: "j", EventNames: []string{"Put*"}, Expires: time.Date(9999, 12, 31, 23, 59, 59, 0, time.FixedZone("", -3600))},
		{Name: "k", EventNames: []string{"Put*"}, NotBefore: time.Date(0, 1, 1, 0, 0, 0, 0, time.FixedZone("", 3600)), Expires: time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC)},
		{Name: "l", EventNames: []string{"Put*"}, NotBefore: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), Expires: testNow},
		{Name: "m", EventNames: []string{"Put*"}, NotBefore: testNow, Expires: testNow},
		{Name: "n", EventNames: []string{"Put*"}, NotBefore: testNow, Expires: testNow.Add(1)},
		{Name: "o", EventNames: []string{"Put*"}, NotBefore: time.Unix(0, 0), Expires: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)},
		{Name: "p", EventNames: []string{"Put*"}, NotBefore: time.Unix(-1, 0)},
		{Name: "q", Accounts: []string{"1"}, Regions: []string{"us-esat-1"}},
		{Name: "i", SourceIPs: []string{"https://a.amazonaws.com", "192.0.2.0/33", "192.0.2", "config"}},
	}},
		"exception 1: name: an exception needs a name, under which its findings are counted",
		"exception 1: it would exempt everything; narrow it by accounts, groups, regions, event_sources, event_names, principals, source_ips or service_invoked",
		"exception a: regions: us-east-1 is in use at every level the exception covers; it can never apply",
		"exception a: name: duplicate name",
		"exception b: accounts: it can never apply: its accounts are in none of its groups",
		"exception c: regions: eu-central-1 is in use at every level the exception covers; it can never apply",
		`exception d: event_sources: "s3" is not an AWS service name and can never apply; did you mean "s3.amazonaws.com"?`,
		`exception d: event_sources: "S3.amazonaws.com" is not an AWS service name such as config.amazonaws.com; it can never apply`,
		`exception d: event_names: "s3:PutObject" is not an event name such as PutConfigRule; it can never apply`,
		`exception e: principals: "alice" is not an ARN pattern; want six parts, such as arn:aws:iam::*:role/NAME`,
		`exception e: principals: "urn:aws:iam::*:role/a" can never apply: ARNs begin with arn:`,
		`exception e: principals: "arn:aws:ec2::*:instance/a" can never apply: principals have iam ARNs`,
		`exception e: principals: "arn:aws:iam:us-east-1:*:role/a" can never apply: iam ARNs have no region`,
		`exception f: groups: there is no group "h"`,
		`exception g: event_sources: "https://config.amazonaws.com" is not an AWS service name such as config.amazonaws.com; it can never apply`,
		`exception g: event_sources: "config.amazonaws.com/" is not an AWS service name such as config.amazonaws.com; it can never apply`,
		`exception g: event_sources: "config.amazonaws.com " is not an AWS service name such as config.amazonaws.com; it can never apply`,
		`exception g: event_sources: "aws:config.amazonaws.com" is not an AWS service name such as config.amazonaws.com; it can never apply`,
		`exception g: event_sources: "" is not an AWS service name such as config.amazonaws.com; it can never apply`,
		`exception h: event_names: "" is not an event name such as PutConfigRule; it can never apply`,
		`exception h: event_names: "Put Object" is not an event name such as PutConfigRule; it can never apply`,
		`exception h: event_names: "s3/PutObject" is not an event name such as PutConfigRule; it can never apply`,
		"exception j: expires: the year 10000 in UTC is not within 1970 to 9999",
		"exception k: not_before: the year -1 in UTC is not within 1970 to 9999",
		"exception k: expires: the year -1 in UTC is not within 1970 to 9999",
		"exception l: not_before: the year 10000 in UTC is not within 1970 to 9999",
		"exception m: not_before: 2026-11-01T12:00:00Z is not before expires, 2026-11-01T12:00:00Z: it can never apply",
		"exception p: not_before: the year 1969 in UTC is not within 1970 to 9999",
		`exception q: accounts: "1" is not an account id, which has 12 digits`,
		`exception q: regions: "us-esat-1" is not an AWS region, did you mean "us-east-1"?`,
		`exception i: source_ips: "https://a.amazonaws.com" is neither an address nor a range such as 192.0.2.0/24 or 2001:db8::/32`,
		`exception i: source_ips: "192.0.2.0/33" is neither an address nor a range such as 192.0.2.0/24 or 2001:db8::/32`,
		`exception i: source_ips: "192.0.2" is neither an address nor a range such as 192.0.2.0/24 or 2001:db8::/32`,
		`exception i: source_ips: "config" is not an AWS service name and can never apply; did you mean "config.amazonaws.com"?`)
}

// wantItems wants each place without an item to say so.
func wantItems(t *testing.T, faults []*Fault) {
	t.Helper()
	for _, f := range faults {
		if f.Place.Item < -1 {
			t.Errorf("%s: item %d", f, f.Place.Item)
		}
	}
}

// A fault and a warning tell their place, by which a file's line is found.
func TestPlaces(t *testing.T) {
	long, deny := strings.Repeat("x", maxText+1), &Level{UnusedRegions: []string{"eu-west-3", "x"}}
	_, err := Compile(Options{
		Version: long, Default: *deny,
		Groups:     []Group{{Name: "g"}, {Name: "h", Accounts: []string{"111111111111", "1"}, Level: deny}},
		Accounts:   []Account{{ID: "222222222222"}, {ID: "333333333333", OU: "/"}},
		Exceptions: []Exception{{Name: "x", EventNames: []string{"Put*"}}, {Name: "y", Regions: []string{"eu-west-3", "x"}}},
	})
	var faults Faults
	errors.As(err, &faults)
	f := func(faults []*Fault, want ...Place) {
		t.Helper()
		var got []Place
		for _, x := range faults {
			got = append(got, x.Place)
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	f(faults, Place{PartPolicy, 0, "version", -1}, Place{PartDefault, 0, "unused_regions", 1}, Place{PartGroup, 1, "accounts", 1},
		Place{PartGroup, 1, "unused_regions", 1}, Place{PartAccount, 1, "ou", -1}, Place{PartException, 1, "regions", 1})

	mixed := &Level{AllowedRegions: []string{"us-east-1", "ap-east-1"}}
	f(mustPolicy(t, Options{
		Default: *mixed, Groups: []Group{{Name: "g", Accounts: []string{"111111111111"}}, {Name: "h", Level: mixed}},
		Accounts:   []Account{{ID: "222222222222"}, {ID: "333333333333", Level: mixed}},
		Exceptions: []Exception{{Name: "x", Reason: "r", EventNames: []string{"Put*"}}},
	}).Warnings(testNow), Place{PartDefault, 0, "allowed_regions", 1}, Place{PartGroup, 1, "allowed_regions", 1},
		Place{PartAccount, 1, "allowed_regions", 1}, Place{PartException, 0, "owner", -1})
	f(mustPolicy(t, Options{}).Warnings(testNow), Place{Part: PartDefault, Item: -1})
}

// An exception for everybody looks at the default level and at the levels that accounts have.
func TestExceptionInUsedRegion(t *testing.T) {
	o := Options{
		Default:    Level{AllowedRegions: []string{"us-east-1"}},
		Accounts:   []Account{{ID: "111111111111"}, {ID: "222222222222", Level: &Level{AllowedRegions: []string{"us-east-1", "us-west-2"}}}},
		Exceptions: []Exception{{Name: "x", Regions: []string{"us-east-1"}}},
	}
	if _, err := Compile(o); err == nil || !strings.Contains(err.Error(), "us-east-1 is in use at every level") {
		t.Errorf("%v", err)
	}
	o.Accounts[1].Level.AllowedRegions = []string{"us-west-2"}
	if _, err := Compile(o); err != nil {
		t.Error(err)
	}
}

func TestPolicyWarnings(t *testing.T) {
	f := func(o Options, want ...string) {
		t.Helper()
		if len(o.Default.UnusedRegions)+len(o.Default.AllowedRegions) == 0 {
			o.Default.AllowedRegions = []string{"us-east-1"}
		}
		var got []string
		warnings := mustPolicy(t, o).Warnings(testNow)
		for _, w := range warnings {
			got = append(got, w.Error())
		}
		wantItems(t, warnings)
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	x := Exception{Name: "x", Reason: "r", Owner: "o", Regions: []string{"eu-west-3"}}
	expiring := func(at time.Time) Options {
		x := x
		x.Expires = at
		return Options{Exceptions: []Exception{x}}
	}
	f(Options{})
	f(expiring(testNow.Add(WarnAhead + time.Second)))
	f(expiring(testNow.Add(WarnAhead)), "exception x: expires: it expires at 2026-11-15T12:00:00Z")
	f(expiring(testNow), "exception x: expires: it expired at 2026-11-01T12:00:00Z: what it was for alerts again")
	for pattern, never := range map[string]bool{
		"arn:aws:sts::*:assumed-role/a/b": true, "arn:aws:*::*:assumed-role/a/b": true, "arn:aws:*::*:federated-user/a": true,
		"arn:aws:s?s::*:*": true, "arn:aws:*::*:*": false, "arn:aws:iam::*:user/sts": false,
	} {
		session, want := x, []string(nil)
		session.Principals = []string{pattern}
		if never {
			want = []string{fmt.Sprintf("exception x: principals: %q has a session name, which the caller chooses, so it never applies; name the role: arn:aws:iam::*:role/NAME", pattern)}
		}
		f(Options{Exceptions: []Exception{session}}, want...)
	}
	const wide = "exception x: it exempts every event, or everything services do on behalf of callers; narrow it by another key"
	f(Options{Exceptions: []Exception{{Name: "x", Reason: "r", Owner: "o", EventNames: []string{"Put*", "*"}}}}, wide)
	f(Options{Exceptions: []Exception{{Name: "x", Reason: "r", Owner: "o", ServiceInvoked: true}}}, wide)
	f(Options{Exceptions: []Exception{{Name: "x", Reason: "r", Owner: "o", EventNames: []string{"Put*"}, EventSources: []string{"*"}}}})
	f(Options{Exceptions: []Exception{{Name: "x", Reason: "r", Owner: "o", Regions: x.Regions, EventNames: []string{"*"}}}})
	f(Options{Exceptions: []Exception{{Name: "x", Reason: "r", Owner: "o", Groups: []string{"g"}, Accounts: []string{"111111111111"}, EventNames: []string{"*"}}}, Groups: []Group{{Name: "g", Accounts: []string{"111111111111"}}}})
	f(Options{Exceptions: []Exception{{Name: "x", Reason: "r", Owner: "o", Groups: []string{"g"}, Regions: x.Regions, EventNames: []string{"*"}}}, Groups: []Group{{Name: "g"}}})
	f(Options{Exceptions: []Exception{{Name: "x", Regions: x.Regions}}},
		"exception x: reason: no reason; an auditor will ask for it", "exception x: owner: no owner; an auditor will ask for it")
	f(Options{Default: Level{AllowedRegions: []string{"us-east-1", "ap-east-1", "cn-north-1"}}},
		"cn-north-1 is in partition aws-cn, but the list starts with aws; an account is in only one partition",
		"ap-east-1 is not enabled by default; nothing happens there unless the account enables it")
	f(Options{Default: Level{AllowedRegions: []string{"ap-east-1"}}},
		"ap-east-1 is not enabled by default; nothing happens there unless the account enables it")
	allBut := func(codes ...string) Options {
		var l Level
		for _, r := range catalogue {
			if r.Partition == "aws" && !slices.Contains(codes, r.Code) {
				l.UnusedRegions = append(l.UnusedRegions, r.Code)
			}
		}
		return Options{Default: l}
	}
	const open = "regions it does not list count as in use: "
	const better = "; allowed_regions would cover them, and regions to come"
	f(allBut())
	f(allBut("ap-east-1"), open+"0 enabled in every account, 1 opt-in (ap-east-1)"+better)
	f(allBut("ap-east-1", "us-east-1"), open+"1 enabled in every account (us-east-1), 1 opt-in (ap-east-1)"+better)
	f(allBut("us-east-1", "us-east-2", "us-west-1", "us-west-2"), open+"4 enabled in every account (us-east-1, us-east-2, us-west-1, us-west-2), 0 opt-in"+better)
	f(Options{Groups: []Group{{Name: "g", Level: &Level{UnusedRegions: []string{"cn-north-1"}}}}},
		"group g: unused_regions: regions it does not list count as in use: 1 enabled in every account (cn-northwest-1), 0 opt-in; allowed_regions would cover them, and regions to come")
}

// A policy that was cut off before its lists is still valid, but not without a word.
func TestPolicyWithoutListIsWarnedOf(t *testing.T) {
	warnings := mustPolicy(t, Options{Version: "7"}).Warnings(testNow)
	if len(warnings) != 1 || !strings.Contains(warnings[0].Text, "the default level has no list, so the rule's example applies: "+strings.Join(DefaultUnusedRegions, ", ")) {
		t.Errorf("%v", warnings)
	}
}

func TestPolicyHash(t *testing.T) {
	base := leveledPolicy(t).Hash()
	if again := leveledPolicy(t).Hash(); again != base {
		t.Errorf("the same policy has the hashes %s and %s", base, again)
	}
	// It is stamped on alerts: it stays the same between processes and releases.
	if want := "sha256:5d253a9628e3"; base != want {
		t.Errorf("hash %s, want %s", base, want)
	}
	seen := map[string]bool{base: true}
	for _, o := range []Options{
		{},
		{Shadow: true},
		{Default: Level{Shadow: true}},
		{Default: Level{Severity: "Low"}},
		{Default: Level{FailedSeverity: "Low"}},
		{Default: Level{AllowedRegions: DefaultUnusedRegions}},
		{Default: Level{AllowedRegions: []string{"us-east-1"}}},
		{Default: Level{UnusedRegions: []string{"us-east-1"}}},
		{Default: Level{AllowedRegions: DefaultUnusedRegions, ExemptGlobalServices: new(bool)}},
		{Accounts: []Account{{ID: "111111111111", Name: "a"}}},
		{Accounts: []Account{{ID: "111111111111", Owner: "a"}}},
		{Accounts: []Account{{ID: "111111111111", Level: &Level{AllowedRegions: []string{"us-east-1"}}}}},
		{Accounts: []Account{{ID: "111111111111", Level: &Level{AllowedRegions: []string{"us-west-2"}}}}},
		{Default: Level{AlertOnMissingReadOnly: true}},
		{Default: Level{UnusedRegions: []string{"sa-east-1"}}},
		{Groups: []Group{{Name: "a", Accounts: []string{"111111111111"}}}},
		{Groups: []Group{{Name: "b", Accounts: []string{"111111111111"}}}},
		{Groups: []Group{{Name: "a", Level: &Level{AllowedRegions: []string{"us-east-1"}}}, {Name: "b"}}, Accounts: []Account{{ID: "111111111111", Group: "a"}, {ID: "222222222222", Group: "b"}}},
		{Groups: []Group{{Name: "a"}, {Name: "b", Level: &Level{AllowedRegions: []string{"us-east-1"}}}}, Accounts: []Account{{ID: "111111111111", Group: "a"}, {ID: "222222222222", Group: "b"}}},
		{Groups: []Group{{Name: "a", Accounts: []string{"111111111111"}, Level: &Level{AllowedRegions: []string{"us-east-1"}}}}},
		{Groups: []Group{{Name: "a", Accounts: []string{"111111111111"}, Level: &Level{AllowedRegions: []string{"us-west-2"}}}}},
		{Exceptions: []Exception{{Name: "x", Regions: []string{"eu-west-3"}}}},
		{Exceptions: []Exception{{Name: "x", Regions: []string{"eu-west-3"}, Expires: testNow}}},
	} {
		if h := mustPolicy(t, o).Hash(); seen[h] {
			t.Errorf("%+v has the hash of another", o)
		} else {
			seen[h] = true
		}
	}
}

func TestMatchWildcard(t *testing.T) {
	f := func(pattern, text string, want bool) {
		t.Helper()
		if got := MatchWildcard(pattern, []byte(text)); got != want {
			t.Errorf("%q and %q: %t", pattern, text, got)
		}
	}
	f("", "", true)
	f("", "a", false)
	f("*", "", true)
	f("*", "anything/at:all", true)
	f("a*b*c", "aXbXbc", true)
	f("a*b*c", "aXbXb", false)
	f("a?c", "abc", true)
	f("a?c", "ac", false)
	f("?*", "", false)
	f("**a**", "bab", true)
	f("role/x", "role/x/y", false)
	f(strings.Repeat("*a", 1000), strings.Repeat("a", 2000)+"b", false)
}

// An exception may look where only a member of its group, with its own level, has the region unused.
func TestReachOfGroups(t *testing.T) {
	f := func(x Exception, reaches bool) {
		t.Helper()
		x.Name = "x"
		_, err := Compile(Options{
			Default: Level{AllowedRegions: []string{"us-east-1", "eu-west-3", "eu-central-1", "sa-east-1"}},
			Groups: []Group{
				{Name: "g", Accounts: []string{"111111111111", "222222222222"}, Level: &Level{UnusedRegions: []string{"ap-east-1", "sa-east-1"}}},
				{Name: "plain", Accounts: []string{"444444444444"}},
			},
			Accounts: []Account{
				{ID: "222222222222", Level: &Level{UnusedRegions: []string{"eu-west-3"}}},
				{ID: "333333333333", Level: &Level{UnusedRegions: []string{"eu-central-1"}}},
				{ID: "555555555555", Group: "plain", Level: &Level{UnusedRegions: []string{"us-east-1"}}},
			},
			Exceptions: []Exception{x},
		})
		if (err == nil) != reaches {
			t.Errorf("%+v: %v", x, err)
		}
	}
	f(Exception{Groups: []string{"g"}, Regions: []string{"ap-east-1"}}, true)
	f(Exception{Groups: []string{"g"}, Regions: []string{"eu-west-3"}}, true) // of the member with its own level
	f(Exception{Groups: []string{"g"}, Regions: []string{"eu-central-1"}}, false)
	f(Exception{Groups: []string{"plain"}, Regions: []string{"us-east-1"}}, true)
	f(Exception{Groups: []string{"plain"}, Regions: []string{"us-west-1"}}, true) // by the default level
	f(Exception{Groups: []string{"plain"}, Regions: []string{"eu-west-3"}}, false)
	f(Exception{Groups: []string{"plain", "g"}, Regions: []string{"eu-west-3"}}, true)
	f(Exception{Accounts: []string{"222222222222"}, Regions: []string{"eu-west-3"}}, true)
	f(Exception{Accounts: []string{"222222222222"}, Regions: []string{"ap-east-1"}}, false)
	f(Exception{Accounts: []string{"111111111111"}, Regions: []string{"ap-east-1"}}, true)
	f(Exception{Accounts: []string{"333333333333"}, Groups: []string{"g"}, Regions: []string{"eu-central-1"}}, false)
	f(Exception{Regions: []string{"eu-central-1"}, EventNames: []string{"Put*"}}, true)
	f(Exception{Regions: []string{"ap-east-1", "us-east-1", "us-west-1", "sa-east-1"}}, true)
}
