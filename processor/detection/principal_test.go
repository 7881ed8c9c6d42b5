package detection

import (
	"strings"
	"testing"

	"github.com/regionwatch/regionwatch/schema/alert"
)

func TestPrincipal(t *testing.T) {
	f := func(identity string, want alert.Principal) {
		t.Helper()
		r, _ := detect(t, eventBy(identity))
		if len(r.alerts) != 1 {
			t.Fatalf("%.100s: alerts %q", identity, r.encoded)
		}
		if got := r.alerts[0].Principal; got != want {
			t.Errorf("%.100s: %+v, want %+v", identity, got, want)
		}
	}
	named := func(name string) alert.Principal { return alert.Principal{Name: name} }

	// What is missing or of the wrong type is as if it were not there.
	f(`null`, named("unknown"))
	f(`{}`, named("unknown"))
	f(`[]`, named("unknown"))
	f(`"alice"`, named("unknown"))
	f(`7`, named("unknown"))
	f(`{"type":["IAMUser"],"userName":{"x":1},"arn":null,"accountId":true,"principalId":"","invokedBy":[]}`, named("unknown"))
	f(`{"sessionContext":{"sessionIssuer":{"userName":null}},"principalId":"p"}`, named("p"))
	f(`{"sessionContext":{"sessionIssuer":"x"},"invokedBy":"i"}`, named("i"))
	f(`{"sessionContext":[],"onBehalfOf":7,"type":"IdentityCenterUser","principalId":"p"}`, alert.Principal{Type: "IdentityCenterUser", Name: "p"})
	f(`{"accountId":111122223333}`, alert.Principal{Name: "111122223333", AccountID: "111122223333"})

	// The type's own name first, then what there is.
	f(`{"type":"AWSService","userName":"u","invokedBy":"s"}`, alert.Principal{Type: "AWSService", Name: "s"})
	f(`{"type":"AWSService","userName":"u"}`, alert.Principal{Type: "AWSService", Name: "u"})
	f(`{"type":"FutureType","arn":"arn:aws:x:::y","principalId":"p"}`, alert.Principal{Type: "FutureType", Name: "arn:aws:x:::y", ARN: "arn:aws:x:::y"})
	f(`{"type":"AssumedRole","principalId":"AROA:me"}`, alert.Principal{Type: "AssumedRole", Name: "AROA:me", Session: "me"})
	f(`{"type":"AssumedRole","arn":"arn:aws:sts::1:assumed-role/r"}`, alert.Principal{Type: "AssumedRole", Name: "r", ARN: "arn:aws:sts::1:assumed-role/r"})
	f(`{"type":"AssumedRole","arn":"arn:aws:sts::1:assumed-role/r/a/b"}`, alert.Principal{Type: "AssumedRole", Name: "r", Session: "a/b", ARN: "arn:aws:sts::1:assumed-role/r/a/b"})
	f(`{"type":"FederatedUser","arn":"arn:aws:sts::1:federated-user/bob"}`, alert.Principal{Type: "FederatedUser", Name: "bob", Session: "bob", ARN: "arn:aws:sts::1:federated-user/bob"})
	f(`{"type":"AssumedRole","arn":"nonsense"}`, alert.Principal{Type: "AssumedRole", Name: "nonsense", ARN: "nonsense"})

	// Keys and values compare decoded, the last of two keys wins, and look-alikes do not count.
	f(`{"\u0074ype":"IAMUser","user\u004eame":"\u0061lice"}`, alert.Principal{Type: "IAMUser", Name: "alice"})
	f(`{"userName":"first","userName":"last"}`, named("last"))
	f(`{"UserName":"a","username":"b","x":{"userName":"c"},"principalId":"p"}`, named("p"))
	f("{\"userName\":\"a\xff\\ud800b\"}", named("a\ufffd\ufffdb"))

	long := strings.Repeat("é", 5_000)
	f(`{"userName":"`+long+`"}`, named(long[:maxPrincipalBytes]))
}

// A long name is cut in the title, not within a character.
func TestTitleIsBounded(t *testing.T) {
	r, _ := detect(t, eventBy(`{"userName":"x`+strings.Repeat("é", 5_000)+`"}`))
	const want = "Non-read-only API call in unused region ap-east-1 by user x"
	if got := r.alerts[0].Title; got != want+strings.Repeat("é", 127) {
		t.Errorf("title %q", got)
	}
}

func TestDeepIdentityIsLeftOut(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000)
	r, _ := detect(t, eventBy(`{"type":"IAMUser","userName":"alice","sessionContext":`+deep+`}`))
	if len(r.alerts) != 1 {
		t.Fatal("no alert")
	}
	a := &r.alerts[0]
	if a.Principal.Name != "alice" || a.UserIdentity != nil || a.Event != nil || a.EventOmitted != alert.OmittedDepth {
		t.Errorf("%.1000s", r.encoded[0])
	}
	if len(a.Truncated) != 1 || a.Truncated[0] != "userIdentity" {
		t.Errorf("truncated %q", a.Truncated)
	}
}
