package main

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/processor/processortest"
)

// TestPolicyCache breaks the policy between two starts: the second one alerts by the last good policy and says so, in the
// log and in a metric. Without the cache it does not start.
func TestPolicyCache(t *testing.T) {
	cluster := processortest.New(t)
	brokers, name := strings.Join(cluster.ListenAddrs(), ","), writePolicy(t, policyOf("v1"))
	args := []string{"--create-topics", "--partitions=1", "--policy=" + name, "--policy-cache=" + filepath.Join(t.TempDir(), "cache")}
	r := startRun(t, brokers, args...)
	cluster.Eventually("ready", func() bool { status, _ := r.get("/readyz"); return status == 200 })
	r.signal(syscall.SIGTERM)
	if status := r.status(); status != cli.ExitDone {
		t.Fatalf("status %d: %v", status, r.log())
	}
	replaceFile(t, name, "default: { unused_regions: [eu-centrl-1] }\n")

	r = startRun(t, brokers, args...)
	if version := r.start["policy_version"]; version != "v1" {
		t.Errorf("policy version %v in the start line, want v1", version)
	}
	said := false
	for _, line := range r.log() {
		said = said || line["level"] == "ERROR" && line["msg"] == "the policy cannot be used, the cached one is in force"
	}
	if !said {
		t.Errorf("the log does not say that the cached policy is in force: %v", r.log())
	}
	if v := versionOf(cluster, 0); v != "v1" {
		t.Errorf("an alert by policy %q, want v1", v)
	}
	cluster.Eventually("a rejected policy", metricIs(r, "regionwatch_policy_rejected 1"))

	_, stderr, status := runCommand(t, append([]string{"run", "--brokers=" + brokers}, args[:3]...)...)
	if status != cli.ExitMistake || !strings.Contains(stderr, "eu-centrl-1") {
		t.Errorf("without the cache: status %d, %s", status, stderr)
	}
}

// A file of keys that has none is a mistake whatever the policy's source is, and no cache makes up for it.
func TestBadPolicyKey(t *testing.T) {
	keys := writePolicy(t, "no key\n")
	f := func(args ...string) {
		t.Helper()
		args = append([]string{"run", "--brokers=127.0.0.1:1", "--policy-key=" + keys}, args...)
		_, stderr, status := runCommand(t, args...)
		if status != cli.ExitMistake || strings.Count(stderr, "--policy-key") != 1 {
			t.Errorf("%q: status %d, want %d: %s", args, status, cli.ExitMistake, stderr)
		}
	}
	policy, cache := writePolicy(t, policyOf("v1")), filepath.Join(t.TempDir(), "cache")
	f("--policy=" + policy)
	f("--policy-topic=policies")
	f("--policy="+policy, "--policy-cache="+cache)
	f("--policy-topic=policies", "--policy-cache="+cache)
}
