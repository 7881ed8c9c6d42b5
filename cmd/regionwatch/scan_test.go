package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/scan"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares with a file, or updates it.
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
	if status != cli.ExitDone {
		t.Errorf("exit status %d: %s", status, stderr)
	}
	golden(t, "scan.alerts.golden", stdout)
	text, err := os.ReadFile(letters)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "scan.letters.golden", string(text))
	_, summary, _ := strings.Cut(stderr, "\n") // the first line says how long it took
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
	f(cli.ExitDone, "1 alert,", file)
	f(cli.ExitFault, "--fail-on alert: there are 1", file, "--fail-on", "alert,dead-letter")
	f(cli.ExitDone, "1 alert,", file, "--fail-on", "dead-letter")
	f(cli.ExitFault, "--fail-on dead-letter: 2 records", "testdata/scan", "--fail-on", "dead-letter")
	f(cli.ExitDone, "0 alerts", file, "--unused-regions", "ap-east-1")
	f(cli.ExitMistake, "missing: no such file or directory", file, file+"missing")
	f(cli.ExitMistake, "1 alert,", file, file+"missing")
	f(cli.ExitMistake, "no files given")
	f(cli.ExitMistake, "can be given once", "-", "-")
	f(cli.ExitMistake, `"x" is not known; allowed: alert, dead-letter`, file, "--fail-on", "x")
	f(cli.ExitMistake, `did you mean "eu-west-3"`, file, "--unused-regions", "eu-west-33")
	f(cli.ExitMistake, "--dead-letters", file, "--dead-letters", filepath.Join(file, "x"))
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

// TestScanStreams shows that an alert is printed while standard input is still open.
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
	for range 2 { // the second line shows that the first one is complete
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

// A signal ends a scan that is waiting for standard input.
func TestScanStopsWaiting(t *testing.T) {
	cmd := command(t, "scan", "-")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Write([]byte(eventWithID("a") + "\n" + eventWithID("b")[:20])); err != nil {
		t.Fatal(err)
	}
	alerts := bufio.NewReader(out)
	if line, err := alerts.ReadString('\n'); err != nil || !strings.Contains(line, "eu-west-3") {
		t.Errorf("%v: %s", err, line)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	more, err := io.ReadAll(alerts)
	if err != nil || len(more) > 0 {
		t.Errorf("%v: %s", err, more)
	}
	_ = cmd.Wait()
	where := fmt.Sprintf("stopped in - at byte %d of its text", len(explainEventText)-len("(id)")+len("a\n"))
	if status := cmd.ProcessState.ExitCode(); status != 143 || !strings.Contains(stderr.String(), where) || !strings.Contains(stderr.String(), "0 records with dead letters") {
		t.Errorf("exit status %d, want %q in %s", status, where, stderr.String())
	}
}

// A scan does not read its own output and never overwrites an input.
func TestScanRefusesItsOutput(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "event.json"), filepath.Join(dir, "link")
	if err := errors.Join(os.WriteFile(file, []byte(eventWithID("a")), 0o600), os.Symlink(file, link)); err != nil {
		t.Fatal(err)
	}
	f := func(stdout *os.File, want string, args ...string) {
		t.Helper()
		cmd := command(t, append([]string{"scan"}, args...)...)
		cmd.Stdout = stdout
		var stderr strings.Builder
		cmd.Stderr = &stderr
		_ = cmd.Run()
		if status := cmd.ProcessState.ExitCode(); status != cli.ExitMistake || stderr.String() != "regionwatch: "+want+" is one of the files to scan; write to another, outside of folders that are scanned\n" {
			t.Errorf("%q: exit status %d: %s", args, status, stderr.String())
		}
		if text, err := os.ReadFile(file); err != nil || string(text) != eventWithID("a") {
			t.Errorf("%q: %v, the input is now %q", args, err, text)
		}
	}
	out, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	f(nil, "flag --dead-letters: "+file, file, "--dead-letters", file)
	f(nil, "flag --dead-letters: "+file, dir, "--dead-letters", link)
	f(out, "standard output: "+file, dir)
}

// TestScanClosedOutput checks that scan ends quietly when the reader of the alerts closes the pipe. With --fail-on it
// fails, because the answer is unknown.
func TestScanClosedOutput(t *testing.T) {
	f := func(status int, want string, args ...string) {
		t.Helper()
		if gotStatus, got := scanIntoClosedPipe(t, args...); gotStatus != status || got != want {
			t.Errorf("%q: exit status %d: %s", args, gotStatus, got)
		}
	}
	f(cli.ExitDone, "")
	f(cli.ExitFault, "regionwatch: --fail-on alert: the scan did not finish, because the reader of its output has gone\n", "--fail-on", "alert")
}

func scanIntoClosedPipe(t *testing.T, args ...string) (status int, messages string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "events.ndjson")
	const event = `{"eventVersion":"1.11","eventID":"1","awsRegion":"eu-west-3","readOnly":false}` + "\n"
	if err := os.WriteFile(file, []byte(strings.Repeat(event, 50_000)), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := command(t, append([]string{"scan", file}, args...)...)
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
	_ = cmd.Wait() // the exit status tells
	return cmd.ProcessState.ExitCode(), stderr.String()
}

// The summary shows exempted and shadow-mode findings beside what passed, and has a word for events without a name.
func TestScanSummaryOfPolicy(t *testing.T) {
	dir := t.TempDir()
	events, policy := filepath.Join(dir, "events.ndjson"), filepath.Join(dir, "policy.yaml")
	const of = `,"recipientAccountId":"`
	text := eventWithID("a") + "\n" + strings.Replace(eventWithID("b"), `,"awsRegion`, of+`111122223333","awsRegion`, 1) + "\n" +
		strings.Replace(eventWithID("c"), `,"awsRegion`, of+`444455556666","awsRegion`, 1) + "\n" + strings.Replace(eventWithID("d"), "eu-west-3", "us-east-1", 1)
	rules := `{exceptions: [{name: lab, accounts: ["111122223333"]}], accounts: {"444455556666": {mode: shadow, unused_regions: [eu-west-3]}}}`
	if err := errors.Join(os.WriteFile(events, []byte(text), 0o600), os.WriteFile(policy, []byte(rules), 0o600)); err != nil {
		t.Fatal(err)
	}
	_, stderr, status := runCommand(t, "scan", events, "--policy", policy)
	for _, want := range []string{
		"1 alert, 0 of them partial, 0 for failed calls\n1 event exempted by exceptions, 1 finding in shadow mode\n1 event passed (used-region 1)\n",
		"alerts by event        (none)     1\n",
	} {
		if status != cli.ExitDone || !strings.Contains(stderr, want) {
			t.Errorf("exit status %d, %q is not in\n%s", status, want, stderr)
		}
	}
}

// --format ocsf prints the alerts of ndjson as findings.
func TestScanOCSF(t *testing.T) {
	lines := func(format string) []map[string]any {
		stdout, stderr, status := runCommand(t, "scan", "testdata/scan", "--format", format)
		if status != cli.ExitDone {
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

// Alerts as CSV, and a JSON summary with the requested number of rows.
func TestScanForPrograms(t *testing.T) {
	stdout, stderr, status := runCommand(t, "scan", "--format", "csv", "--summary", "json", "--top", "1", "testdata/scan")
	lines := strings.Split(strings.TrimSuffix(stdout, "\n"), "\n")
	if status != cli.ExitDone || lines[0]+"\n" != scan.CSVHeader || len(lines) < 3 {
		t.Errorf("status %d: %s", status, stdout)
	}
	var summary struct {
		Alerts int
		Top    map[string][]struct{ Name string }
	}
	first, _, _ := strings.Cut(stderr, "\n")
	if err := json.Unmarshal([]byte(first), &summary); err != nil || summary.Alerts != len(lines)-1 || len(summary.Top["accounts"]) != 1 {
		t.Errorf("%v: %s", err, stderr)
	}
}

// The alerts of a scan become incidents, in every format that there is of them.
func TestScanIncidents(t *testing.T) {
	for format, want := range map[string]string{"auto": `"kind":"incident"`, "ocsf": `"class_uid":2004`, "table": "SEVERITY"} {
		stdout, stderr, status := runCommand(t, "scan", "testdata/scan", "--incidents", "--format", format)
		if status != cli.ExitDone || !strings.Contains(stdout, want) || !strings.Contains(stderr, " alerts in ") {
			t.Errorf("%s: exit status %d, %s\n%s", format, status, stdout, stderr)
		}
	}
	stdout, stderr, _ := runCommand(t, "scan", "testdata/scan", "--incidents", "--summary", "json")
	first, _, _ := strings.Cut(stderr, "\n")
	var told struct {
		Alerts    uint64
		Incidents *scan.Grouped
	}
	if err := json.Unmarshal([]byte(first), &told); err != nil || told.Incidents == nil {
		t.Fatalf("%v: %s", err, stderr)
	}
	if g := told.Incidents; g.Incidents != strings.Count(stdout, "\n") || g.Alerts != told.Alerts || g.Alerts == 0 || g.Alerts != g.Counted+g.Repeated+g.Below+g.Late {
		t.Errorf("%+v of %d alerts and %d incidents", *g, told.Alerts, strings.Count(stdout, "\n"))
	}
	if _, stderr, status := runCommand(t, "scan", "testdata/scan", "--incidents", "--format", "csv"); status != cli.ExitMistake || !strings.Contains(stderr, "csv is not a format for incidents") {
		t.Errorf("csv: exit status %d, %s", status, stderr)
	}
}

// fullDisk refuses every byte, but not the nothing that a scan without alerts writes.
type fullDisk struct{}

func (fullDisk) Write(b []byte) (int, error) {
	if len(b) > 0 {
		return 0, syscall.ENOSPC
	}
	return 0, nil
}

// A scan without alerts has not written its report if the names of the columns are missing.
func TestScanHeadingFailure(t *testing.T) {
	f, o := scanFlags{format: cli.NewChoice("csv")}, scan.Options{Alerts: fullDisk{}}
	if err := f.setOutput(&o, fullDisk{}, nil, nil)(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("%v, want that the disk is full", err)
	}
}
