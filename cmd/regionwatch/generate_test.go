package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/internal/generate"
	"github.com/regionwatch/regionwatch/processor/processortest"
)

// readTruth reads a file written by --truth.
func readTruth(t *testing.T, file string) generate.Truth {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var got generate.Truth
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestGenerateToStdout(t *testing.T) {
	args := []string{"generate", "--count", "50", "--match-share", "0.5", "--shape", "event,records"}
	first, stderr, status := runCommand(t, args...)
	second, _, _ := runCommand(t, args...)
	if status != cli.ExitDone || first != second {
		t.Fatalf("exit status %d, same output %v: %s", status, first == second, stderr)
	}
	lines := strings.Split(strings.TrimSuffix(first, "\n"), "\n")
	for _, line := range lines {
		if !json.Valid([]byte(line)) {
			t.Fatalf("not JSON: %s", line)
		}
	}
	if len(lines) != 50 || !strings.HasPrefix(stderr, "50 records, ") {
		t.Errorf("%d lines: %s", len(lines), stderr)
	}
}

// TestGenerateAndScan shows that scan finds in a folder exactly what generate says it must.
func TestGenerateAndScan(t *testing.T) {
	dir := t.TempDir()
	made, truthFile := filepath.Join(dir, "made"), filepath.Join(dir, "truth.json")
	_, stderr, status := runCommand(t, "generate", "--count", "200", "--match-share", "0.4", "--damaged-share", "0.3",
		"--shape", "event,gzip+event,records,gzip+records,array,ndjson,gzip+ndjson,sqs+sns+records,lambda-kinesis,zstd+cloudwatch-logs,lz4+firehose,snappy+shipper", "--output-dir", made, "--truth", truthFile)
	if status != cli.ExitDone {
		t.Fatal(stderr)
	}
	want := readTruth(t, truthFile)
	letters := filepath.Join(dir, "letters")
	stdout, stderr, _ := runCommand(t, "scan", made, "--dead-letters", letters)
	lost, err := os.ReadFile(letters)
	if err != nil {
		t.Fatal(err)
	}
	got := generate.Truth{
		Records: 200, Written: 200, Bytes: want.Bytes, Events: want.Events, InvalidUTF8: want.InvalidUTF8, UnusedRegions: want.UnusedRegions,
		Alerts: uint64(strings.Count(stdout, "\n")), PartialAlerts: uint64(strings.Count(stdout, `"partial":true`)),
		DeadLettered: uint64(strings.Count(string(lost), "\n")),
	}
	if diff := cmp.Diff(want, got); diff != "" || want.PartialAlerts == 0 || want.DeadLettered == 0 {
		t.Errorf("%s\n%s", diff, stderr)
	}
	if events := fmt.Sprintf("%s events,", display.Number(want.Events+want.PartialAlerts)); !strings.Contains(stderr, events) {
		t.Errorf("%q is not in\n%s", events, stderr)
	}
}

// TestGenerateWriteError checks that a failed write to standard output is reported once, and that nothing unwritten counts.
func TestGenerateWriteError(t *testing.T) {
	readOnly, err := os.Open("testdata/scan/mixed.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	defer readOnly.Close()
	for _, count := range []string{"10", "1000"} { // less than the buffer, and more
		cmd := command(t, "generate", "--count", count)
		var stderr strings.Builder
		cmd.Stdout, cmd.Stderr = readOnly, &stderr
		_ = cmd.Run()
		if got := stderr.String(); cmd.ProcessState.ExitCode() != cli.ExitFault || strings.Count(got, "regionwatch: writing records: write /dev/stdout: ") != 1 || strings.Count(got, "regionwatch: ") != 1 || !strings.HasPrefix(got, "0 records, ") {
			t.Errorf("exit status %d: %s", cmd.ProcessState.ExitCode(), got)
		}
	}
}

// TestGenerateLinesAndScan does the same over a pipe, where records are lines.
func TestGenerateLinesAndScan(t *testing.T) {
	for _, shape := range []string{"event", "records", "string", "base64", "base64+gzip+records", "array,base64,sns", "lookup-events,ndjson"} {
		truthFile := filepath.Join(t.TempDir(), "truth.json")
		lines, stderr, status := runCommand(t, "generate", "--count", "60", "--match-share", "0.4", "--damaged-share", "0.2", "--shape", shape, "--truth", truthFile)
		if status != cli.ExitDone {
			t.Fatal(stderr)
		}
		cmd := command(t, "scan", "-")
		cmd.Stdin = strings.NewReader(lines)
		stdout, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		if truth, got := readTruth(t, truthFile), strings.Count(string(stdout), "\n"); truth.Alerts != uint64(got) || got == 0 {
			t.Errorf("%s: %d alerts, want %d", shape, got, truth.Alerts)
		}
	}
}

func TestGenerateToTopic(t *testing.T) {
	cluster := processortest.New(t)
	brokers := strings.Join(cluster.ListenAddrs(), ",")
	_, stderr, status := runCommand(t, "generate", "--count", "10", "--brokers", brokers, "--topic", "trail")
	if status != cli.ExitFault || !strings.Contains(stderr, "topic trail on "+brokers+": it does not exist; --create-topics creates it") {
		t.Errorf("exit status %d: %s", status, stderr)
	}
	truthFile := filepath.Join(t.TempDir(), "truth.json")
	_, stderr, status = runCommand(t, "generate", "--count", "300", "--brokers", brokers, "--topic", "trail",
		"--create-topics", "--partitions", "3", "--compression", "zstd", "--truth", truthFile)
	if status != cli.ExitDone {
		t.Fatal(stderr)
	}
	if want := readTruth(t, truthFile); want.Written != 300 || want.Records != 300 {
		t.Errorf("truth is %+v", want)
	}
	client := cluster.Client(kgo.ConsumeTopics("trail"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	for n := 0; n < 300; {
		fetches := client.PollFetches(t.Context())
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			n++
			var event struct {
				Account string `json:"recipientAccountId"`
			}
			if err := json.Unmarshal(r.Value, &event); err != nil || event.Account != string(r.Key) {
				t.Fatalf("key %s, error %v: %s", r.Key, err, r.Value)
			}
		})
	}
}

// TestGenerateStops checks that everything made before a signal is written and reported.
func TestGenerateStops(t *testing.T) {
	cluster := processortest.New(t)
	truthFile := filepath.Join(t.TempDir(), "truth.json")
	cmd := command(t, "generate", "--count", "0", "--rate", "500", "--brokers", cluster.ListenAddrs()[0], "--topic", "trail",
		"--create-topics", "--partitions", "1", "--truth", truthFile)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	client := cluster.Client(kgo.ConsumeTopics("trail"), kgo.UnknownTopicRetries(-1))
	for client.PollRecords(t.Context(), 1).Empty() { // until something has arrived
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v: %s", err, stderr.String())
	}
	got := readTruth(t, truthFile)
	if end := cluster.End("trail", 0); got.Records == 0 || got.Written != got.Records || uint64(end) != got.Records {
		t.Errorf("%+v, %d records in the topic", got, end)
	}
	if !strings.Contains(stderr.String(), "stopped by a signal") {
		t.Error(stderr.String())
	}
}

func TestGenerateMistakes(t *testing.T) {
	f := func(args, want string) {
		t.Helper()
		_, stderr, status := runCommand(t, append([]string{"generate"}, strings.Fields(args)...)...)
		if status != cli.ExitMistake || !strings.Contains(stderr, want) {
			t.Errorf("%s: exit status %d, want %q in\n%s", args, status, want, stderr)
		}
	}
	f("--count x", `flag --count: "x" is not allowed; allowed: 0 to 1000000000000`)
	f("--match-share 2", `flag --match-share: "2" is not a share; allowed: 0 to 1`)
	f("--match-share NaN", `"NaN" is not a share`)
	f("--event-time yesterday", `"yesterday" is not a time; allowed: now, or RFC 3339`)
	f("--shape xml", `flag --shape: shape "xml": "xml" is not one of array, base64,`)
	f("--shape gzip+event", "gzip+event is binary and cannot go to standard output")
	f("--topic x", "flag --topic: needs --brokers")
	f("--brokers localhost:9092", "flag --brokers: needs --topic")
	f("--brokers localhost:9092 --topic x --output-dir y", "only one of them is allowed")
	f("--regions eu-west-3", "eu-west-3 is both in use and unused")
	f("--count 1 extra", `regionwatch generate: "extra" is not expected; it takes flags only`)
	f("--compression lzma", "allowed: lz4, zstd, snappy, gzip, none")
}

// A company is written whole into an empty folder, and learning from it finds what truth.json says.
func TestGenerateCompany(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "company")
	if _, stderr, status := runCommand(t, "generate", "--company", "5", "--output-dir", dir); status != cli.ExitDone || !strings.Contains(stderr, "90 days of 5 accounts, with ") {
		t.Fatalf("status %d: %s", status, stderr)
	}
	draft, stderr, status := runCommand(t, "policy", "learn", filepath.Join(dir, "logs"), "--organization", filepath.Join(dir, "organization"))
	if status != cli.ExitDone || !strings.Contains(draft, `name: "payments-prod-1", ou: "Workloads/Prod"`) {
		t.Errorf("status %d: %s%s", status, stderr, draft)
	}
	for want, args := range map[string][]string{
		"flag --company: needs --output-dir":          {"--company", "5"},
		"flag --count: does not go with --company":    {"--company", "5", "--output-dir", dir, "--count", "1"},
		"flag --output-dir: " + dir + " is not empty": {"--company", "5", "--output-dir", dir},
	} {
		if _, stderr, status := runCommand(t, append([]string{"generate"}, args...)...); status != cli.ExitMistake || !strings.Contains(stderr, want) {
			t.Errorf("%q: status %d: %s", args, status, stderr)
		}
	}
}
