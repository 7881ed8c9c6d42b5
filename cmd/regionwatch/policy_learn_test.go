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

// A second run with the same snapshot reads only what is new, and drafts the same policy.
func TestPolicyLearnSnapshot(t *testing.T) {
	logs := filepath.Join(t.TempDir(), "logs")
	if _, stderr, status := runCommand(t, "generate", "--count", "50", "--output-dir", logs); status != cli.ExitDone {
		t.Fatal(stderr)
	}
	snapshot := filepath.Join(t.TempDir(), "snapshot")
	first, stderr, status := runCommand(t, "policy", "learn", logs, "--snapshot", snapshot)
	if status != cli.ExitDone {
		t.Fatal(stderr)
	}
	second, stderr, status := runCommand(t, "policy", "learn", logs, "--snapshot", snapshot)
	if status != cli.ExitDone || second != first || !strings.Contains(stderr, "50 of 50 files known from ") || !strings.Contains(stderr, "50 files with 50 events") {
		t.Errorf("status %d: %s", status, stderr)
	}
	if _, stderr, status := runCommand(t, "policy", "learn", "-", "--snapshot", snapshot); status != cli.ExitMistake || !strings.Contains(stderr, "flag --snapshot: - is a stream") {
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
