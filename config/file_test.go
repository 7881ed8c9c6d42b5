package config

import (
	"errors"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
)

// TestFileFailure has a case for each file of testdata that is not good: conf.<what-is-wrong>.yaml.
func TestFileFailure(t *testing.T) {
	tested := map[string]bool{"good": true, "empty": true, "only-comments": true}
	f := func(name string, want ...string) {
		t.Helper()
		tested[name] = true
		file := "testdata/conf." + name + ".yaml"
		_, err := Load(Sources{Environ: []string{"REGIONWATCH_CONFIG=" + file}})
		if err == nil {
			t.Errorf("%s: no mistake found", name)
			return
		}
		for i := range want {
			want[i] = strings.ReplaceAll(want[i], "@", "file "+file)
		}
		if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	group, topic := Lookup("group").Allowed, Lookup("alert-topic").Allowed
	const brokers = "host:port, several with commas"
	f("anchor", "@:1:1: group: want one value; allowed: "+group, "@:2:1: alert-topic: want one value; allowed: "+topic)
	f("bad-values",
		`@:1:11: delivery: "exactly" is unknown, did you mean exactly-once? Allowed: at-least-once, exactly-once`,
		`@:2:18: session-timeout: "1ms" is too short; allowed: a duration from 1s to 30m`,
		`@:3:13: partitions: "many" is not a whole number; allowed: a number from 0 to 100000`,
		`@:4:16: create-topics: "yes" is unknown; allowed: false, true`,
		`@:7:5: brokers: "b" is not host:port; allowed: `+brokers,
		`@:8:5: brokers: "c:0" has no usable port; allowed: `+brokers)
	f("config-in-file", "@:1:1: config cannot be set in a file; use the flag or the variable")
	f("duplicate-key", "@:3:1: group is already set in line 1")
	f("duplicate-over-documents", "@:3:1: a second document; want all settings in one")
	f("empty-list", "@:1:17: unused-regions: the list is empty; allowed: "+Lookup("unused-regions").Allowed)
	f("escape-sequence", `@:1:8: group: "a\x1bb" has unprintable characters; allowed: `+group)
	f("list-for-one-value", "@:1:1: group: want one value; allowed: "+group)
	f("list-of-lists", "@:1:1: brokers: want one value or a list of them; allowed: "+brokers)
	f("merge-key", "@:1:1: no such setting: <<")
	f("nested-mapping", "@:1:1: group: want one value; allowed: "+group)
	f("not-a-mapping", "@:1:1: want settings, one `name: value` a line")
	f("null-value", "@:1:1: group: has no value; allowed: "+group, "@:2:1: brokers: has no value; allowed: "+brokers)
	f("pairs",
		`@:1:14, @:2:20: alert-topic and dead-letter-topic are both "same"; they must differ`,
		"@:3:19, default of rebalance-timeout: delivery-timeout 2m and 5s for a commit must fit into rebalance-timeout 1m")
	f("scalar", "@:1:1: want settings, one `name: value` a line")
	f("several-documents", "@:3:1: a second document; want all settings in one")
	f("syntax", "@:3:10: invalid YAML: did not find expected ',' or ']'")
	f("deep", "@:2:1: invalid YAML: did not find expected node content")
	f("tab", `@:2:1: invalid YAML: the line begins with a tab; indent it with spaces`)
	f("tag", "@:1:1: group: want one value; allowed: "+group)
	f("unknown-key", "@:2:1: no such setting: alert_topics, did you mean alert_topic?", "@:3:1: no such setting: zzzzzz")

	files, err := filepath.Glob("testdata/conf.*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no files in testdata", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "conf."), ".yaml")
		if !tested[name] {
			t.Errorf("%s has no case", file)
		}
	}
}

func TestFileSuccess(t *testing.T) {
	s, err := Load(Sources{Environ: []string{"REGIONWATCH_CONFIG=testdata/conf.good.yaml"}})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, e := range s.Effective() {
		if e.Origin.Source == FromFile {
			got[e.Setting.Name] = e.Value
		}
	}
	want := map[string]string{
		"brokers": "kafka-1:9092,kafka-2:9092", "input-topic": "trail-a,trail-b", "create-topics": "true",
		"partitions": "12", "delivery": "exactly-once", "start": "2026-11-01T00:00:00Z", "session-timeout": "10s",
		"max-event-bytes": "32MiB", "unused-regions": "ap-east-1,eu-west-3", "missing-read-only": "alert",
		"policy-version": "1.10",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings of the file (-want +got):\n%s", diff)
	}
	if got := s.Origin("brokers").String(); got != "file testdata/conf.good.yaml:2:10" {
		t.Errorf("origin of brokers: %s", got)
	}
	for _, name := range []string{"empty", "only-comments"} {
		if _, err := Load(Sources{Environ: []string{"REGIONWATCH_CONFIG=testdata/conf." + name + ".yaml"}}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A key may be spelled with hyphens, as the flag is. That is a warning: files have one spelling.
func TestKeySpelledAsFlag(t *testing.T) {
	file := filepath.Join(t.TempDir(), "settings.yaml")
	if err := os.WriteFile(file, []byte("brokers: a:1\ninput-topic: trail\nalert_topic: alerts\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Load(Sources{Environ: []string{"REGIONWATCH_CONFIG=" + file}})
	if err != nil || s.InputTopics[0] != "trail" || s.AlertTopic != "alerts" {
		t.Errorf("input %q, alerts %q, %v", s.InputTopics, s.AlertTopic, err)
	}
	want := []string{"file " + file + ":2:1: input-topic is spelled input_topic in files, as the policy's keys are"}
	if diff := cmp.Diff(want, s.Warnings()); diff != "" {
		t.Error(diff)
	}
	if err := os.WriteFile(file, []byte("input-topic: trail\ninput_topic: trail\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Load(Sources{Environ: []string{"REGIONWATCH_CONFIG=" + file}})
	if want := "file " + file + ":2:1: input_topic is already set in line 1"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestMissingFile(t *testing.T) {
	f := func(want string, g given) {
		t.Helper()
		_, err := g.load(t, all)
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	f(`flag --config: reading testdata/nothing: no such file or directory`, given{args: []string{"--config=testdata/nothing"}})
	f(`environment REGIONWATCH_CONFIG: reading testdata: is a directory`, given{environ: []string{"REGIONWATCH_CONFIG=testdata"}})
	full := filepath.Join(t.TempDir(), "full")
	if err := os.WriteFile(full, []byte("group: a\n#"+strings.Repeat("x", maxFileBytes-10)), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := (given{args: []string{"--config=" + full}}).load(t, all); err != nil || s.Group != "a" {
		t.Errorf("a file of exactly %d bytes: group %q, %v", maxFileBytes, s.Group, err)
	}
	large := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(large, make([]byte, maxFileBytes+1), 0o600); err != nil {
		t.Fatal(err)
	}
	f(`flag --config: reading `+large+`: it is larger than 1MiB`, given{args: []string{"--config=" + large}})
}

// What stands in a document before a fault of syntax is not taken either.
func TestFileOfBadSyntax(t *testing.T) {
	s, err := given{file: "group: a\n---\n["}.load(t, all)
	if err == nil || s.Group != "regionwatch" {
		t.Errorf("group %q, %v", s.Group, err)
	}
	for line, want := range []bool{false, true, false, true, false} { // the parser's place may be outside the file
		if got := beginsWithTab([]byte("\ta\nb\n \tc"), line); got != want {
			t.Errorf("line %d: %t", line, got)
		}
	}
	if err := cause(errors.ErrUnsupported); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("%v", err)
	}
}

// A file that is read again and again is closed each time.
func TestFileCloses(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // garbage collection would close forgotten files
	descriptors := func() int {
		if _, err := readBounded("testdata/conf.good.yaml"); err != nil {
			t.Error(err)
		}
		open, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("needs /proc")
		}
		return len(open)
	}
	if before, after := descriptors(), descriptors(); after > before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

// FuzzLoad reads any bytes as a settings file. It must end, and each mistake must be one printable line
// that says where. What is accepted must survive being written as variables and read again.
func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("testdata/conf.*.yaml")
	if err != nil || len(files) == 0 {
		f.Fatal("no files in testdata", err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(source)
	}
	f.Fuzz(func(t *testing.T, source []byte) {
		r := all.fromYAML("f.yaml", source)
		for _, fault := range r.faults {
			checkLine(t, fault.Error())
		}
		l := loader{Settings: &Settings{origins: map[string]Origin{}, table: all}, bad: map[string]bool{}}
		l.defaults(all)
		l.apply(r.found)
		for _, fault := range l.faults {
			checkLine(t, fault.Error())
		}
		var environ []string
		for _, e := range l.Effective() {
			if e.Setting.Name != "config" {
				environ = append(environ, e.Setting.Variable()+"="+e.Value)
			}
		}
		again := loader{Settings: &Settings{origins: map[string]Origin{}, table: all}, bad: map[string]bool{}}
		again.defaults(all)
		variables, unknown := all.fromEnvironment(environ)
		again.apply(variables)
		if len(unknown) > 0 || len(again.faults) > 0 {
			t.Fatalf("accepted values are refused as variables: %v %v", unknown, again.faults)
		}
		for i := range all {
			if got, want := all[i].get(again.Settings), all[i].get(l.Settings); got != want {
				t.Errorf("%s: %q became %q", all[i].Name, want, got)
			}
		}
	})
}

func checkLine(t *testing.T, line string) {
	t.Helper()
	if !strings.HasPrefix(line, "file f.yaml") {
		t.Errorf("no place: %q", line)
	}
	if strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Errorf("not printable: %q", line)
	}
}
