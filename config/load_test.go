package config

import (
	"errors"
	"os"
	"path/filepath"
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
		`environment REGIONWATCH_LOG_LEVEL: "loud" is unknown; allowed: debug, info, warn, error`,
		`flag --brokers: "a" is not host:port; allowed: host:port, several with commas`,
		`flag --brokers: "c" is not host:port; allowed: host:port, several with commas`,
		`flag --delivery: "twice" is unknown; allowed: at-least-once, exactly-once`,
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

// TestBlame shows that a mistake found by another package is reported like the others.
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
