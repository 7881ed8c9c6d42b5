package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/regionwatch/regionwatch/scan"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares with a file, or writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s:\n%s", path, diff)
	}
}

func TestScanGolden(t *testing.T) {
	letters := filepath.Join(t.TempDir(), "letters.ndjson")
	stdout, stderr, status := runCommand(t, "scan", "testdata/scan", "--dead-letters", letters, "--policy-version", "test")
	if status != exitDone {
		t.Errorf("exit status %d: %s", status, stderr)
	}
	golden(t, "scan.alerts.golden", stdout)
	text, err := os.ReadFile(letters)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "scan.letters.golden", string(text))
	_, summary, _ := strings.Cut(stderr, "\n") // the first line tells how long it took
	golden(t, "scan.summary.golden", summary)

	table, _, _ := runCommand(t, "scan", "testdata/scan", "--format", "table")
	golden(t, "scan.table.golden", table)
	if strings.ContainsAny(table, "\x1b\u202e") {
		t.Error("an escape sequence of an event reaches the terminal")
	}
}

func TestScanExitStatus(t *testing.T) {
	const event = `{"eventVersion":"1.11","eventID":"1","awsRegion":"eu-west-3","readOnly":false}`
	file := filepath.Join(t.TempDir(), "event.json")
	if err := os.WriteFile(file, []byte(event), 0o600); err != nil {
		t.Fatal(err)
	}
	f := func(want int, text string, args ...string) {
		t.Helper()
		_, stderr, status := runCommand(t, append([]string{"scan"}, args...)...)
		if status != want || !strings.Contains(stderr, text) {
			t.Errorf("%v: exit status %d, want %d; %q is not in\n%s", args, status, want, text, stderr)
		}
	}
	f(exitDone, "1 alerts", file)
	f(exitFault, "--fail-on alert: there are 1", file, "--fail-on", "alert,dead-letter")
	f(exitDone, "1 alerts", file, "--fail-on", "dead-letter")
	f(exitFault, "--fail-on dead-letter: 2 records", "testdata/scan", "--fail-on", "dead-letter")
	f(exitDone, "0 alerts", file, "--unused-regions", "ap-east-1")
	f(exitFault, "missing: no such file or directory", file, file+"missing")
	f(exitFault, "1 alerts", file, file+"missing")
	f(exitMistake, "no files given")
	f(exitMistake, "can be given once", "-", "-")
	f(exitMistake, `"x" is not known; allowed: alert, dead-letter`, file, "--fail-on", "x")
	f(exitMistake, `did you mean "eu-west-3"`, file, "--unused-regions", "eu-west-33")
	f(exitFault, "--dead-letters", file, "--dead-letters", filepath.Join(file, "x"))
}

func TestScanStdin(t *testing.T) {
	cmd := command(t, "scan", "-")
	cmd.Stdin = strings.NewReader("{\"eventVersion\":\"1.11\",\"eventID\":\"1\",\"awsRegion\":\"eu-west-3\",\n\"readOnly\":false}\n")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var a struct {
		EventID string
		Origin  struct{ File string }
	}
	if err := json.Unmarshal(out, &a); err != nil || a.EventID != "1" || a.Origin.File != scan.Stdin {
		t.Errorf("%v: %s", err, out)
	}
}

// TestScanStreams shows that an alert comes out while standard input is still open.
func TestScanStreams(t *testing.T) {
	cmd := command(t, "scan", "-")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	const event = `{"eventVersion":"1.11","eventID":"1","awsRegion":"eu-west-3","readOnly":false}` + "\n"
	for range 2 { // the second line shows that the first one is whole
		if _, err := in.Write([]byte(event)); err != nil {
			t.Fatal(err)
		}
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || !strings.Contains(line, "eu-west-3") {
		t.Errorf("%v: %s", err, line)
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// TestScanClosedOutput ends quietly when whoever reads the alerts has had enough.
func TestScanClosedOutput(t *testing.T) {
	file := filepath.Join(t.TempDir(), "events.ndjson")
	const event = `{"eventVersion":"1.11","eventID":"1","awsRegion":"eu-west-3","readOnly":false}` + "\n"
	if err := os.WriteFile(file, []byte(strings.Repeat(event, 50_000)), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := command(t, "scan", file)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Error(err)
	}
	if err := out.Close(); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil || stderr.String() != "" {
		t.Errorf("%v: %s", err, stderr.String())
	}
}

// The alerts of --format ocsf are those of ndjson, as findings.
func TestScanOCSF(t *testing.T) {
	lines := func(format string) []map[string]any {
		stdout, stderr, status := runCommand(t, "scan", "testdata/scan", "--format", format)
		if status != exitDone {
			t.Fatalf("exit status %d: %s", status, stderr)
		}
		var out []map[string]any
		for line := range strings.Lines(stdout) {
			var v map[string]any
			if err := json.Unmarshal([]byte(line), &v); err != nil {
				t.Fatalf("%v in %s", err, line)
			}
			out = append(out, v)
		}
		return out
	}
	native, findings := lines("ndjson"), lines("ocsf")
	if len(native) == 0 || len(native) != len(findings) {
		t.Fatalf("%d alerts, %d findings", len(native), len(findings))
	}
	for i, f := range findings {
		if info, _ := f["finding_info"].(map[string]any); f["class_uid"] != 2004.0 || info["uid"] != native[i]["id"] {
			t.Errorf("finding %d is %v, want that of alert %v", i, f, native[i]["id"])
		}
	}
}
