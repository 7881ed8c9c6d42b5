package config

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sourcesOf returns the same value given in each of the three ways.
func sourcesOf(row *Setting, value string) map[Source]given {
	ways := map[Source]given{FromEnvironment: {environ: []string{row.Variable() + "=" + value}}}
	if !row.Secret {
		ways[FromFlag] = given{args: []string{row.Flag() + "=" + value}}
	}
	if row.Key() != "" {
		quoted := "'" + strings.ReplaceAll(value, "'", "''") + "'"
		if strings.ContainsRune(value, '\x1b') { // YAML has no such characters but as escapes
			quoted = strconv.Quote(value)
		}
		ways[FromFile] = given{file: row.Key() + ": " + quoted + "\n"}
	}
	return ways
}

// company lists what a setting needs beside it.
var company = map[string][]string{
	"policy-key":         {"REGIONWATCH_POLICY_TOPIC=policies"},
	"policy-cache":       {"REGIONWATCH_POLICY_TOPIC=policies"},
	"tls-ca":             {"REGIONWATCH_TLS=true"},
	"tls-certificate":    {"REGIONWATCH_TLS=true", "REGIONWATCH_TLS_KEY=k"},
	"tls-key":            {"REGIONWATCH_TLS=true", "REGIONWATCH_TLS_CERTIFICATE=c"},
	"tls-server-name":    {"REGIONWATCH_TLS=true"},
	"sasl-mechanism":     {"REGIONWATCH_SASL_USERNAME=u", "REGIONWATCH_SASL_PASSWORD=p"},
	"sasl-username":      {"REGIONWATCH_SASL_MECHANISM=PLAIN", "REGIONWATCH_SASL_PASSWORD=p"},
	"sasl-password":      {"REGIONWATCH_SASL_MECHANISM=PLAIN", "REGIONWATCH_SASL_USERNAME=u"},
	"sasl-password-file": {"REGIONWATCH_SASL_MECHANISM=PLAIN", "REGIONWATCH_SASL_USERNAME=u"},

	"oauth-token-file":    {"REGIONWATCH_SASL_MECHANISM=OAUTHBEARER"},
	"oauth-token-command": {"REGIONWATCH_SASL_MECHANISM=OAUTHBEARER"},
	"oauth-token-url": {"REGIONWATCH_SASL_MECHANISM=OAUTHBEARER", "REGIONWATCH_OAUTH_CLIENT_ID=c",
		"REGIONWATCH_OAUTH_CLIENT_SECRET=s"},
	"oauth-client-id": {"REGIONWATCH_SASL_MECHANISM=OAUTHBEARER", "REGIONWATCH_OAUTH_TOKEN_URL=https://a/",
		"REGIONWATCH_OAUTH_CLIENT_SECRET=s"},
	"oauth-client-secret": {"REGIONWATCH_SASL_MECHANISM=OAUTHBEARER", "REGIONWATCH_OAUTH_TOKEN_URL=https://a/",
		"REGIONWATCH_OAUTH_CLIENT_ID=c"},
	"oauth-client-secret-file": {"REGIONWATCH_SASL_MECHANISM=OAUTHBEARER", "REGIONWATCH_OAUTH_TOKEN_URL=https://a/",
		"REGIONWATCH_OAUTH_CLIENT_ID=c"},
	"oauth-scope": {"REGIONWATCH_SASL_MECHANISM=OAUTHBEARER", "REGIONWATCH_OAUTH_TOKEN_URL=https://a/",
		"REGIONWATCH_OAUTH_CLIENT_ID=c", "REGIONWATCH_OAUTH_CLIENT_SECRET=s"},
	"oauth-extensions": {"REGIONWATCH_SASL_MECHANISM=OAUTHBEARER", "REGIONWATCH_OAUTH_TOKEN_FILE=t"},

	"admin-tls-certificate": {"REGIONWATCH_ADMIN_TLS_KEY=k"},
	"admin-tls-key":         {"REGIONWATCH_ADMIN_TLS_CERTIFICATE=c"},
}

// credentialsInTheClear lets a case use SASL without TLS, unless the setting that allows it is the case.
func credentialsInTheClear(name string) string {
	if name == "allow-plaintext-credentials" {
		return ""
	}
	return "REGIONWATCH_ALLOW_PLAINTEXT_CREDENTIALS=true"
}

func TestEverySettingSuccess(t *testing.T) {
	tested := map[string]bool{"config": true} // see TestFileSuccess
	f := func(name, value, want string) {
		t.Helper()
		tested[name] = true
		row := Lookup(name)
		for source, g := range sourcesOf(row, value) {
			g.environ = append(slices.Concat(g.environ, company[name]), credentialsInTheClear(name))
			s, err := g.load(t, all)
			if err != nil {
				t.Errorf("%s %q from source %d: %v", name, value, source, err)
				continue
			}
			if got := row.get(s); got != want {
				t.Errorf("%s %q from source %d: got %q, want %q", name, value, source, got, want)
			}
			if got := s.Origin(name).Source; got != source {
				t.Errorf("%s: origin is source %d, want %d", name, got, source)
			}
		}
	}
	f("brokers", "a:1, b.example.com:65535,[::1]:9092", "a:1,b.example.com:65535,[::1]:9092")
	f("tls", "true", "true")
	f("tls-ca", "/etc/kafka/ca.pem", "/etc/kafka/ca.pem")
	f("tls-certificate", "client.pem", "client.pem")
	f("tls-key", "client.key", "client.key")
	f("tls-server-name", "kafka.example.com", "kafka.example.com")
	f("sasl-mechanism", "SCRAM-SHA-512", "SCRAM-SHA-512")
	f("sasl-username", "alice", "alice")
	f("sasl-password", "a, 'b' \"c\" #d", "a, 'b' \"c\" #d")
	f("sasl-password-file", "/run/secrets/password", "/run/secrets/password")
	f("oauth-token-file", "/run/secrets/token", "/run/secrets/token")
	f("oauth-token-command", "/bin/get-token --for kafka", "/bin/get-token --for kafka")
	f("oauth-token-url", "https://id.example.com/token?x=y", "https://id.example.com/token?x=y")
	f("oauth-token-url", "http://[::1]:8080/token", "http://[::1]:8080/token")
	f("oauth-client-id", "regionwatch", "regionwatch")
	f("oauth-client-secret", "s3cret", "s3cret")
	f("oauth-client-secret-file", "/run/secrets/client", "/run/secrets/client")
	f("oauth-scope", "kafka, api://x/.default", "kafka,api://x/.default")
	f("oauth-extensions", "logicalCluster=lkc-1,identityPoolId=pool-2", "logicalCluster=lkc-1,identityPoolId=pool-2")
	f("input-topic", "a.b-c_D9,x", "a.b-c_D9,x")
	f("input-topic", strings.Repeat("x", 249), strings.Repeat("x", 249))
	f("input-topic-pattern", "trail-[a-z]{2,3}", "trail-[a-z]{2,3}")
	f("alert-topic", "x", "x")
	f("dead-letter-topic", "x", "x")
	f("shadow-topic", "x", "x")
	f("exempted-topic", "x", "x")
	f("incident-topic", "x", "x")
	f("incident-state-topic", "x", "x")
	f("incident-group", "x y", "x y")
	f("incident-format", "ocsf", "ocsf")
	f("policy", "policies/policy.yaml", "policies/policy.yaml")
	f("policy-topic", "x", "x")
	f("policy-key", "keys/minisign.pub", "keys/minisign.pub")
	f("policy-cache", "/var/lib/regionwatch/policy", "/var/lib/regionwatch/policy")
	f("create-topics", "true", "true")
	f("partitions", "100000", "100000")
	f("replicas", "3", "3")
	f("group", "Gruppe Süd", "Gruppe Süd")
	f("group", strings.Repeat("x", 249), strings.Repeat("x", 249))
	f("instance-id", "pod-0", "pod-0")
	f("instance-id", "none", "none")
	f("start", "earliest", "earliest")
	f("start", "latest", "latest")
	f("start", "2026-11-01T02:03:04.5+02:00", "2026-11-01T02:03:04.5+02:00")
	f("start", "1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z")
	f("session-timeout", "1s", "1s")
	f("session-timeout", "1m", "1m")
	f("rebalance-timeout", "1h", "1h")
	f("delivery-timeout", "1s", "1s")
	f("delivery", "exactly-once", "exactly-once")
	f("sessions", "64", "64")
	f("commit-interval", "100ms", "100ms")
	f("delivery-timeout", "55s", "55s")
	f("transaction-timeout", "15m", "15m")
	f("drain-timeout", "1m30s", "1m30s")
	f("copy-headers", "traceparent, X-Request-Id", "traceparent,X-Request-Id")
	f("copy-headers", "none", "none")
	f("max-records-per-second", "5000", "5000")
	f("max-record-bytes", "2MB", "2000000")
	f("max-record-bytes", "16384", "16KiB")
	f("max-record-bytes", "64Mi", "64MiB")
	f("max-batch-bytes", "64M", "62500KiB")
	f("max-event-bytes", "100k", "100000")
	f("max-batch-bytes", "1GiB", "1GiB")
	f("fetch-bytes", "8MiB", "8MiB")
	f("fetch-partition-bytes", "64KiB", "64KiB")
	f("memory-limit", "2GiB", "2GiB")
	f("memory-limit", "0", "0")
	f("unused-regions", "us-gov-east-1, eu-isoe-west-1", "us-gov-east-1,eu-isoe-west-1")
	f("unused-regions", strings.Repeat("é", 64), strings.Repeat("é", 64))
	f("missing-read-only", "alert", "alert")
	f("policy-version", "2026-11-01 (draft)", "2026-11-01 (draft)")
	f("rack", "euw1-az1", "euw1-az1")
	f("output-compression", "gzip", "gzip")
	f("no-event-copy", "true", "true")
	f("alert-format", "ocsf", "ocsf")
	f("max-event-bytes", "66 kB", "66000")
	f("admin-address", ":0", ":0")
	f("admin-address", "none", "none")
	f("admin-address", "a:65535", "a:65535")
	f("admin-hosts", "Regionwatch.Monitoring.svc., localhost", "regionwatch.monitoring.svc,localhost")
	f("admin-tls-certificate", "admin.pem", "admin.pem")
	f("admin-tls-key", "admin.key", "admin.key")
	f("admin-token-file", "/run/secrets/admin", "/run/secrets/admin")
	f("page-address", "none", "none")
	f("page-address", "127.0.0.1:0", "127.0.0.1:0")
	f("pprof", "true", "true")
	f("allow-plaintext-credentials", "true", "true")
	f("log-level", "debug", "debug")
	f("log-format", "json", "json")
	f("log-summary", "0", "0s")
	for i := range all {
		if !tested[all[i].Name] {
			t.Errorf("%s has no case", all[i].Name)
		}
	}
}

// What may be a secret in an address is neither among the settings nor in the error about one.
//
// Guards: shown, withoutQuery.
func TestAddressIsNotShownWhole(t *testing.T) {
	for value, want := range map[string]string{
		"https://id.example.com/token":            "https://id.example.com/token",
		"https://id.example.com/token?key=s3cret": "https://id.example.com/token?(hidden)",
		"https://id.example.com/token#s3cret":     "https://id.example.com/token#(hidden)",
		"http://id.example.com/token?key=s3cret":  `"http://id.example.com/token?(hidden)" is not https`,
		"https://a:s3cret@id.example.com/token":   `"(hidden)@id.example.com/token" contains a user`,
		"https://a:s3?cret@id.example.com/token":  `"(hidden)" is not a URL`,
		"id.example.com/token?key=s3@cret":        `"(hidden)" is not a URL`,
	} {
		g := given{environ: append(slices.Concat(company["oauth-token-url"]), "REGIONWATCH_OAUTH_TOKEN_URL="+value, "REGIONWATCH_ALLOW_PLAINTEXT_CREDENTIALS=true")}
		s, err := g.load(t, all)
		got := strings.Join(lines(err), "\n")
		for _, e := range s.Effective() {
			if err == nil && e.Setting.Name == "oauth-token-url" {
				got = e.Value
			}
		}
		if !strings.Contains(got, want) || strings.Contains(got, "s3") || strings.Contains(got, "cret") {
			t.Errorf("%s: %q, want %q", value, got, want)
		}
	}
}

func TestEverySettingFailure(t *testing.T) {
	tested := map[string]bool{"config": true} // see TestMissingFile
	for i := range all {
		if all[i].Type == "file" { // any text names one
			tested[all[i].Name] = true
		}
	}
	f := func(name, value, why string) {
		t.Helper()
		tested[name] = true
		row := Lookup(name)
		fault := quote(withoutUser(row.shown(value))) + " " + why
		if row.Secret {
			fault = why
		}
		fault = withAllowed(fault, row.Allowed)
		want := map[Source]string{
			FromFlag:        "flag " + row.Flag() + ": " + fault,
			FromEnvironment: "environment " + row.Variable() + ": " + fault,
			FromFile:        "file f.yaml:1:" + strconv.Itoa(len(name)+3) + ": " + name + ": " + fault,
		}
		for source, g := range sourcesOf(row, value) {
			g.environ = append(slices.Concat(g.environ, company[name]), credentialsInTheClear(name))
			s, err := g.load(t, all)
			if diff := cmp.Diff([]string{want[source]}, lines(err)); diff != "" {
				t.Errorf("%s %q (-want +got):\n%s", name, value, diff)
			}
			if got := s.Origin(name).Source; got != FromDefault {
				t.Errorf("%s %q was taken from source %d", name, value, got)
			}
		}
	}
	f("brokers", "kafka", "is not host:port")
	f("brokers", ":9092", "has no usable host")
	f("brokers", "a b:9092", "has no usable host")
	f("brokers", "a:0", "has no usable port")
	f("brokers", "a:65536", "has no usable port")
	f("brokers", "a:131071", "has no usable port")
	f("brokers", "a:kafka", "has no usable port")
	f("brokers", "kafka://a:9092", "is a URL, not an address")
	f("brokers", "alice:s3cret@a:9092", "is not host:port")
	f("tls", "on", "is unknown")
	f("tls-server-name", "https://kafka", "is not a host name")
	f("sasl-mechanism", "SCRAM-SHA-521", "is unknown, did you mean SCRAM-SHA-512?")
	f("sasl-username", "alice ", "begins or ends with a space")
	f("sasl-password", "a\n\nb", "the value is not allowed")
	f("oauth-token-command", "  ", "names no program")
	f("oauth-token-command", "get-token | head -1", "needs a shell; put it into a script")
	f("oauth-token-url", "http://id.example.com/token", "is not https")
	f("oauth-token-url", "https://a:b@id.example.com/token", "contains a user")
	f("oauth-token-url", "id.example.com", "is not a URL")
	f("oauth-token-url", "http://id.example.com/token?key=s3cret", "is not https")
	f("oauth-token-url", "//id.example.com/token?key=s3cret@x", "is not https")
	f("oauth-client-id", "a\tb", "has unprintable characters")
	f("oauth-client-secret", "a\n\nb", "the value is not allowed")
	f("oauth-scope", "a b", "has characters not allowed in a scope")
	f("oauth-extensions", "lkc-1", "is not name=value")
	f("oauth-extensions", "auth=x", "uses the name of the token itself")
	f("input-topic", "a b", "has characters that Kafka does not allow")
	f("input-topic", "..", "is reserved")
	f("input-topic", strings.Repeat("x", 250), "is longer than 249 characters")
	f("input-topic-pattern", "a(", "is not a regular expression")
	f("input-topic-pattern", `\Qx`, `has a \Q without its \E`)
	f("alert-topic", "a/b", "has characters that Kafka does not allow")
	f("dead-letter-topic", ".", "is reserved")
	f("shadow-topic", ".", "is reserved")
	f("exempted-topic", ".", "is reserved")
	f("incident-topic", "a b", "has characters that Kafka does not allow")
	f("incident-state-topic", "a b", "has characters that Kafka does not allow")
	f("incident-group", "a\tb", "has unprintable characters")
	f("incident-format", "csv", "is unknown")
	f("policy-topic", ".", "is reserved")
	f("create-topics", "yes", "is unknown")
	f("create-topics", "True", "is unknown, did you mean true?")
	f("partitions", "-1", "is too small")
	f("partitions", "100001", "is too large")
	f("replicas", "3.0", "is not a whole number")
	f("group", strings.Repeat("x", 250), "is longer than 249 characters")
	f("group", " a", "begins or ends with a space")
	f("group", "a\x1b]0;x\a", "has unprintable characters")
	f("group", "a\u202eb", "has unprintable characters")
	f("instance-id", "pod 0", "has characters that Kafka does not allow")
	f("instance-id", strings.Repeat("x", 201), "is longer than 200 characters")
	f("start", "newest", "is unknown")
	f("start", "lastest", "is unknown, did you mean latest?")
	f("start", "2026-11-01", "is unknown")
	f("start", "1969-12-31T23:59:59.999999999Z", "is before 1970, which Kafka cannot express")
	f("session-timeout", "999ms", "is too short")
	f("rebalance-timeout", "1h0m1s", "is too long")
	f("delivery", "exactly_once", "is unknown, did you mean exactly-once?")
	f("sessions", "65", "is too large")
	f("session-timeout", "30m0.001s", "is too long")
	f("commit-interval", "0", "is too short")
	f("commit-interval", "200", "is not a duration")
	f("delivery-timeout", "forever", "is not a duration")
	f("transaction-timeout", "16m", "is too long")
	f("drain-timeout", "-1s", "is too short")
	f("max-record-bytes", "1", "is too small")
	f("max-batch-bytes", "99999GiB", "is too large")
	f("max-batch-bytes", "1073741825", "is too large")
	f("max-batch-bytes", "1048575", "is too small")
	f("max-records-per-second", "-1", "is too small")
	f("copy-headers", "alert-id", "is a header that every alert has anyway")
	f("copy-headers", "a\tb", "has unprintable characters")
	f("max-batch-bytes", "-1GiB", "is too small")
	f("fetch-bytes", "63KiB", "is too small")
	f("fetch-partition-bytes", "1023", "is too small")
	f("memory-limit", "-1", "is too small")
	f("unused-regions", "eu_west/3", "does not look like a region")
	f("unused-regions", strings.Repeat("e", 65), "does not look like a region")
	f("missing-read-only", "fail", "is unknown")
	f("policy-version", "a\tb", "has unprintable characters")
	f("rack", " zone", "begins or ends with a space")
	f("output-compression", "gzp", "is unknown, did you mean gzip?")
	f("no-event-copy", "1", "is unknown")
	f("alert-format", "oscf", "is unknown, did you mean ocsf?")
	f("max-event-bytes", "64 mib", "is not a number of bytes")
	f("admin-address", "9464", "is not host:port")
	f("admin-address", "a:http", "has no usable port")
	f("admin-address", "a:65536", "has no usable port")
	f("admin-address", "a:131071", "has no usable port")
	f("admin-hosts", "a.example:9464", "is not a host name")
	f("admin-hosts", "*.example", "is not a host name")
	f("page-address", "a", "is not host:port")
	f("pprof", "on", "is unknown")
	f("allow-plaintext-credentials", "yes", "is unknown")
	f("log-level", "warning", "is unknown, did you mean warn?")
	f("log-format", "xml", "is unknown")
	f("log-summary", "-1s", "is too short")
	for i := range all {
		if !tested[all[i].Name] {
			t.Errorf("%s has no case", all[i].Name)
		}
	}
}

// An empty group from environment counts as unset; from a flag or the file it is a mistake, and never taken.
func TestEmptyGroup(t *testing.T) {
	for _, g := range []given{{args: []string{"--group="}}, {file: "group: ''\n"}} {
		s, err := g.load(t, all)
		if got := lines(err); len(got) != 1 || !strings.Contains(got[0], `"" is empty; allowed:`) || s.Group != "regionwatch" {
			t.Errorf("%+v: group %q, %q", g, s.Group, got)
		}
	}
}
