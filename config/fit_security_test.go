package config

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

const (
	wantUser     = "give flag --sasl-username, environment REGIONWATCH_SASL_USERNAME or file key sasl_username"
	wantPassword = "needs sasl-password or sasl-password-file; give environment REGIONWATCH_SASL_PASSWORD or file key sasl_password," +
		" or flag --sasl-password-file, environment REGIONWATCH_SASL_PASSWORD_FILE or file key sasl_password_file"
)

// Settings that do not fit together are all reported at once, without the value of a secret.
func TestSecurityPairsFailure(t *testing.T) {
	f := func(g given, want ...string) {
		t.Helper()
		_, err := g.load(t, all)
		if diff := cmp.Diff(want, lines(err)); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", g, diff)
		}
	}
	args := func(args ...string) given { return given{args: args} }
	f(args("--tls-ca=a", "--tls-server-name=b"),
		"flag --tls-ca, default of tls: tls-ca needs tls; add --tls, or leave it out",
		"flag --tls-server-name, default of tls: tls-server-name needs tls; add --tls, or leave it out")
	f(args("--tls", "--tls-certificate=a"), "flag --tls-certificate, default of tls-key: tls-certificate needs tls-key;"+
		" give flag --tls-key, environment REGIONWATCH_TLS_KEY or file key tls_key")
	f(args("--tls", "--tls-key=a"), "flag --tls-key, default of tls-certificate: tls-key needs tls-certificate;"+
		" give flag --tls-certificate, environment REGIONWATCH_TLS_CERTIFICATE or file key tls_certificate")
	f(given{environ: []string{"REGIONWATCH_SASL_PASSWORD=s3cret"}}, "environment REGIONWATCH_SASL_PASSWORD, default of sasl-mechanism:"+
		" sasl-password needs sasl-mechanism PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512; add --sasl-mechanism, or leave it out")
	f(args("--sasl-mechanism=PLAIN", "--tls"),
		"flag --sasl-mechanism, default of sasl-username: sasl-mechanism PLAIN needs sasl-username; "+wantUser,
		"flag --sasl-mechanism, default of sasl-password, default of sasl-password-file: sasl-mechanism PLAIN "+wantPassword)
	f(given{args: []string{"--sasl-mechanism=PLAIN", "--tls", "--sasl-username=a", "--sasl-password-file=b"}, environ: []string{"REGIONWATCH_SASL_PASSWORD=s3cret"}},
		"environment REGIONWATCH_SASL_PASSWORD, flag --sasl-password-file: sasl-password and sasl-password-file are both given; give one of them")
	f(args("--sasl-mechanism=AWS_MSK_IAM", "--sasl-username=a"), "flag --sasl-username, flag --sasl-mechanism: sasl-username is not used by"+
		" sasl-mechanism AWS_MSK_IAM; leave it out, or give PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512")
	f(args("--sasl-mechanism=OAUTHBEARER", "--tls", "--oauth-token-file=a", "--oauth-token-command=b"),
		"flag --oauth-token-file, flag --oauth-token-command: oauth-token-file and oauth-token-command are both given; give one of them")
	f(args("--sasl-mechanism=OAUTHBEARER", "--tls", "--oauth-token-file=a", "--oauth-scope=b"), "flag --oauth-scope, default of oauth-token-url:"+
		" oauth-scope needs oauth-token-url; give flag --oauth-token-url, environment REGIONWATCH_OAUTH_TOKEN_URL or file key oauth_token_url")
	f(args("--oauth-token-file=a"), "flag --oauth-token-file, default of sasl-mechanism:"+
		" oauth-token-file needs sasl-mechanism OAUTHBEARER; add --sasl-mechanism, or leave it out")
	f(args("--sasl-mechanism=PLAIN", "--sasl-username=a", "--sasl-password-file=b"),
		"flag --sasl-mechanism, default of tls, default of allow-plaintext-credentials: sasl-mechanism PLAIN without tls:"+
			" anyone on the network path can read the password; give --tls, or --allow-plaintext-credentials to accept that")
	f(args("--sasl-mechanism=OAUTHBEARER", "--oauth-token-file=a", "--tls=false"),
		"flag --sasl-mechanism, flag --tls, default of allow-plaintext-credentials: sasl-mechanism OAUTHBEARER without tls:"+
			" anyone on the network path can read the token; give --tls, or --allow-plaintext-credentials to accept that")
	f(args("--sasl-mechanism=OAUTHBEARER", "--oauth-token-file=a", "--allow-plaintext-credentials"))
	// A bad value is reported once, not again for what it leaves out.
	f(args("--sasl-mechanism=GSSAPI", "--sasl-username=a"),
		`flag --sasl-mechanism: "GSSAPI" is unknown; allowed: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER, AWS_MSK_IAM`)
}

// A command that talks to no broker accepts a password whose mechanism is among the flags of run.
func TestSecurityPairsOfOtherCommands(t *testing.T) {
	f := func(refused bool, names ...string) {
		t.Helper()
		flags := pflag.NewFlagSet("command", pflag.ContinueOnError)
		AddFlags(flags, names...)
		_, err := Load(Sources{Flags: flags, Environ: []string{"REGIONWATCH_SASL_PASSWORD=s3cret"}})
		if (err != nil) != refused {
			t.Errorf("flags %q: %v; refused should be %v", names, err, refused)
		}
	}
	f(false, "config", "admin-address")
	f(true, "brokers", "config")
	f(true)
}

func TestWarnings(t *testing.T) {
	f := func(want []string, args ...string) {
		t.Helper()
		s, err := given{args: append(args, "--sasl-username=a", "--sasl-password-file=b")}.load(t, all)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, s.Warnings()); diff != "" {
			t.Errorf("%q (-want +got):\n%s", args, diff)
		}
	}
	f([]string{"flag --sasl-mechanism: PLAIN without tls: anyone on the network path can read the password"},
		"--sasl-mechanism=PLAIN", "--allow-plaintext-credentials")
	f([]string{"flag --sasl-mechanism: SCRAM-SHA-512 without tls: anyone on the network path can guess passwords offline"},
		"--sasl-mechanism=SCRAM-SHA-512")
	f(nil, "--sasl-mechanism=PLAIN", "--tls")
}
