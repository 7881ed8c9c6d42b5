package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/processor/processortest"
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
		"no such file":                     {".", "--organization", "nowhere"},
		"flag --from: it is for topics":    {".", "--from", "1d"},
		"flag --input-topic: it is for":    {".", "--input-topic", "x"},
		"flag --snapshot: it is for files": {"--input-topic", "x", "--snapshot", "y"},
		"brokers: is required":             {"--input-topic", "x"},
		"--max-groups":                     {".", "--max-groups", "-1"},
	} {
		if _, stderr, status := runCommand(t, append([]string{"policy", "learn"}, args...)...); status != cli.ExitMistake || !strings.Contains(stderr, want) {
			t.Errorf("%q: status %d: %s", args, status, stderr)
		}
	}
}

// A topic teaches what a file with its committed records does: none of an aborted or open transaction, none that was
// deleted or is older than --from. No group is left behind.
//
// Guards: kgo.ReadCommitted in deadletters; topicLesson.add compares times.
func TestPolicyLearnFromTopic(t *testing.T) {
	c := processortest.New(t, kfake.SeedTopics(2, "trail"))
	now, kept := time.Now(), &strings.Builder{}
	record := func(i int, age time.Duration) *kgo.Record {
		event := fmt.Sprintf(`{"eventVersion":"1.08","awsRegion":"eu-west-1","readOnly":false,"eventTime":"2026-0%d-01T00:00:00Z","eventSource":"s3.amazonaws.com","recipientAccountId":"%012d",`+
			`"userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::1:user/u%d"}}`, 1+i%9, i%20, i%3)
		return &kgo.Record{Topic: "trail", Partition: int32(i % 2), Value: []byte(event), Timestamp: now.Add(-age)}
	}
	keep := func(r *kgo.Record) *kgo.Record { _, _ = kept.Write(append(r.Value, '\n')); return r }
	c.Produce(record(900, 48*time.Hour), record(901, 48*time.Hour))
	var middle []*kgo.Record
	for i := range 700 {
		middle = append(middle, keep(record(i, time.Hour)))
	}
	c.Produce(middle...)
	c.Produce(record(902, 48*time.Hour), record(903, 48*time.Hour)) // out of order
	inTransaction := func(id string, end func(*kgo.Client), records ...*kgo.Record) {
		client := c.Client(kgo.TransactionalID(id), kgo.RecordPartitioner(kgo.ManualPartitioner()))
		if err := errors.Join(client.BeginTransaction(), client.ProduceSync(t.Context(), records...).FirstErr()); err != nil {
			t.Fatal(err)
		}
		end(client)
	}
	ended := func(commit kgo.TransactionEndTry) func(*kgo.Client) {
		return func(client *kgo.Client) {
			if err := client.EndTransaction(t.Context(), commit); err != nil {
				t.Error(err)
			}
		}
	}
	inTransaction("committed", ended(kgo.TryCommit), keep(record(1, 0)), keep(record(2, 0)))
	inTransaction("aborted", ended(kgo.TryAbort), record(904, 0), record(905, 0))
	inTransaction("open", func(*kgo.Client) {}, record(906, 0), record(907, 0))

	file := filepath.Join(t.TempDir(), "events.ndjson")
	if err := os.WriteFile(file, []byte(kept.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	body := func(draft string) string { _, rest, _ := strings.Cut(draft, "\n"); return rest } // without its source
	want, _, _ := runCommand(t, "policy", "learn", file)
	got, stderr, status := runCommand(t, "policy", "learn", "--brokers", strings.Join(c.ListenAddrs(), ","), "--input-topic", "trail", "--from", "1d")
	if status != cli.ExitDone || !strings.HasPrefix(got, "# Drafted by regionwatch policy learn from topic trail from 20") || !strings.Contains(stderr, "702 records with 702 events of 20 accounts") {
		t.Fatalf("status %d: %s%s", status, got, stderr)
	}
	if diff := cmp.Diff(body(want), body(got)); diff != "" {
		t.Error(diff)
	}
	if groups, err := kadm.NewClient(c.Client()).ListGroups(t.Context()); err != nil || len(groups) > 0 {
		t.Errorf("%v, groups %v", err, groups)
	}
	if _, stderr, status := runCommand(t, "policy", "learn", "--brokers", strings.Join(c.ListenAddrs(), ","), "--input-topic", "none"); status != cli.ExitMistake || !strings.Contains(stderr, `topic "none": no such topic`) {
		t.Errorf("status %d: %s", status, stderr)
	}
}
