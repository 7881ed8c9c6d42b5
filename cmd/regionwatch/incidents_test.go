package main

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/processor/processortest"
	"github.com/regionwatch/regionwatch/schema/incident"
)

// newIncidents returns a cluster with n alerts of one principal, and the arguments of incidents for it.
func newIncidents(t *testing.T, n int) (c *processortest.Cluster, args []string) {
	t.Helper()
	c = processortest.New(t, kfake.SeedTopics(2, "cloudtrail-alerts", "cloudtrail-incidents", "cloudtrail-dead-letters"),
		kfake.GroupMinSessionTimeout(100*time.Millisecond))
	var values []string
	for i := range n {
		values = append(values, fmt.Sprintf(`{"id":"00000000-0000-5000-8000-%012d","ruleId":"AWS.UnusedRegion","severity":"High","eventTime":%q,`+
			`"eventName":"RunInstances","eventSource":"ec2.amazonaws.com","awsRegion":"eu-west-3","recipientAccountId":"111122223333",`+
			`"userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/u"}}`, i, time.Now().UTC().Format(time.RFC3339)))
	}
	c.ProduceValues("cloudtrail-alerts", 1, values...)
	return c, []string{"--brokers=" + strings.Join(c.ListenAddrs(), ","), "--create-topics", "--instance-id=one"}
}

// lastIncident waits until the last record in the incident topic counts n alerts and has a revision.
func lastIncident(c *processortest.Cluster, n, revision uint64) {
	c.Eventually(fmt.Sprintf("revision %d counts %d alerts", revision, n), func() bool {
		records := c.ReadAll("cloudtrail-incidents")
		if len(records) == 0 {
			return false
		}
		i, err := incident.Decode(records[len(records)-1].Value)
		return err == nil && i.Counts.Alerts == n && i.Revision == revision
	})
}

// The start line names what incidents reads and writes.
func TestIncidentsStartLine(t *testing.T) {
	t.Parallel()
	_, args := newIncidents(t, 1)
	r := startCommand(t, append([]string{"incidents"}, args...)...)
	want := map[string]any{
		"alert_topic": "cloudtrail-alerts", "incident_topic": "cloudtrail-incidents", "incident_state_topic": "cloudtrail-incident-state",
		"dead_letter_topic": "cloudtrail-dead-letters", "group": "regionwatch-incidents", "delivery": "exactly-once",
		"input_topics": nil, "input_topic_pattern": nil, "start": nil, "unused_regions": nil,
	}
	got := make(map[string]any)
	for key := range want {
		got[key] = r.start[key]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("start line (-want +got):\n%s", diff)
	}
}

// A memory limit that is too small is refused before anything else: no broker answers here, and the policy file does not
// exist. What suffices for run may not suffice for incidents.
//
// Guards: Memory first in serve; MemoryNeed of grouping.
func TestMemoryLimitFirst(t *testing.T) {
	t.Parallel()
	const brokers = "--brokers=127.0.0.1:1"
	f := func(want string, args ...string) {
		t.Helper()
		_, stderr, status := runCommand(t, args...)
		if status != cli.ExitMistake || !strings.Contains(stderr, want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%q: status %d, %s", args, status, stderr)
		}
	}
	f("memory-limit of 200 MiB is too small", "run", brokers, "--memory-limit=200MiB", "--policy-topic=policy")
	f("memory-limit of 200 MiB is too small", "run", brokers, "--memory-limit=200MiB", "--policy=missing.yaml")
	f("1150 MiB for incidents and their alert ids", "incidents", brokers, "--memory-limit=1200MiB", "--policy-topic=policy")
	f("missing.yaml: no such file", "run", brokers, "--memory-limit=1200MiB", "--policy=missing.yaml")
}

// Help shows the settings that a command uses. The others are accepted, since the commands share a file.
//
// Guard: HideSettings.
func TestHelpOfSharedSettings(t *testing.T) {
	t.Parallel()
	f := func(command string, has, not []string) {
		t.Helper()
		stdout, _, _ := runCommand(t, append(strings.Fields(command), "--help")...)
		for _, name := range has {
			if !strings.Contains(stdout, "--"+name+" ") {
				t.Errorf("%s --help lacks %s", command, name)
			}
		}
		for _, name := range not {
			if strings.Contains(stdout, "--"+name+" ") {
				t.Errorf("%s --help has %s", command, name)
			}
		}
		for _, name := range not { // --memory-limit is a mistake that is found after all of these were accepted
			_, stderr, _ := runCommand(t, append(strings.Fields(command), "--brokers=127.0.0.1:1", "--memory-limit=64MiB", "--"+name+"=")...)
			if strings.Contains(stderr, "no such flag") {
				t.Errorf("%s refuses --%s: %s", command, name, stderr)
			}
		}
	}
	incidents := []string{"incident-topic", "incident-state-topic", "incident-group", "incident-format"}
	f("run", []string{"input-topic", "group", "delivery", "alert-topic"}, incidents)
	f("incidents", append(incidents, "alert-topic", "brokers", "policy", "memory-limit"), notOfIncidents)
	f("check", append(incidents, "input-topic"), nil)
}

// A rebuild needs an answer, and a group without live members. After it the same alerts make the same counts again.
//
// Guards: confirm; the members in Plan; DeleteGroup and DeleteTopic in Run.
func TestIncidentsRebuild(t *testing.T) {
	t.Parallel()
	const alerts = 7
	c, args := newIncidents(t, alerts)
	rebuild := func(want int, text string, more ...string) {
		t.Helper()
		_, stderr, status := runCommand(t, append(append([]string{"incidents", "rebuild"}, args...), more...)...)
		if status != want || !strings.Contains(stderr, text) {
			t.Fatalf("status %d, want %d with %q: %s", status, want, text, stderr)
		}
	}
	r := startCommand(t, append([]string{"incidents"}, args...)...)
	lastIncident(c, alerts, 1)
	rebuild(cli.ExitFault, "live members: stop every instance", "--yes")
	r.signal(syscall.SIGTERM)
	if status := r.status(); status != 0 {
		t.Fatalf("status %d", status)
	}
	before := c.Committed("regionwatch-incidents", "cloudtrail-alerts", 0)
	rebuild(cli.ExitMistake, "--yes")
	if n := c.EndOfAll("cloudtrail-incident-state"); n == 0 || before != alerts || c.Committed("regionwatch-incidents", "cloudtrail-alerts", 0) != before {
		t.Errorf("without an answer: %d state records, and the group was at %d", n, before)
	}
	rebuild(cli.ExitDone, "Done.", "--yes")
	if n := c.EndOfAll("cloudtrail-incident-state"); n != 0 {
		t.Errorf("%d records in the new state topic", n)
	}
	startCommand(t, append([]string{"incidents"}, args...)...)
	c.Eventually("written again", func() bool { return len(c.ReadAll("cloudtrail-incidents")) == 2 })
	lastIncident(c, alerts, 1)
}
