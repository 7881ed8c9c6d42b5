package alert

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

// What is read back of an alert is what was written.
func TestReadFactsSuccess(t *testing.T) {
	a := sampleAlert()
	a.Partial, a.PartialReason = true, "salvaged"
	a.Policy.Account = []byte(`{"name":"payments"}`)
	a.UserIdentity = []byte(`{"sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::111122223333:role/path/a"}}}`)
	f, err := ReadFacts(AppendJSON(nil, a))
	if err != nil {
		t.Fatal(err)
	}
	if f.ID.String() != a.ID || f.RuleID != a.RuleID || f.Severity != "High" || f.Level != "default" ||
		!f.Time.Equal(time.Date(2021, 10, 19, 4, 50, 27, 0, time.UTC)) || !f.Stamp.Equal(time.Date(2021, 10, 19, 4, 55, 0, 0, time.UTC)) ||
		f.Account != "111122223333" || f.Region != "eu-central-1" || f.Source != "logs.amazonaws.com" || f.Action != "CreateLogStream" ||
		f.Address != "192.0.2.1" || f.Agent != "aws-cli" || !f.Failed || !f.Partial || !f.Salvaged ||
		f.Principal.Name != "example-role" || f.Actor != "arn:aws:iam::111122223333:role/path/a" || string(f.AccountFacts) != `{"name":"payments"}` {
		t.Errorf("%+v", f)
	}
}

// An odd region does not keep an alert out of incidents.
func TestReadFactsOddRegion(t *testing.T) {
	for raw, want := range map[string]string{`""`: "", `7`: "7", `["eu-central-1"]`: "", `"\u0065u"`: "eu"} {
		a := sampleAlert()
		a.AWSRegion = []byte(raw)
		if f, err := ReadFacts(AppendJSON(nil, a)); err != nil || f.Region != want {
			t.Errorf("%s: %q, %v", raw, f.Region, err)
		}
	}
}

// What an alert does not say is not so.
func TestReadFactsWithout(t *testing.T) {
	for name, change := range map[string]func(*Alert){
		"another severity": func(a *Alert) { a.Severity = "Info" }, "facts that are no object": func(a *Alert) { a.Policy.Account = []byte(`["payments"]`) },
		"a partial one": func(a *Alert) { a.Partial, a.PartialReason = true, "syntax" },
	} {
		a := sampleAlert()
		a.ErrorCode, a.Principal = nil, Principal{Name: "n", Type: "IAMUser"}
		change(a)
		f, err := ReadFacts(AppendJSON(nil, a))
		if err != nil || f.Failed || f.Partial != a.Partial || f.Salvaged || f.AccountFacts != nil || f.Severity != a.Severity || f.Principal != (Principal{Name: "n", Type: "IAMUser"}) {
			t.Errorf("%s: %+v, %v", name, f, err)
		}
	}
}

// Each fact is cut to its bound, and exactly at it is whole.
func TestFactIsBounded(t *testing.T) {
	f := func(text string, want int) {
		t.Helper()
		if got := fact(jsonscan.Value(`"` + text + `"`)); len(got) != want || strings.Trim(got, "a") != "" {
			t.Errorf("%d bytes: %d bytes %.60q, want %d", len(text), len(got), got, want)
		}
	}
	f(strings.Repeat("a", maxFact), maxFact)
	f(strings.Repeat("a", maxFact+1), maxFact)
	f(strings.Repeat(`\u0061`, maxFact), maxFact)
	f(strings.Repeat(`\u0061`, maxFact+1), maxFact)
	f(strings.Repeat("a", 10*maxFact), maxFact)
	if got := fact(jsonscan.Value(`"` + strings.Repeat("a", maxFact-1) + `\u00e9"`)); got != strings.Repeat("a", maxFact-1) {
		t.Errorf("%q is cut within a character", got)
	}
}

// Every alert that this program writes can be read back, shrunk or not.
func TestReadFactsShrunk(t *testing.T) {
	a := sampleAlert()
	a.UserAgent = []byte(`"` + strings.Repeat(`\u00e9`, 100_000) + `"`)
	a.UserIdentity = []byte(`{"type":"AssumedRole","long":"` + strings.Repeat("x", 100_000) + `"}`)
	for _, size := range []int{1 << 20, 64 << 10, MinBytes} {
		encoded, err := Native.Shrink(AppendJSON(nil, a), size)
		if err != nil {
			t.Fatal(err)
		}
		f, err := ReadFacts(encoded)
		if err != nil || f.Actor != "arn:aws:iam::111122223333:role/a" || len(f.Agent) > maxFact {
			t.Errorf("%d bytes: actor %s, %d bytes of agent, %v", size, f.Actor, len(f.Agent), err)
		}
	}
}

func TestReadFactsFailure(t *testing.T) {
	good := string(AppendJSON(nil, sampleAlert()))
	f := func(encoded, reason string) {
		t.Helper()
		_, err := ReadFacts([]byte(encoded))
		var foreign *ForeignError
		if !errors.As(err, &foreign) || foreign.Reason != reason || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.60s: %v", encoded, err)
		}
	}
	change := func(from, to string) string { return strings.Replace(good, from, to, 1) }
	f("", ForeignSyntax)
	f("[]", ForeignSyntax)
	f("7", ForeignSyntax)
	f(good+good, ForeignSyntax)
	f(good[:len(good)-1], ForeignSyntax)
	f("["+good[1:], ForeignSyntax)
	f(change(`,"`, `;"`), ForeignSyntax)
	f("{}", ForeignField)
	f(string(AppendOCSF(nil, sampleAlert())), ForeignOCSF)
	f(change(`"ccf5b9f8-`, `"urn:uuid:ccf5b9f8-`), ForeignField)
	f(strings.Replace(change(`"ccf5b9f8-`, `"xcf5b9f8-`), `"level":"default"`, `"level":"default","mode":"shadow"`, 1), ForeignField)
	f(change(`"High"`, `"Dire\nagain"`), ForeignField)
	f(change(`"ruleId"`, `"rule"`), ForeignField)
	f(change(`"level":"default"`, `"level":"default","mode":"shadow"`), ForeignNoAlert)
	f(change(`"level":"default"`, `"level":"default","exception":{"name":"x"}`), ForeignNoAlert)
	f(`{"a":`+strings.Repeat("[", 1_000_000), ForeignSyntax)
}

// Who acted does not depend on what the actor can choose.
func TestStableActor(t *testing.T) {
	f := func(identity, want string) {
		t.Helper()
		if got := StableActor(jsonscan.Value(identity), jsonscan.Value(`{"name":"n"}`)); got != want {
			t.Errorf("%s: %q, want %q", identity, got, want)
		}
	}
	const role = `"sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::1:role/r"}}`
	f(`{"type":"AssumedRole","arn":"arn:aws:sts::1:assumed-role/r/one","principalId":"AROA:one",`+role+`}`, "arn:aws:iam::1:role/r")
	f(`{"type":"AssumedRole","arn":"arn:aws:sts::1:assumed-role/r/two"}`, "arn:aws:iam::1:role/r")
	f(`{"type":"AssumedRole","principalId":"AROA:three"}`, "AROA")
	f(`{"type":"IAMUser","arn":"arn:aws:iam::1:user/u","userName":"u"}`, "arn:aws:iam::1:user/u")
	f(`{"type":"Root","arn":"arn:aws:iam::1:root"}`, "arn:aws:iam::1:root")
	f(`{"type":"FederatedUser","arn":"arn:aws:sts::1:federated-user/any","principalId":"1:any","sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::1:user/u"}}}`, "arn:aws:iam::1:user/u")
	f(`{"type":"FederatedUser","arn":"arn:aws:sts::1:federated-user/any","accountId":"1"}`, "account 1")
	f(`{"type":"WebIdentityUser","identityProvider":"accounts.google.com","userName":"any"}`, "WebIdentityUser of accounts.google.com")
	f(`{"type":"AWSService","invokedBy":"ec2.amazonaws.com"}`, "ec2.amazonaws.com")
	f(`{"type":"AWSAccount","accountId":"2","principalId":"AROA:any"}`, "account 2 AROA")
	f(`{"type":"IdentityCenterUser","onBehalfOf":{"userId":"u"}}`, "u")
	f(`{"type":"New","userName":"u"}`, "u")
	// What is missing gives way to what there is.
	f(`{"type":"AssumedRole","arn":"arn:aws:sts::1:assumed-role/r:s/one"}`, "arn:aws:iam::1:role/r:s")
	f(`{"type":"AssumedRole","arn":"arn:aws:sts::1:assumed-role/r"}`, "arn:aws:iam::1:role/r")
	f(`{"type":"AssumedRole","arn":"arn:aws-cn:sts::1:other/r","principalId":"AROA:x"}`, "AROA")
	f(`{"type":"AssumedRole","arn":"arn:aws:sts::1"}`, "arn:aws:sts::1")
	f(`{"type":"FederatedUser","arn":"arn:aws:sts::1:federated-user/any","principalId":"1:any"}`, "1")
	f(`{"type":"SAMLUser","identityProvider":"p","accountId":"1","userName":"any"}`, "SAMLUser of p")
	f(`{"type":"SAMLUser","accountId":"1","userName":"any"}`, "SAMLUser of account 1")
	f(`{"type":"WebIdentityUser","userName":"any"}`, "WebIdentityUser")
	f(`{"type":"AWSService","principalId":"s:t"}`, "s")
	f(`{"type":"AWSAccount","accountId":"2"}`, "account 2")
	f(`{"type":"AWSAccount","principalId":"AROA:any"}`, "AROA")
	f(`{"type":"IdentityCenterUser","principalId":"p:q"}`, "p")
	f(`{"principalId":"p:q","userName":"u"}`, "p")
	f(`{"userName":"u","invokedBy":"s"}`, "u")
	f(`{"invokedBy":"s","accountId":"1"}`, "s")
	f(`{"accountId":1}`, "account 1")
	if got := StableActor(nil, jsonscan.Value(`{"name":"n","arn":"arn:aws:iam::1:user/u"}`)); got != "arn:aws:iam::1:user/u" {
		t.Errorf("an alert without its userIdentity: %q", got)
	}
	if got := StableActor(jsonscan.Value(`{"userName":"u"}`), jsonscan.Value(`{"arn":"arn:aws:iam::1:user/u"}`)); got != "u" {
		t.Errorf("an alert with both: %q", got)
	}
	f(`{}`, "n")
	f(``, "n")
	f(`{"type":"IAMUser","arn":[]}`, "n")
	if got := StableActor(nil, nil); got != "unknown" {
		t.Errorf("nothing: %q", got)
	}
	most := strings.Repeat("a", maxActor)
	f(`{"arn":"`+most+`"}`, most)
	sum := sha256.Sum256([]byte(most + "a"))
	f(`{"arn":"`+most+`a"}`, most[:maxActor-40]+"~"+hex.EncodeToString(sum[:16]))
}

func FuzzReadFacts(f *testing.F) {
	f.Add(AppendJSON(nil, sampleAlert()))
	f.Add(AppendOCSF(nil, sampleAlert()))
	f.Add([]byte(`{"userAgent":"\u00`))
	f.Fuzz(func(t *testing.T, encoded []byte) {
		facts, err := ReadFacts(encoded)
		if err == nil && (facts.Actor == "" || len(facts.Actor) > maxActor || len(facts.Agent) > maxFact) {
			t.Errorf("%+v", facts)
		}
	})
}

// Only an RFC 3339 time in a string, from 1970 on, is an instant.
func TestInstant(t *testing.T) {
	f := func(text string, want time.Time) {
		t.Helper()
		if got := instant(jsonscan.Value(text)); !got.Equal(want) {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
	f(`"2021-10-19T04:50:27Z"`, time.Date(2021, 10, 19, 4, 50, 27, 0, time.UTC))
	f(`"2021-10-19T04:50:27.5+02:00"`, time.Date(2021, 10, 19, 2, 50, 27, 5e8, time.UTC))
	f(`"1970-01-01T00:00:00Z"`, time.Unix(0, 0))
	f(`"1969-12-31T23:59:59Z"`, time.Time{})
	f(`"9999-12-31T23:59:59Z"`, time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC))
	f(`"9999-12-31T23:59:59-01:00"`, time.Time{}) // the year 10000 in UTC, which RFC 3339 cannot write
	f(`"yesterday"`, time.Time{})
	f(`1634619027`, time.Time{})
	f(`"2021-10-19T04:50:27.`+strings.Repeat("0", 41)+`Z"`, time.Date(2021, 10, 19, 4, 50, 27, 0, time.UTC))
	f(`"2021-10-19T04:50:27.`+strings.Repeat("0", 42)+`Z"`, time.Time{}) // a time, but too long
}
