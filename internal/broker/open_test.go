package broker

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/regionwatch/regionwatch/internal/livefile"
)

// All mistakes in files are reported together, each with its option and without the content of the file.
func TestOpenFailure(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	a, other := newAuthority(t, "a"), newAuthority(t, "b")
	certificate, key := issue(t, a, "client", time.Hour)
	_, otherKey := issue(t, other, "client", time.Hour)
	expired, expiredKey := issue(t, a, "client", -time.Minute)
	names := map[string]string{}
	for name, content := range map[string][]byte{
		"certificate": certificate, "key": key, "otherKey": otherKey, "expired": expired, "expiredKey": expiredKey,
		"spoiled": append(slices.Clone(a.PEM), "-----BEGIN CERTIFICATE-----\nMTIz\n-----END CERTIFICATE-----\n"...),
		"noPEM":   []byte("s3cret"), "noToken": []byte("s3cret\x01s3cret"), "empty": nil, "lines": []byte("s3cret\ns3cret\n"), "large": make([]byte, livefile.MaxBytes+1),
	} {
		names[name] = f.put(name, content)
	}
	names["missing"] = filepath.Join(f.path, "missing")
	check := func(o Options, want ...string) {
		t.Helper()
		_, err := Open(o)
		if err == nil {
			t.Errorf("no error, want %q", want)
			return
		}
		got := strings.Split(strings.ReplaceAll(err.Error(), f.path+"/", ""), "\n")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("a secret is in the error: %v", err)
		}
	}
	plain := SASL{Mechanism: "PLAIN", Username: "alice"}
	withPassword := func(file string) SASL {
		s := plain
		s.PasswordFile = names[file]
		return s
	}
	check(Options{TLS: &TLS{CAFile: names["missing"], CertificateFile: names["missing"], KeyFile: names["missing"]}, SASL: withPassword("missing")},
		`tls-ca: reading "missing": no such file or directory`,
		`tls-certificate: reading "missing": no such file or directory`,
		`tls-key: reading "missing": no such file or directory`,
		`sasl-password-file: reading "missing": no such file or directory`)
	check(Options{TLS: &TLS{CAFile: names["noPEM"]}, SASL: withPassword("empty")},
		`tls-ca: reading "noPEM": it has no certificate in PEM`,
		`sasl-password-file: reading "empty": it is empty`)
	check(Options{TLS: &TLS{CAFile: names["key"]}}, `tls-ca: reading "key": it has a "PRIVATE KEY"; allowed: certificates in PEM`)
	check(Options{TLS: &TLS{CAFile: names["spoiled"]}}, `tls-ca: reading "spoiled": certificate 2: x509: malformed certificate`)
	check(Options{TLS: &TLS{CertificateFile: names["certificate"], KeyFile: names["missing"]}}, `tls-key: reading "missing": no such file or directory`)
	check(Options{TLS: &TLS{CertificateFile: names["missing"], KeyFile: names["key"]}}, `tls-certificate: reading "missing": no such file or directory`)
	check(Options{TLS: &TLS{CAFile: names["large"]}}, `tls-ca: reading "large": it is larger than 4 MiB`)
	check(Options{TLS: &TLS{CAFile: f.path}}, `tls-ca: reading "`+f.path+`": is a directory`)
	check(Options{TLS: &TLS{CertificateFile: names["certificate"], KeyFile: names["otherKey"]}},
		`tls-certificate: reading "certificate" with key "otherKey": tls: private key does not match public key`)
	check(Options{TLS: &TLS{CertificateFile: names["certificate"]}}, "tls-certificate and tls-key need each other")
	check(Options{SASL: withPassword("lines")},
		`sasl-password-file: reading "lines": it has more than one line; allowed: the secret and nothing else`)
	check(Options{SASL: plain}, "sasl-mechanism PLAIN needs a username and a password")
	check(Options{SASL: SASL{Mechanism: "GSSAPI"}}, `sasl-mechanism "GSSAPI" is unknown`)
	check(Options{SASL: SASL{Mechanism: "OAUTHBEARER"}}, "sasl-mechanism OAUTHBEARER needs a token")
	check(Options{SASL: SASL{Mechanism: "OAUTHBEARER", OAuth: OAuth{TokenCommand: []string{names["missing"]}}}},
		`oauth-token-command: looking for "missing": stat missing: no such file or directory`)
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		check(Options{SASL: SASL{Mechanism: mechanism, Username: "alice", PasswordFile: names["missing"]}},
			`sasl-password-file: reading "missing": no such file or directory`)
	}
	check(Options{SASL: SASL{Mechanism: "OAUTHBEARER", OAuth: OAuth{TokenURL: "http://localhost:1", ClientSecretFile: names["missing"]}}},
		`oauth-client-secret-file: reading "missing": no such file or directory`)
	check(Options{SASL: SASL{Mechanism: "OAUTHBEARER", OAuth: OAuth{TokenFile: names["missing"]}}},
		`oauth-token-file: reading "missing": no such file or directory`)
	check(Options{SASL: SASL{Mechanism: "OAUTHBEARER", OAuth: OAuth{TokenFile: names["noToken"]}}},
		`oauth-token-file: reading "noToken": not a token: it has characters that tokens must not contain`)

	_, err := Open(Options{TLS: &TLS{CertificateFile: names["expired"], KeyFile: names["expiredKey"]}})
	mustMention(t, err, "tls-certificate", "the certificate expired at 20")
	if faults := Faults(err); len(faults) != 1 || faults[0].Option != "tls-certificate" {
		t.Errorf("faults %v", faults)
	}
	_, err = Open(Options{TLS: &TLS{CAFile: names["missing"]}, SASL: withPassword("missing")})
	if faults := Faults(err); len(faults) != 2 || faults[0].Option != "tls-ca" || faults[1].Option != "sasl-password-file" {
		t.Errorf("faults %v", faults)
	}
	if faults := Faults(errors.New("other")); faults != nil {
		t.Errorf("faults %v", faults)
	}
}

// A secret is not printed in any format, wherever it is nested.
func TestSecretIsNotPrinted(t *testing.T) {
	t.Parallel()
	o := Options{SASL: SASL{Mechanism: "PLAIN", Username: "alice", Password: NewSecret("s3cret"), OAuth: OAuth{ClientSecret: NewSecret("s3cret")}}}
	c := mustOpen(t, o)
	var log lines
	log.logger().Info("x", "options", o, "password", o.SASL.Password, "connection", c)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "options", o, "password", o.SASL.Password, "connection", c)
	text, _ := json.Marshal(o)
	printed := fmt.Sprintf("%v %+v %#v %v %+v %#v %v %#v", o, o, o, c, *c, *c, o.SASL.Password, o.SASL.Password) + log.buf.String() + string(text)
	if strings.Contains(printed, "s3cret") {
		t.Errorf("the secret is printed: %s", printed)
	}
	if got := fmt.Sprint(o.SASL.Password, NewSecret("")); got != "(secret) " {
		t.Errorf("%q", got)
	}
}
