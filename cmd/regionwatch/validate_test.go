package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/regionwatch/regionwatch/internal/cli"
)

// writePolicy writes a policy into a new folder and returns the file's name.
func writePolicy(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestValidatePolicy(t *testing.T) {
	const fine = "default: { allowed_regions: [us-east-1] }\ngroups: { sandbox: { accounts: ['111111111111'], allowed_regions: [us-east-1, us-west-2], mode: shadow, severity: Low } }\n" +
		"accounts: { '222222222222': { unused_regions: [ap-east-1, ap-northeast-1, ap-northeast-2, ap-northeast-3, ap-south-1, ap-southeast-1, ap-southeast-2, ca-central-1, eu-central-1, eu-north-1, eu-west-1, eu-west-2, eu-west-3, sa-east-1, us-east-2, us-west-1, us-west-2, ap-east-2, ap-southeast-6, ap-southeast-7, mx-central-1, me-west-1, sa-west-1, us-east-1, af-south-1, ap-south-2, ap-southeast-3, ap-southeast-4, ap-southeast-5, ca-west-1, eu-central-2, eu-south-1, eu-south-2, il-central-1, me-central-1, me-south-1] } }\n"
	f := func(policy string, status int, stdout, stderr string, args ...string) {
		t.Helper()
		args = append([]string{"validate", "--policy", writePolicy(t, policy)}, args...)
		gotOut, gotErr, got := runCommand(t, args...)
		if got != status || !strings.Contains(strings.Join(strings.Fields(gotOut), " "), stdout) || !strings.Contains(gotErr, stderr) || stderr == "" && gotErr != "" {
			t.Errorf("%q: status %d\n%s\n%s", args, got, gotOut, gotErr)
		}
	}
	f(fine, cli.ExitDone, "LEVEL ACCOUNTS REGIONS SEVERITY MODE default 0 and all others all unused but us-east-1 High alert "+
		"group sandbox 1 all unused but us-east-1, us-west-2 Low shadow accounts on their own 1 each its own - -", "")
	f(fine, cli.ExitDone, "us-west-2 1 yes", "", "--strict")
	f("default: { unused_regions: [ap-east-1] }", cli.ExitDone, "policy version sha256:", "policy.yaml:1:28: regions it does not list count as in use: 17 enabled in every account (ap-northeast-1, ap-northeast-2, ap-northeast-3 and 14 more), ")
	f("default: { unused_regions: [ap-east-1] }", cli.ExitMistake, "", "--strict treats them as mistakes", "--strict")
	f("default: { unused_region: [ap-east-1] }", cli.ExitMistake, "", `policy.yaml:1:12: default has no key "unused_region", did you mean unused_regions?`)
	f("default: {}", cli.ExitMistake, "", "policy and unused-regions are both given", "--unused-regions=ap-east-1")
	f("default: { unused_region: [ap-east-1] }", cli.ExitMistake, "", "regionwatch: flag --delivery: \"x\" is unknown; allowed: at-least-once, exactly-once\nregionwatch: ", "--delivery=x")
	f("default: { unused_region: [ap-east-1] }", cli.ExitMistake, `"faults":["`, "did you mean unused_regions?", "--format=json")

	// The verdict comes first, expiring exceptions show their owner, and settings appear only on request.
	const expiring = "default: {allowed_regions: [us-east-1]}\nexceptions: [{name: lab, reason: r, owner: lab@example.com, regions: [eu-west-3], expires: 2026-01-31}]"
	f(expiring, cli.ExitDone, "valid, with 1 warning policy version sha256:", "warning: ")
	f(expiring, cli.ExitDone, "EXCEPTION OWNER EXPIRES lab lab@example.com 2026-01-31T", "warning: ")
	f(fine, cli.ExitDone, "SETTING VALUE FROM brokers ", "", "--settings")
	if stdout, _, _ := runCommand(t, "validate", "--policy", writePolicy(t, fine)); !strings.HasPrefix(stdout, "file ") || strings.Contains(stdout, "unused-regions") {
		t.Errorf("the answer is not first, or settings show:\n%s", stdout)
	}

	stdout, _, _ := runCommand(t, "validate", "--format=json", "--policy", writePolicy(t, fine))
	var v validated
	if err := json.Unmarshal([]byte(stdout), &v); err != nil || len(v.Summary.Levels) != 3 || v.Hash != v.Policy || len(v.Warnings) != 0 {
		t.Errorf("%v: %s", err, stdout)
	}
}

// The policy file decides in scan and explain, and mistakes in it end them.
func TestScanByPolicyFile(t *testing.T) {
	events := filepath.Join(t.TempDir(), "events.json")
	if err := os.WriteFile(events, []byte(matching), 0o600); err != nil {
		t.Fatal(err)
	}
	f := func(policy string, status int, want string) {
		t.Helper()
		name := writePolicy(t, policy)
		stdout, stderr, got := runCommand(t, "scan", events, "--policy", name)
		if got != status || !strings.Contains(stdout, want) || want == "" && stdout != "" {
			t.Errorf("%s: status %d: %s%s", policy, got, stdout, stderr)
		}
	}
	f(`{version: "7", accounts: {"111111111111": {name: payments, unused_regions: [eu-central-1], severity: Critical}}}`, cli.ExitDone,
		`"level":"account 111111111111","reason":"eu-central-1 is in unused_regions","account":{"name":"payments"}}`)
	f(`{exceptions: [{name: x, accounts: ["111111111111"]}]}`, cli.ExitDone, "")
	f(`{exceptions: [{name: x, accounts: ["111111111111"], expires: 2020-01-01}]}`, cli.ExitDone, `"awsRegion":"eu-central-1"`)
	f(`{exceptions: [{name: x}]}`, cli.ExitMistake, "")
}
