package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/processor/policy/policyfile"
)

// TestSeedCases runs the rule's own three tests as they are shipped.
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
	f("[]x", "no YAML")
	f("{}", "there is no key Tests")
	f("[{Name: a}]", "1:2: a case needs a Log")
	f("[{Name: a, Log: {}}]", "a case needs an ExpectedResult")
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
	if !strings.Contains(stdout, "default, which holds whole") || !strings.Contains(stdout, "unused ap-east-1, eu-west-3, eu-central-1") && !strings.Contains(stdout, "unused eu-central-1, eu-west-3, ap-east-1") {
		t.Error(stdout)
	}
	if _, stderr, status := runCommand(t, "policy", "show", "--account=1"); status != cli.ExitMistake || !strings.Contains(stderr, "12 digits") {
		t.Errorf("status %d: %s", status, stderr)
	}
}

func TestPolicyDiff(t *testing.T) {
	events := filepath.Join(t.TempDir(), "events.ndjson")
	other := strings.NewReplacer("eu-central-1", "ap-east-1", "e1", "e9").Replace(matching)
	if err := os.WriteFile(events, []byte(matching+"\n"+other+"\n"+reading+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := func(before, after string, want ...string) {
		t.Helper()
		stdout, stderr, status := runCommand(t, "policy", "diff", writePolicy(t, before), writePolicy(t, after), "--events", events)
		if status != cli.ExitDone || stderr != "" {
			t.Errorf("status %d: %s", status, stderr)
		}
		for _, w := range want {
			if !strings.Contains(stdout, w) {
				t.Errorf("lacks %q:\n%s", w, stdout)
			}
		}
	}
	f("default: {unused_regions: [eu-central-1]}", "default: {unused_regions: [ap-east-1], severity: Low}",
		"all accounts that neither names\n  + unused: ap-east-1\n  - unused: eu-central-1\n  ~ severity: Low, was High\n",
		"- silent: account 111111111111, region eu-central-1, event e1: no alert: the region is not in unused_regions\n",
		"+ alerts: account 111111111111, region ap-east-1, event e9: alert: ap-east-1 is in unused_regions\n",
		"3 events: 1 newly alert, 1 fall silent\n")
	f("default: {unused_regions: [eu-central-1]}", "default: {allowed_regions: [us-east-1, eu-central-1]}",
		"  - unused: eu-central-1\n", ", all of aws-cn, ", "~ list: allowed regions, all new ones are unused")
	f("default: {unused_regions: [eu-central-1]}", "{mode: shadow, default: {unused_regions: [eu-central-1]}}", "~ shadow: true, was false", "0 newly alert, 1 fall silent")
	f("version: a", "version: b", "no account is decided otherwise", "0 newly alert, 0 fall silent")
}

func TestPolicySchema(t *testing.T) {
	if stdout, _, _ := runCommand(t, "policy", "schema"); stdout != string(policyfile.Schema()) {
		t.Error(stdout)
	}
}
