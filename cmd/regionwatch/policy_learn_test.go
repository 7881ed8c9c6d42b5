package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/regionwatch/regionwatch/internal/cli"
)

// The draft is a policy, and the evidence is never written over a file.
func TestPolicyLearn(t *testing.T) {
	logs := filepath.Join(t.TempDir(), "logs.ndjson")
	if _, stderr, status := runCommand(t, "generate", "--count", "200", "--shape", "event", "--output-dir", logs); status != cli.ExitDone {
		t.Fatal(stderr)
	}
	evidence := filepath.Join(t.TempDir(), "evidence.csv")
	draft, stderr, status := runCommand(t, "policy", "learn", logs, "--evidence", evidence)
	if status != cli.ExitDone || !strings.Contains(stderr, "200 events of 3 accounts") || !strings.Contains(draft, "REVIEW (recent, one-day") {
		t.Fatalf("status %d: %s%s", status, draft, stderr)
	}
	if _, stderr, status := runCommand(t, "validate", "--policy", writePolicy(t, draft)); status != cli.ExitDone {
		t.Errorf("status %d: %s", status, stderr)
	}
	before, err := os.ReadFile(evidence)
	if err != nil || !strings.HasPrefix(string(before), "account,name,ou,region,verdict") {
		t.Errorf("%v: %s", err, before)
	}
	if _, stderr, status := runCommand(t, "policy", "learn", logs, "--evidence", evidence); status != cli.ExitMistake || !strings.Contains(stderr, "flag --evidence: ") {
		t.Errorf("status %d: %s", status, stderr)
	}
}

func TestPolicyLearnMistakes(t *testing.T) {
	organization := writePolicy(t, "id,name\n")
	for want, args := range map[string][]string{
		"no files given": {},
		`flag --evidence: "x.txt" ends in neither .csv nor .ndjson`:    {".", "--evidence", "x.txt"},
		`"id" is not a column, or is listed twice; want account, name`: {".", "--organization", organization},
		"no such file": {".", "--organization", "nowhere"},
		"--max-groups": {".", "--max-groups", "-1"},
	} {
		if _, stderr, status := runCommand(t, append([]string{"policy", "learn"}, args...)...); status != cli.ExitMistake || !strings.Contains(stderr, want) {
			t.Errorf("%q: status %d: %s", args, status, stderr)
		}
	}
}
