package main

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/policies"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/processor/policy/policyfile"
)

// TestSeedCases runs the rule's own three tests as shipped.
func TestSeedCases(t *testing.T) {
	const cases = "../../docs/policy/tests.yaml"
	for _, args := range [][]string{{"--policy", "../../docs/policy/policy.yaml"}, nil} {
		stdout, stderr, status := runCommand(t, append([]string{"policy", "test", cases}, args...)...)
		if status != cli.ExitDone || strings.Count(stdout, "ok    ") != 3 || !strings.Contains(stdout, "3 of 3 cases as expected") {
			t.Errorf("%q: status %d: %s%s", args, status, stdout, stderr)
		}
	}
	stdout, _, status := runCommand(t, "policy", "test", cases, "--unused-regions=ap-east-1")
	const want = "FAIL  Unauthorized region (../../docs/policy/tests.yaml:44)\n      want: an alert\n      got:  no alert: the region is not in unused_regions\n"
	if status != cli.ExitFault || !strings.Contains(stdout, want) {
		t.Errorf("status %d: %s", status, stdout)
	}
}

func TestPolicyTestFailure(t *testing.T) {
	f := func(cases, want string) {
		t.Helper()
		name := writePolicy(t, cases)
		if _, stderr, status := runCommand(t, "policy", "test", name); status != cli.ExitMistake || !strings.Contains(stderr, want) {
			t.Errorf("%s: status %d: %s", cases, status, stderr)
		}
	}
	f("[]x", "invalid YAML")
	f("{}", "the key Tests is missing")
	f("[]", "1:1: the list has no cases") // Guard: an empty file does not pass
	f("Tests: []", "the list has no cases")
	f("[{Name: a, ExpectedResult: true, Outcome: alerted, Log: {}}]", "and not both")
	f("[{Name: a, Outcome: alertet, Log: {}}]", `"alertet" is not one of alerted, exempted,`)
	f("[{Name: a}]", "1:2: a case needs a Log")
	f("[{Name: a, Log: {}}]", "a case needs an ExpectedResult (whether the event alerts) or an Outcome, and not both")
	f("[{Name: a, ExpectedResult: maybe, Log: {}, Extra: 1}]", `a case has no key "Extra"`)
}

func TestPolicyShow(t *testing.T) {
	name := writePolicy(t, `{version: "7", groups: {g: {accounts: ["111111111111"], allowed_regions: [us-east-1]}}, exceptions: [{name: x, groups: [g]}, {name: gone, groups: [g], expires: 2020-01-01}]}`)
	stdout, _, _ := runCommand(t, "policy", "show", "--policy", name, "--account=111111111111", "--format=json")
	var e policy.Effective
	if err := json.Unmarshal([]byte(stdout), &e); err != nil || e.Level != "group g" || !e.AllowList || len(e.Exceptions) != 1 || e.Exceptions[0] != "x" {
		t.Errorf("%v: %s", err, stdout)
	}
	stdout, _, _ = runCommand(t, "policy", "show", "--policy", name)
	if !strings.Contains(stdout, "level               default") || !strings.Contains(stdout, "unused ap-east-1, eu-west-3, eu-central-1") && !strings.Contains(stdout, "unused eu-central-1, eu-west-3, ap-east-1") {
		t.Error(stdout)
	}
	if _, stderr, status := runCommand(t, "policy", "show", "--account=1"); status != cli.ExitMistake || !strings.Contains(stderr, "12 digits") {
		t.Errorf("status %d: %s", status, stderr)
	}
}

// A case may name the outcome. Without one, a finding in shadow mode counts as an alert.
func TestPolicyTestOutcomes(t *testing.T) {
	cases := writePolicy(t, strings.NewReplacer("EVENT", matching, "READING", reading).Replace(
		"- {Name: found, ExpectedResult: true, Log: EVENT}\n- {Name: on trial, Outcome: shadowed, Log: EVENT}\n- {Name: read, Outcome: read-only, Log: READING}\n"))
	shadow := writePolicy(t, "{version: v, mode: shadow, default: {unused_regions: [eu-central-1]}}")
	alerts := writePolicy(t, "{version: v, default: {unused_regions: [eu-central-1]}}")
	stdout, stderr, status := runCommand(t, "policy", "test", cases, "--policy", shadow)
	if status != cli.ExitDone || !strings.Contains(stdout, "3 of 3 cases as expected, under policy v") {
		t.Errorf("status %d: %s%s", status, stdout, stderr)
	}
	stdout, stderr, status = runCommand(t, "policy", "test", cases, "--policy", alerts)
	if status != cli.ExitFault || !strings.Contains(stdout, "want: outcome shadowed\n      got:  outcome alerted: ") || !strings.Contains(stderr, "1 of 3 cases not as expected") {
		t.Errorf("status %d: %s%s", status, stdout, stderr)
	}
	stdout, _, status = runCommand(t, "policy", "test", cases, "--policy", alerts, "--format", "junit")
	var suites struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Suite    struct {
			Cases []struct {
				Name    string    `xml:"name,attr"`
				Failure *struct{} `xml:"failure"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal([]byte(stdout), &suites); err != nil || status != cli.ExitFault || suites.Tests != 3 || suites.Failures != 1 || suites.Suite.Cases[1].Failure == nil {
		t.Errorf("%v, status %d: %s", err, status, stdout)
	}
}

// A case may say how alerts are grouped. What it leaves out is the default, as in a level.
func TestPolicyTestIncidents(t *testing.T) {
	hourly := writePolicy(t, "{version: v, default: {unused_regions: [eu-central-1]}, accounts: {'111111111111': {unused_regions: [eu-central-1], incidents: {window: 1h}}}}")
	f := func(incidents, want string) {
		t.Helper()
		cases := writePolicy(t, "- {Name: grouped, ExpectedResult: true, Incidents: "+incidents+", Log: "+matching+"}\n")
		if stdout, stderr, _ := runCommand(t, "policy", "test", cases, "--policy", hourly); !strings.Contains(stdout+stderr, want) {
			t.Errorf("%s: %s%s", incidents, stdout, stderr)
		}
	}
	f("{window: 1h}", "1 of 1 case as expected")
	f("{}", "want: incidents: window 24h; threshold 1 alerts; ")
	f("{window: 1h, threshold: 2, threshold_of: actions}", "got:  incidents: window 1h; threshold 1 alerts; ")
	f("{windows: 1h}", `Incidents has no key "windows", did you mean window?`)
}

// How alerts are grouped shows where it is not the default, and where it changes.
func TestPolicyIncidents(t *testing.T) {
	name := writePolicy(t, "{default: {allowed_regions: [us-east-1]}, groups: {g: {accounts: ['111111111111'], allowed_regions: [us-east-1], incidents: {window: 1h, threshold: 5}}}}")
	f := func(want bool, text string, args ...string) {
		t.Helper()
		if stdout, stderr, _ := runCommand(t, args...); strings.Contains(stdout, text) != want {
			t.Errorf("%q: contains %q: %t\n%s%s", args, text, !want, stdout, stderr)
		}
	}
	f(false, "incidents", "policy", "show", "--policy", name)
	f(true, "window 1h; threshold 5 alerts; quiet 1h; ", "policy", "show", "--policy", name, "--account", "111111111111")
	f(true, `"incidents":{"window":"24h","threshold":1,"thresholdOf":"alerts",`, "policy", "show", "--policy", name, "--format", "json")
	f(true, "incidents of group g: window 1h; threshold 5 alerts; ", "validate", "--policy", name)
	f(false, "incidents of default", "validate", "--policy", name)
	before := writePolicy(t, "{default: {allowed_regions: [us-east-1]}, groups: {g: {accounts: ['111111111111'], allowed_regions: [us-east-1]}}}")
	f(true, "group g, 1 account:\n  incidents: window 1h, was 24h\n  incidents: threshold 5 alerts, was 1 alerts\n", "policy", "diff", before, name)
}

func TestPolicyDiff(t *testing.T) {
	events := filepath.Join(t.TempDir(), "events.ndjson")
	other := strings.NewReplacer("eu-central-1", "ap-east-1", "e1", "e9").Replace(matching)
	if err := os.WriteFile(events, []byte(matching+"\n"+other+"\n"+matching+"\n"+reading+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := func(before, after string, status int, want ...string) {
		t.Helper()
		stdout, stderr, got := runCommand(t, "policy", "diff", writePolicy(t, before), writePolicy(t, after), "--events", events, "--exit-code")
		if got != status || status == cli.ExitDone && stderr != "" {
			t.Errorf("status %d: %s", got, stderr)
		}
		stdout = regexp.MustCompile(` +(\n| )`).ReplaceAllString(stdout, "$1") // remove the column padding
		for _, w := range want {
			if !strings.Contains(stdout, w) {
				t.Errorf("lacks %q:\n%s", w, stdout)
			}
		}
	}
	f("default: {unused_regions: [eu-central-1]}", "default: {unused_regions: [ap-east-1], severity: Low}", cli.ExitFault,
		"default, all accounts that neither policy names:\n ap-east-1 now unused\n eu-central-1 no longer unused\n severity: Low, was High\n",
		"- silent 2 111111111111 eu-central-1 ", "no alert: the region is not in unused_regions\n",
		"+ alerts 1 111111111111 ap-east-1 ", "alert: ap-east-1 is in unused_regions\n",
		"4 events: 1 newly alert, 2 fall silent\n")
	f("default: {unused_regions: [eu-central-1]}", "default: {allowed_regions: [us-east-1, eu-central-1]}", cli.ExitFault,
		" eu-central-1 no longer unused\n", ", all of aws-cn, ", " list: allowed regions, so new regions are unused, was ")
	f("default: {unused_regions: [eu-central-1]}", "{mode: shadow, default: {unused_regions: [eu-central-1]}}", cli.ExitFault,
		"default, all accounts that neither policy names: mode: shadow, was alert\n", "0 newly alert, 2 fall silent")
	f("version: a", "version: b", cli.ExitDone, "no level changes for any account", "0 newly alert, 0 fall silent")
	const group = "groups: {prod: {accounts: ['111111111111', '222222222222', '333333333333'], unused_regions: [eu-central-1%s]}}"
	f(fmt.Sprintf(group, ", us-west-2"), fmt.Sprintf(group, ""), cli.ExitFault, "group prod, 3 accounts: us-west-2 no longer unused\n")
	f(fmt.Sprintf(group, ""), fmt.Sprintf(group, "")+"\naccounts: {'111111111111': {name: payments, unused_regions: [ap-east-1]}}", cli.ExitFault,
		"account 111111111111 (payments):\n", "- silent 2 ", "+ alerts 1 payments 111111111111 ap-east-1 ")
}

// A damaged event only has a verdict where it alerts; this must not shift the verdicts of other events in its record.
//
// Guard: events are paired by identity, not by position.
func TestPolicyDiffDamaged(t *testing.T) {
	dir := t.TempDir()
	record := "[" + `{"eventID":"e0","eventName":"Odd","awsRegion":"ap-east-1","readOnly":false,"x":}` + "," + strings.Replace(matching, "e1", "e2", 1) + "]"
	if err := os.WriteFile(filepath.Join(dir, "events.json"), []byte(record), 0o600); err != nil {
		t.Fatal(err)
	}
	stdout, _, _ := runCommand(t, "policy", "diff", writePolicy(t, "default: {unused_regions: [ap-east-1]}"), writePolicy(t, "default: {unused_regions: [eu-central-1]}"),
		"--events", dir, "--format", "json")
	var d policies.Diff
	if err := json.Unmarshal([]byte(stdout), &d); err != nil || d.Events == nil {
		t.Fatalf("%v: %s", err, stdout)
	}
	if e := d.Events; e.Alert > 1 || len(e.Groups) == 0 || e.Groups[0].Change == "alert" && e.Groups[0].Region != "eu-central-1" || e.Groups[len(e.Groups)-1].Region != "ap-east-1" {
		t.Errorf("%s", stdout)
	}
}

func TestPolicySchema(t *testing.T) {
	if stdout, _, _ := runCommand(t, "policy", "schema"); stdout != string(policyfile.Schema()) {
		t.Error(stdout)
	}
}

// Service control policies that are several go to a folder, never over a file there.
func TestExportSCPSplit(t *testing.T) {
	var text strings.Builder
	text.WriteString("default: { unused_regions: [ap-east-1, eu-west-3] }\nexceptions:\n")
	for i, region := range []string{"ap-east-1", "eu-west-3"} {
		fmt.Fprintf(&text, "  - name: x%d\n    reason: r\n    owner: o\n    regions: [%s]\n    principals:\n", i, region)
		for j := range 80 {
			fmt.Fprintf(&text, "      - arn:aws:iam::*:role/a-role-with-a-name-%d-%03d\n", i, j)
		}
	}
	file, folder := writePolicy(t, text.String()), filepath.Join(t.TempDir(), "scps")
	if _, stderr, status := runCommand(t, "policy", "export-scp", file); status != cli.ExitMistake || !strings.Contains(stderr, "it takes 2 service control policies") {
		t.Errorf("status %d: %s", status, stderr)
	}
	if stdout, stderr, status := runCommand(t, "policy", "export-scp", file, "--output-dir", folder); status != cli.ExitDone || stdout != "" {
		t.Errorf("status %d: %s", status, stderr)
	}
	back, stderr, status := runCommand(t, "policy", "import-scp", filepath.Join(folder, "scp-1.json"), filepath.Join(folder, "scp-2.json"))
	if status != cli.ExitDone || !strings.Contains(back, "unused_regions: [ap-east-1, eu-west-3]") && !strings.Contains(back, "unused_regions: [eu-west-3, ap-east-1]") {
		t.Errorf("status %d: %s%s", status, back, stderr)
	}
	if _, stderr, status := runCommand(t, "policy", "export-scp", file, "--output-dir", folder); status != cli.ExitMistake || !strings.Contains(stderr, "flag --output-dir: ") {
		t.Errorf("status %d: %s", status, stderr)
	}
}
