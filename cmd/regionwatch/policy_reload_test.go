package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/processor/processortest"
)

// versionOf produces a matching event and returns the policy version in its alert. n is the number of earlier alerts.
func versionOf(c *processortest.Cluster, n int) string {
	c.ProduceValues("cloudtrail", 1, matching)
	version, _ := processortest.Header(c.Read("cloudtrail-alerts", n+1)[n], "policy-version")
	return version
}

func metricIs(r *running, line string) func() bool {
	return func() bool {
		_, metrics := r.get("/metrics")
		return strings.Contains(metrics, "\n"+line+"\n")
	}
}

func failuresIn(metrics string) float64 {
	_, rest, _ := strings.Cut(metrics, "\nregionwatch_policy_reload_failures_total ")
	value, _, _ := strings.Cut(rest, "\n")
	n, _ := strconv.ParseFloat(value, 64)
	return n
}

// replaceFile replaces a file the way editors do.
func replaceFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(name+".new", name); err != nil {
		t.Fatal(err)
	}
}

const versioned = "version: VERSION\ndefault: { unused_regions: [eu-central-1] }\n"

func policyOf(version string) string { return strings.Replace(versioned, "VERSION", version, 1) }

// TestReloadFile changes the policy under a running instance: with a new file, a signal, a broken file, and a file of
// accounts.
func TestReloadFile(t *testing.T) {
	cluster := processortest.New(t)
	name := writePolicy(t, policyOf("v1"))
	r := startRun(t, strings.Join(cluster.ListenAddrs(), ","), "--create-topics", "--partitions=1", "--policy="+name)
	cluster.Eventually("ready", func() bool { status, _ := r.get("/readyz"); return status == 200 })
	if v := versionOf(cluster, 0); v != "v1" {
		t.Errorf("version %q at first", v)
	}
	replaceFile(t, name, policyOf("v2"))
	cluster.Eventually("a reload", metricIs(r, "regionwatch_policy_reloads_total 1"))
	if v := versionOf(cluster, 1); v != "v2" {
		t.Errorf("version %q after a new file", v)
	}

	// A broken policy leaves the last good one, and the instance ready.
	replaceFile(t, name, "version: v3\ndefault: { unused_regions: [eu-cental-1] }\n")
	cluster.Eventually("a failure", func() bool { return !metricIs(r, "regionwatch_policy_reload_failures_total 0")() })
	if v := versionOf(cluster, 2); v != "v2" {
		t.Errorf("version %q after a broken file", v)
	}
	if status, _ := r.get("/readyz"); status != 200 {
		t.Errorf("status %d with a broken file", status)
	}
	if !metricIs(r, "regionwatch_policy_rejected 1")() {
		t.Error("regionwatch_policy_rejected is not 1 with a broken file")
	}
	// The same mistake again is counted, but logged only once.
	_, before := r.get("/metrics")
	replaceFile(t, name, "version: v3\ndefault: { unused_regions: [eu-cental-1] }\n")
	cluster.Eventually("another failure", func() bool {
		_, metrics := r.get("/metrics")
		return failuresIn(metrics) > failuresIn(before)
	})
	replaceFile(t, name, policyOf("v4")+"accounts_from: [accounts.d]\n") // broken until the folder exists
	accounts := filepath.Join(filepath.Dir(name), "accounts.d")
	if err := os.Mkdir(accounts, 0o700); err != nil {
		t.Fatal(err)
	}
	replaceFile(t, filepath.Join(accounts, "a.yaml"), "'111111111111': { name: payments }\n")
	r.signal(syscall.SIGHUP)
	cluster.Eventually("a reload", metricIs(r, "regionwatch_policy_reloads_total 2"))
	if !metricIs(r, "regionwatch_policy_rejected 0")() {
		t.Error("regionwatch_policy_rejected is not 0 with a good file")
	}
	replaceFile(t, filepath.Join(accounts, "a.yaml"), "'111111111111': { name: billing }\n")
	cluster.Eventually("a reload", metricIs(r, "regionwatch_policy_reloads_total 3"))
	if v := versionOf(cluster, 3); v != "v4" {
		t.Errorf("version %q after accounts came", v)
	}
	if alert := cluster.Read("cloudtrail-alerts", 4)[3]; !strings.Contains(string(alert.Value), `"account":{"name":"billing"}`) {
		t.Errorf("alert %s", alert.Value)
	}
	r.signal(syscall.SIGTERM)
	if status := r.status(); status != cli.ExitDone {
		t.Errorf("status %d: %v", status, r.log())
	}
	broken := 0
	for _, line := range r.log() {
		if line["msg"] == "the new policy was rejected, the last good one stays in force" && strings.Contains(line["error"].(string), "eu-cental-1") {
			broken++
		}
	}
	if broken != 1 {
		t.Errorf("%d lines tell of the broken policy, want 1: %v", broken, r.log())
	}
}

// TestReloadSymlink swaps a link the way Kubernetes swaps the folder of a mounted ConfigMap.
func TestReloadSymlink(t *testing.T) {
	cluster := processortest.New(t)
	folder := t.TempDir()
	link := func(target, name string) {
		t.Helper()
		if err := os.Symlink(target, filepath.Join(folder, name+".new")); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(folder, name+".new"), filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, version := range []string{"v1", "v2"} {
		if err := os.Mkdir(filepath.Join(folder, version), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, version, "policy.yaml"), []byte(policyOf(version)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	link("v1", "..data")
	link("..data/policy.yaml", "policy.yaml")
	r := startRun(t, strings.Join(cluster.ListenAddrs(), ","), "--create-topics", "--partitions=1", "--policy="+filepath.Join(folder, "policy.yaml"))
	cluster.Eventually("ready", func() bool { status, _ := r.get("/readyz"); return status == 200 })
	if v := versionOf(cluster, 0); v != "v1" {
		t.Errorf("version %q at first", v)
	}
	link("v2", "..data")
	cluster.Eventually("a reload", metricIs(r, "regionwatch_policy_reloads_total 1"))
	if v := versionOf(cluster, 1); v != "v2" {
		t.Errorf("version %q after the swap", v)
	}
}

// TestReloadTopic takes the policy from a topic: first the newest valid record, then each new one.
func TestReloadTopic(t *testing.T) {
	cluster := processortest.New(t, kfake.SeedTopics(1, "policies"))
	put := func(value string) {
		cluster.Produce(&kgo.Record{Topic: "policies", Key: []byte("policy"), Value: []byte(value)})
	}
	cluster.ProduceValues("policies", 1, policyOf("v0"))
	put(policyOf("v1"))
	put("default: [")
	r := startRun(t, strings.Join(cluster.ListenAddrs(), ","), "--create-topics", "--partitions=1", "--policy-topic=policies",
		"--exempted-topic=exempted", "--shadow-topic=shadow")
	cluster.Eventually("ready", func() bool { status, _ := r.get("/readyz"); return status == 200 })
	if v := versionOf(cluster, 0); v != "v1" {
		t.Errorf("version %q at first", v)
	}
	if !metricIs(r, "regionwatch_policy_reload_failures_total 1")() || !metricIs(r, "regionwatch_policy_rejected 1")() {
		t.Error("the broken record at the start is not counted")
	}
	put(policyOf("v2"))
	cluster.Eventually("a reload", metricIs(r, "regionwatch_policy_reloads_total 1"))
	if v := versionOf(cluster, 1); v != "v2" {
		t.Errorf("version %q after a new record", v)
	}
	put("accounts_from: [/etc/passwd]")
	cluster.Eventually("a failure", metricIs(r, "regionwatch_policy_reload_failures_total 2"))
	if v := versionOf(cluster, 2); v != "v2" {
		t.Errorf("version %q after a broken record", v)
	}

	// Exempted and shadow-mode findings have their own topics.
	put("{version: v3, exceptions: [{name: x, accounts: ['111111111111']}]}")
	cluster.Eventually("a reload", metricIs(r, "regionwatch_policy_reloads_total 2"))
	cluster.ProduceValues("cloudtrail", 1, matching)
	if exempted := cluster.Read("exempted", 1)[0]; !strings.Contains(string(exempted.Value), `"exception":{"name":"x"}`) {
		t.Errorf("exempted %s", exempted.Value)
	}
	cluster.Eventually("the exception's count", metricIs(r, `regionwatch_exempted_total{exception="x"} 1`))
	put("{version: v4, mode: shadow}")
	cluster.Eventually("a reload", metricIs(r, "regionwatch_policy_reloads_total 3"))
	cluster.ProduceValues("cloudtrail", 1, matching)
	if shadowed := cluster.Read("shadow", 1)[0]; !strings.Contains(string(shadowed.Value), `"mode":"shadow"`) {
		t.Errorf("shadowed %s", shadowed.Value)
	}
	cluster.Eventually("both counted", metricIs(r, "regionwatch_marked_findings_acked_total 2"))
	if n := cluster.EndOfAll("cloudtrail-alerts"); n != 3 {
		t.Errorf("%d alerts, want 3", n)
	}

	// Of several records that arrive at once, the last valid one applies, even if a newer one is broken.
	cluster.ProduceValues("policies", 1, policyOf("v5"), "default: [")
	cluster.Eventually("a failure", metricIs(r, "regionwatch_policy_reload_failures_total 3"))
	if v := versionOf(cluster, 3); v != "v5" {
		t.Errorf("version %q after a good and a broken record", v)
	}
}

// TestReloadMendedElsewhere fixes a broken policy with a file of accounts, in a folder that the previous policy did not
// name.
func TestReloadMendedElsewhere(t *testing.T) {
	cluster := processortest.New(t)
	name, accounts := writePolicy(t, policyOf("v1")), filepath.Join(t.TempDir(), "accounts.csv")
	replaceFile(t, accounts, "")
	r := startRun(t, strings.Join(cluster.ListenAddrs(), ","), "--create-topics", "--partitions=1", "--policy="+name)
	cluster.Eventually("ready", func() bool { status, _ := r.get("/readyz"); return status == 200 })
	replaceFile(t, name, policyOf("v2")+"accounts_from: ["+accounts+"]\n")
	cluster.Eventually("a failure", metricIs(r, "regionwatch_policy_rejected 1"))
	replaceFile(t, accounts, "account,name\n111111111111,payments\n")
	cluster.Eventually("a reload", metricIs(r, "regionwatch_policy_reloads_total 1"))
}
