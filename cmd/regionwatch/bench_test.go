package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/processor/processortest"
)

// Without any setup, bench measures every contender.
func TestBenchSuccess(t *testing.T) {
	t.Parallel()
	gzipped := filepath.Join(t.TempDir(), "events.ndjson.gz")
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte("{}\n\n{\"awsRegion\":\"eu-west-3\",\"eventVersion\":\"1.08\",\"readOnly\":false}\n"))
	_ = w.Close()
	if err := os.WriteFile(gzipped, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	f := func(args ...string) {
		t.Helper()
		stdout, stderr, status := runCommand(t, append([]string{"bench", "--records", "1500", "--rounds", "2"}, args...)...)
		if status != cli.ExitDone {
			t.Errorf("%q: status %d\n%s", args, status, stderr)
		}
		for _, want := range []string{`^1,500 records of [\d,]+ bytes on average, \d+ partitions?, medians of 2 rounds\n`, `bare consumer +\d`, `at least once +[\d.]+ +[\d.]+x`, `exactly once +[\d.]+ +[\d.]+x`} {
			if !regexp.MustCompile(want).MatchString(stdout) {
				t.Errorf("%q: no %s in\n%s", args, want, stdout)
			}
		}
		if !strings.Contains(stderr, "round 2 of 2: exactly once\ndeleting the topics\n") {
			t.Errorf("%q: standard error:\n%s", args, stderr)
		}
	}
	f()
	f("--shape", "gzip+records,sqs+sns+event", "--match-share", "0.5", "--partitions", "1", "--compression", "zstd")
	f("--file", gzipped)
}

// With --incidents it measures grouping, and needs no brokers.
func TestBenchIncidents(t *testing.T) {
	t.Parallel()
	stdout, stderr, status := runCommand(t, "bench", "--incidents", "--records", "1500", "--open-incidents", "600")
	if status != cli.ExitDone {
		t.Errorf("status %d\n%s", status, stderr)
	}
	for _, want := range []string{`reading and grouping alerts +\d`, `restoring state records +\d[\d.]* +\d`, `600 incidents with [\d,]+ ids, peak +- +- +\d`} {
		if !regexp.MustCompile(want).MatchString(stdout) {
			t.Errorf("no %s in\n%s", want, stdout)
		}
	}
}

func TestBenchFailure(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("\n \n"), 0o644); err != nil {
		t.Fatal(err)
	}
	f := func(wantStatus int, want string, args ...string) {
		t.Helper()
		stdout, stderr, status := runCommand(t, append([]string{"bench"}, args...)...)
		if status != wantStatus || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("%q: status %d, want %d; standard output %q; no %q in %q", args, status, wantStatus, stdout, want, stderr)
		}
	}
	f(cli.ExitMistake, `flag --records: "0"`, "--records", "0")
	f(cli.ExitMistake, "flag --shape:", "--shape", "spiral")
	f(cli.ExitMistake, "flag --seed: only for generated records", "--file", empty, "--seed", "2")
	f(cli.ExitMistake, "it has no records", "--file", empty)
	f(cli.ExitMistake, "no such file", "--file", empty+"-not")
	f(cli.ExitMistake, "unpacking", "--file", notGzip(t))
	f(cli.ExitFault, "reaching the brokers: ", "--brokers", "127.0.0.1:1")
}

func notGzip(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "events.gz")
	if err := os.WriteFile(name, []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

// On the user's brokers, bench leaves nothing behind.
func TestBenchBrokers(t *testing.T) {
	t.Parallel()
	c := processortest.New(t)
	stdout, stderr, status := runCommand(t, "bench", "--records", "500", "--rounds", "1", "--brokers", c.ListenAddrs()[0])
	if status != cli.ExitDone || !strings.Contains(stdout, "on the brokers "+c.ListenAddrs()[0]) {
		t.Errorf("status %d:\n%s%s", status, stdout, stderr)
	}
	topics, err := kadm.NewClient(c.Client()).ListTopics(t.Context())
	if err != nil || len(topics) != 0 {
		t.Errorf("%v are left; error %v", topics.Names(), err)
	}
}

// A signal stops bench and its broker.
func TestBenchSignal(t *testing.T) {
	t.Parallel()
	cmd := command(t, "bench", "--records", "1000000")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var last string
	for lines := bufio.NewScanner(stderr); lines.Scan(); { // ends when the broker has also closed its end
		last = lines.Text()
		if strings.HasPrefix(last, "writing") {
			if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait()
	if status := cmd.ProcessState.ExitCode(); status != 130 || !strings.Contains(last, "stopped by a signal") {
		t.Errorf("status %d, want 130; the last line: %s", status, last)
	}
}
