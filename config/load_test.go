package config

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

// given is one way to load settings: the arguments, variables and file of a case.
type given struct {
	args    []string
	environ []string
	file    string
}

// load loads from what is given; a file is written and named by variable.
func (g given) load(t *testing.T, settings table) (*Settings, error) {
	t.Helper()
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	settings.addFlags(flags)
	if err := flags.Parse(g.args); err != nil {
		t.Fatalf("parsing %q: %v", g.args, err)
	}
	environ := g.environ
	if g.file != "" {
		name := filepath.Join(t.TempDir(), "f.yaml")
		if err := os.WriteFile(name, []byte(g.file), 0o600); err != nil {
			t.Fatal(err)
		}
		environ = append([]string{"REGIONWATCH_CONFIG=" + name}, environ...)
	}
	return settings.load(Sources{Flags: flags, Environ: environ})
}

// lines returns the mistakes, folders of temporary files left out.
func lines(err error) []string {
	var faults Faults
	if !errors.As(err, &faults) {
		return nil
	}
	var out []string
	for line := range strings.Lines(err.Error()) {
		line = strings.TrimSuffix(line, "\n")
		if i := strings.Index(line, "f.yaml"); i >= 0 {
			line = "file " + line[i:]
		}
		out = append(out, line)
	}
	return out
}

// sourcesOf returns the same value given in each of the three ways.
func sourcesOf(row *Setting, value string) map[Source]given {
	ways := map[Source]given{FromEnvironment: {environ: []string{row.Variable() + "=" + value}}}
	if !row.Secret {
		ways[FromFlag] = given{args: []string{row.Flag() + "=" + value}}
	}
	if row.Key() != "" {
		ways[FromFile] = given{file: row.Key() + ": '" + strings.ReplaceAll(value, "'", "''") + "'\n"}
	}
	return ways
}

func TestEverySettingSuccess(t *testing.T) {
	tested := map[string]bool{"config": true} // see TestFileSuccess
	f := func(name, value, want string) {
		t.Helper()
		tested[name] = true
		row := Lookup(name)
		for source, g := range sourcesOf(row, value) {
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
	f("input-topic", "a.b-c_D9,x", "a.b-c_D9,x")
	f("input-topic", strings.Repeat("x", 249), strings.Repeat("x", 249))
	f("input-topic-pattern", "trail-[a-z]{2,3}", "trail-[a-z]{2,3}")
	f("alert-topic", "x", "x")
	f("dead-letter-topic", "x", "x")
	f("create-topics", "true", "true")
	f("partitions", "100000", "100000")
	f("replicas", "3", "3")
	f("group", "Gruppe Süd", "Gruppe Süd")
	f("instance-id", "pod-0", "pod-0")
	f("instance-id", "none", "none")
	f("start", "earliest", "earliest")
	f("start", "latest", "latest")
	f("start", "2026-11-01T02:03:04.5+02:00", "2026-11-01T02:03:04.5+02:00")
	f("session-timeout", "1s", "1s")
	f("rebalance-timeout", "1h", "1h")
	f("delivery", "exactly-once", "exactly-once")
	f("sessions", "64", "64")
	f("commit-interval", "100ms", "100ms")
	f("delivery-timeout", "55s", "55s")
	f("transaction-timeout", "15m", "15m")
	f("drain-timeout", "1m30s", "1m30s")
	f("max-record-bytes", "2MB", "2000000")
	f("max-record-bytes", "16384", "16KiB")
	f("max-batch-bytes", "1GiB", "1GiB")
	f("unused-regions", "us-gov-east-1, eu-isoe-west-1", "us-gov-east-1,eu-isoe-west-1")
	f("missing-read-only", "alert", "alert")
	f("policy-version", "2026-11-01 (draft)", "2026-11-01 (draft)")
	f("no-event-copy", "true", "true")
	f("max-event-bytes", "66 kB", "66000")
	f("admin-address", ":0", ":0")
	f("admin-address", "none", "none")
	f("log-level", "debug", "debug")
	f("log-format", "json", "json")
	for i := range all {
		if !tested[all[i].Name] {
			t.Errorf("%s has no case", all[i].Name)
		}
	}
}

func TestEverySettingFailure(t *testing.T) {
	tested := map[string]bool{"config": true} // see TestMissingFile
	f := func(name, value, why string) {
		t.Helper()
		tested[name] = true
		row := Lookup(name)
		fault := quote(value) + " " + why + "; allowed: " + row.Allowed
		want := map[Source]string{
			FromFlag:        "flag " + row.Flag() + ": " + fault,
			FromEnvironment: "environment " + row.Variable() + ": " + fault,
			FromFile:        "file f.yaml:1:" + strconv.Itoa(len(name)+3) + ": " + name + ": " + fault,
		}
		for source, g := range sourcesOf(row, value) {
			s, err := g.load(t, all)
			if diff := cmp.Diff([]string{want[source]}, lines(err)); diff != "" {
				t.Errorf("%s %q (-want +got):\n%s", name, value, diff)
			}
			if got := s.Origin(name).Source; got != FromDefault {
				t.Errorf("%s %q was taken from source %d", name, value, got)
			}
		}
	}
	f("brokers", "kafka", "is no host:port")
	f("brokers", ":9092", "has no usable host")
	f("brokers", "a b:9092", "has no usable host")
	f("brokers", "a:0", "has no usable port")
	f("brokers", "a:65536", "has no usable port")
	f("brokers", "a:kafka", "has no usable port")
	f("brokers", "kafka://a:9092", "is a URL, not an address")
	f("input-topic", "a b", "has characters that Kafka does not allow")
	f("input-topic", "..", "is reserved")
	f("input-topic", strings.Repeat("x", 250), "is longer than 249 characters")
	f("input-topic-pattern", "a(", "is no regular expression")
	f("alert-topic", "a/b", "has characters that Kafka does not allow")
	f("dead-letter-topic", ".", "is reserved")
	f("create-topics", "yes", "is not known")
	f("create-topics", "True", "is not known, did you mean true?")
	f("partitions", "-1", "is too small")
	f("partitions", "100001", "is too large")
	f("replicas", "3.0", "is no whole number")
	f("group", " a", "begins or ends with a space")
	f("group", "a\x1b]0;x\a", "has characters that cannot be printed")
	f("group", "a\u202eb", "has characters that cannot be printed")
	f("instance-id", "pod 0", "has characters that Kafka does not allow")
	f("instance-id", strings.Repeat("x", 201), "is longer than 200 characters")
	f("start", "newest", "is not known")
	f("start", "lastest", "is not known, did you mean latest?")
	f("start", "2026-11-01", "is not known")
	f("start", "1969-12-31T23:59:59Z", "is before 1970, where Kafka's time begins")
	f("session-timeout", "999ms", "is too short")
	f("rebalance-timeout", "1h0m1s", "is too long")
	f("delivery", "exactly_once", "is not known, did you mean exactly-once?")
	f("sessions", "65", "is too large")
	f("commit-interval", "0", "is too short")
	f("commit-interval", "200", "is no duration")
	f("delivery-timeout", "forever", "is no duration")
	f("transaction-timeout", "16m", "is too long")
	f("drain-timeout", "-1s", "is too short")
	f("max-record-bytes", "1", "is too small")
	f("max-batch-bytes", "99999GiB", "is too large")
	f("max-batch-bytes", "-1GiB", "is too small")
	f("unused-regions", "frankfurt", "does not look like a region")
	f("missing-read-only", "fail", "is not known")
	f("policy-version", "a\tb", "has characters that cannot be printed")
	f("no-event-copy", "1", "is not known")
	f("max-event-bytes", "64 mib", "is no number of bytes")
	f("admin-address", "9464", "is no host:port")
	f("admin-address", "a:http", "has no usable port")
	f("log-level", "warning", "is not known, did you mean warn?")
	f("log-format", "xml", "is not known")
	for i := range all {
		if !tested[all[i].Name] {
			t.Errorf("%s has no case", all[i].Name)
		}
	}
}

func TestPrecedence(t *testing.T) {
	f := func(g given, want string, source Source) {
		t.Helper()
		s, err := g.load(t, all)
		if err != nil {
			t.Fatal(err)
		}
		if s.Group != want || s.Origin("group").Source != source {
			t.Errorf("%+v: got %q from source %d, want %q from %d", g, s.Group, s.Origin("group").Source, want, source)
		}
	}
	flag, variable, file := []string{"--group=flag"}, []string{"REGIONWATCH_GROUP=environment"}, "group: file\n"
	f(given{}, "regionwatch", FromDefault)
	f(given{file: file}, "file", FromFile)
	f(given{file: file, environ: variable}, "environment", FromEnvironment)
	f(given{file: file, environ: variable, args: flag}, "flag", FromFlag)
	f(given{file: file, args: flag}, "flag", FromFlag)
	f(given{environ: []string{"REGIONWATCH_GROUP="}}, "regionwatch", FromDefault)
	f(given{args: []string{"--group=a", "--group=b"}}, "b", FromFlag)
}

// TestListReplaced shows that a list of a stronger source takes the place of a weaker one, and that only
// repeated flags add up.
func TestListReplaced(t *testing.T) {
	s, err := given{
		file:    "brokers: [a:1, b:2]\n",
		environ: []string{"REGIONWATCH_BROKERS=c:3,d:4"},
		args:    []string{"--brokers=e:5", "--brokers", "f:6,g:7"},
	}.load(t, all)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"e:5", "f:6", "g:7"}, s.Brokers); diff != "" {
		t.Errorf("brokers (-want +got):\n%s", diff)
	}
}

func TestAllFaultsAtOnce(t *testing.T) {
	_, err := given{
		file:    "groups: a\nsession-timeout: 1h\n",
		environ: []string{"REGIONWATCH_LOG_LEVEL=loud", "REGIONWATCH_BROKER=a:1", "HOME=/"},
		args:    []string{"--session-timeout=7s", "--delivery=twice", "--brokers=a,b:1,c"},
	}.load(t, all)
	want := []string{
		"file f.yaml:1:1: no such setting: groups, did you mean group?",
		`file f.yaml:2:18: session-timeout: "1h" is too long; allowed: a duration from 1s to 30m`,
		"environment REGIONWATCH_BROKER: no such setting, did you mean REGIONWATCH_BROKERS?",
		`environment REGIONWATCH_LOG_LEVEL: "loud" is not known; allowed: debug, info, warn, error`,
		`flag --brokers: "a" is no host:port; allowed: host:port, several with commas`,
		`flag --brokers: "c" is no host:port; allowed: host:port, several with commas`,
		`flag --delivery: "twice" is not known; allowed: at-least-once, exactly-once`,
	}
	if diff := cmp.Diff(want, lines(err)); diff != "" {
		t.Errorf("mistakes (-want +got):\n%s", diff)
	}
}

func TestRequired(t *testing.T) {
	_, err := Load(Sources{Required: []string{"brokers", "group"}})
	want := []string{"brokers: is required: give flag --brokers, environment REGIONWATCH_BROKERS or file key brokers;" +
		" allowed: host:port, several with commas"}
	if diff := cmp.Diff(want, lines(err)); diff != "" {
		t.Errorf("mistakes (-want +got):\n%s", diff)
	}
	// A value that is there and bad is not missing as well.
	_, err = Load(Sources{Environ: []string{"REGIONWATCH_BROKERS=a"}, Required: []string{"brokers"}})
	if got := lines(err); len(got) != 1 {
		t.Errorf("want one mistake, got %q", got)
	}
}

// TestSecret shows that a secret has no flag and that its value appears nowhere.
func TestSecret(t *testing.T) {
	const value = "hunter2 of the worst kind"
	secret := text(func(s *Settings) *string { return &s.Group }, "text", "up to 249 characters", parseGroup)
	secrets := table{
		{Name: "config", notInFile: true, kind: text(func(s *Settings) *string { return &s.Config }, "file", "", parsePath)},
		{Name: "password", Secret: true, kind: secret},
	}
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	secrets.addFlags(flags)
	if flags.Lookup("password") != nil {
		t.Error("a secret has a flag")
	}
	for _, g := range []given{
		{environ: []string{"REGIONWATCH_PASSWORD=" + value}},
		{file: "password: " + value + "\n"},
	} {
		s, err := g.load(t, secrets)
		if err != nil || s.Group != value {
			t.Fatalf("got %q, %v", s.Group, err)
		}
		if e := s.Effective()[1]; e.Value != "(secret)" {
			t.Errorf("listed as %q", e.Value)
		}
	}
	for _, g := range []given{
		{environ: []string{"REGIONWATCH_PASSWORD=" + value + " "}},
		{file: "password: '" + value + " '\n"},
		{file: "password: [" + value + "]\n"},
		{file: "password: {" + value + ": a}\n"},
		{file: "password: \"" + value + "\n"},
		{file: "passwort: " + value + "\n"},
	} {
		_, err := g.load(t, secrets)
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%+v: %v", g, err)
		}
	}
}

func TestKubernetesVariables(t *testing.T) {
	_, err := Load(Sources{Environ: []string{
		"REGIONWATCH_SERVICE_HOST=10.0.0.1", "REGIONWATCH_SERVICE_PORT=9464", "REGIONWATCH_SERVICE_PORT_METRICS=9464",
		"REGIONWATCH_PORT=tcp://10.0.0.1:9464", "REGIONWATCH_PORT_9464_TCP=tcp://10.0.0.1:9464",
		"REGIONWATCH_PORT_9464_TCP_PROTO=tcp", "REGIONWATCH_PORT_9464_TCP_PORT=9464", "REGIONWATCH_PORT_9464_TCP_ADDR=10.0.0.1",
		"REGIONWATCH_ADMIN_SERVICE_HOST=10.0.0.1", "REGIONWATCH_ADMIN_PORT=tcp://10.0.0.1:9464",
	}})
	if err != nil {
		t.Errorf("variables of a Kubernetes service: %v", err)
	}
	_, err = Load(Sources{Environ: []string{"REGIONWATCH_PORT=9464"}})
	if got := lines(err); len(got) != 1 || !strings.HasPrefix(got[0], "environment REGIONWATCH_PORT: no such setting") {
		t.Errorf("a port that is no service's: %q", got)
	}
	for i := range all {
		if name := all[i].Variable(); fromKubernetes(name, "") {
			t.Errorf("%s would be taken for Kubernetes's", name)
		}
	}
}

func TestPairsFailure(t *testing.T) {
	f := func(want string, args ...string) {
		t.Helper()
		_, err := given{args: args}.load(t, all)
		if diff := cmp.Diff([]string{want}, lines(err)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", args, diff)
		}
	}
	f(`flag --input-topic, flag --alert-topic: input-topic and alert-topic are both "a"; they must differ`,
		"--input-topic=b,a", "--alert-topic=a")
	f(`flag --input-topic, default of dead-letter-topic: input-topic and dead-letter-topic are both "cloudtrail-dead-letters"; they must differ`,
		"--input-topic=cloudtrail-dead-letters")
	f(`flag --alert-topic, flag --dead-letter-topic: alert-topic and dead-letter-topic are both "a"; they must differ`,
		"--alert-topic=a", "--dead-letter-topic=a")
	f("flag --input-topic, flag --input-topic-pattern: input-topic and input-topic-pattern exclude each other; give one of them",
		"--input-topic=a", "--input-topic-pattern=b.*")
	f(`flag --input-topic-pattern, flag --alert-topic: input-topic-pattern "a|b" matches alert-topic "b", which would be read as input; change one of them`,
		"--input-topic-pattern=a|b", "--alert-topic=b")
	f(`flag --input-topic-pattern, flag --dead-letter-topic: input-topic-pattern "a|b" matches dead-letter-topic "b", which would be read as input; change one of them`,
		"--input-topic-pattern=a|b", "--dead-letter-topic=b")
	f("flag --delivery, flag --instance-id: exactly-once needs an instance-id for its transactions; give one, or leave it out and one is made",
		"--delivery=exactly-once", "--instance-id=none")
	f("flag --commit-interval, default of session-timeout: commit-interval 6s must be shorter than session-timeout 6s",
		"--commit-interval=6s")
	f("flag --commit-interval, flag --drain-timeout: commit-interval 3s must be shorter than drain-timeout 2s",
		"--commit-interval=3s", "--drain-timeout=2s")
	f("flag --session-timeout, default of rebalance-timeout: session-timeout 2m must not be longer than rebalance-timeout 1m",
		"--session-timeout=2m")
	f("flag --delivery-timeout, default of rebalance-timeout: delivery-timeout 56s and 5s for a commit must fit into rebalance-timeout 1m",
		"--delivery-timeout=56s")
	f("flag --delivery, flag --commit-interval, flag --transaction-timeout: transaction-timeout 2s must be at least 1s and twice commit-interval 600ms",
		"--delivery=exactly-once", "--transaction-timeout=2s", "--commit-interval=600ms")
	// A bad value is not blamed a second time for what its default would do.
	f(`flag --alert-topic: "a b" has characters that Kafka does not allow; allowed: a topic name of letters, digits, dots, underscores and hyphens`,
		"--alert-topic=a b", "--input-topic=cloudtrail-alerts")
}

func TestPairsSuccess(t *testing.T) {
	f := func(args ...string) *Settings {
		t.Helper()
		s, err := given{args: args}.load(t, all)
		if err != nil {
			t.Errorf("%q: %v", args, err)
		}
		return s
	}
	f("--delivery=at-least-once", "--instance-id=none")
	f("--delivery-timeout=55s")
	f("--transaction-timeout=1s")
	f("--delivery=exactly-once", "--transaction-timeout=3s", "--commit-interval=1s")
	s := f("--input-topic-pattern=cloudtrail")
	if s.InputTopics != nil || s.WholeInputPattern() != "^(?:cloudtrail)$" {
		t.Errorf("topics %q, pattern %q", s.InputTopics, s.WholeInputPattern())
	}
}

// TestBlame shows how a mistake that only another package can find is told like the others.
func TestBlame(t *testing.T) {
	f := func(g given, want ...string) {
		t.Helper()
		s, err := g.load(t, all)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, lines(s.Blame("group", errors.New("first\nsec\x1bond")))); diff != "" {
			t.Errorf("mistakes (-want +got):\n%s", diff)
		}
	}
	f(given{args: []string{"--group=a"}}, "flag --group: first", `flag --group: sec\x1bond`)
	f(given{file: "group: a\n"}, "file f.yaml:1:8: group: first", `file f.yaml:1:8: group: sec\x1bond`)
	f(given{}, "default of group: first", `default of group: sec\x1bond`)
}
