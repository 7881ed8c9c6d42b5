package alert

import (
	"encoding/json"
	"testing"
)

// TestOCSFActor shows the encoding of odd identities; the golden files show those of AWS.
func TestOCSFActor(t *testing.T) {
	f := func(identity, want string) {
		t.Helper()
		id := readOCSFIdentity(json.RawMessage(identity))
		got, err := json.Marshal(newActor(&Principal{Name: "n"}, &id))
		if want = `{"user":{"name":"n","type_id":0` + want; err != nil || string(got) != want {
			t.Errorf("%s\ngot  %s\nwant %s", identity, got, want)
		}
	}
	f(``, `}}`)
	f(`"text"`, `}}`)
	f(`[{"principalId":"p"}]`, `}}`)
	f(`{"principalId":"p"}`, `,"uid_alt":"p"}}`)
	f(`{"principalId":"p","PrincipalID":"look-alike"}`, `,"uid_alt":"p"}}`)
	f(`{"PRINCIPALID":"look-alike"}`, `}}`)
	f(`{"principalId":"first","principalId":"last"}`, `,"uid_alt":"last"}}`)
	f(`{"principalId":7,"accessKeyId":{}}`, `,"uid_alt":"7"}}`)
	f(`{"accessKeyId":"","credentialId":"c"}`, `},"session":{"credential_uid":"c"}}`)
	f(`{"accessKeyId":"a","credentialId":"c"}`, `},"session":{"credential_uid":"a"}}`)
	f(`{"invokedBy":"s"}`, `},"app_name":"s"}`)
	f(`{"sessionContext":{"attributes":{"mfaAuthenticated":"true","creationDate":"1970-01-01T00:00:01Z"}}}`, `},"session":{"created_time":1000,"is_mfa":true}}`)
	f(`{"sessionContext":{"attributes":{"mfaAuthenticated":false}}}`, `},"session":{"is_mfa":false}}`)
	f(`{"sessionContext":{"attributes":{"mfaAuthenticated":"maybe","creationDate":"then"},"sessionIssuer":[]}}`, `}}`)
}

func TestOCSFUserType(t *testing.T) {
	f := func(typ string, want int) {
		t.Helper()
		if got := newActor(&Principal{Name: "n", Type: typ}, &ocsfIdentity{}).User.TypeID; got != want {
			t.Errorf("%q is %d, want %d", typ, got, want)
		}
	}
	f("IAMUser", 1)
	f("Directory", 1)
	f("Root", 2)
	f("AWSService", 4)
	f("AssumedRole", userOther)
	f("AWSAccount", userOther)
	f("what comes next", userOther)
	f("Unknown", 0)
	f("", 0)
}

func TestOCSFEndpoint(t *testing.T) {
	f := func(source string, ip bool) {
		t.Helper()
		if got := newEndpoint(json.RawMessage(source)); (got.IP != nil) != ip || (got.SvcName != nil) == ip {
			t.Errorf("%s: ip %s, svc_name %s", source, got.IP, got.SvcName)
		}
	}
	f(`"192.0.2.1"`, true)
	f(`"192.0.2\u002e1"`, true)
	f(`"2001:db8::1"`, true)
	f(`"fe80::1%eth0"`, false)
	f(`"192.0.2.256"`, false)
	f(`"AWS Internal"`, false)
	f(`"autoscaling.amazonaws.com"`, false)
}

func TestOCSFSaysWhatWasCut(t *testing.T) {
	f := func(change func(*Alert), want bool) {
		t.Helper()
		a := sampleAlert()
		change(a)
		if got := newFinding(a).Metadata.IsTruncated; got != want {
			t.Errorf("is_truncated %t, want %t", got, want)
		}
	}
	f(func(*Alert) {}, false)
	f(func(a *Alert) { a.Event = nil }, false)
	f(func(a *Alert) { a.Truncated = []string{"userAgent"} }, true)
	f(func(a *Alert) { a.Event, a.EventOmitted = nil, OmittedSize }, true)
	f(func(a *Alert) { a.Event, a.EventOmitted = nil, OmittedDamage }, false)
}

func BenchmarkAppend(b *testing.B) {
	a := sampleAlert()
	for _, format := range []Format{Native, OCSF} {
		b.Run(format.String(), func(b *testing.B) {
			b.ReportAllocs()
			var dst []byte
			for b.Loop() {
				dst = format.Append(dst[:0], a)
			}
			b.SetBytes(int64(len(dst)))
		})
	}
}
