package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/internal/broker/check"
	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/processor/processortest"
)

// checking returns the arguments with which alice checks a broker that lets her read the input and write alerts, and a
// replacer that hides its port.
func checking(t *testing.T) (arguments []string, hide *strings.Replacer) {
	t.Helper()
	allow := func(resource kmsg.ACLResourceType, name string, operation kmsg.ACLOperation) kfake.ACL {
		return kfake.ACL{Resource: resource, Name: name, Pattern: kmsg.ACLResourcePatternTypeLiteral, Operation: operation, Allow: true}
	}
	c := processortest.New(t, kfake.EnableSASL(), kfake.EnableACLs(), kfake.Superuser("PLAIN", "admin", "admin"),
		kfake.User("PLAIN", "alice", "secret", allow(kmsg.ACLResourceTypeTopic, "cloudtrail", kmsg.ACLOperationRead),
			allow(kmsg.ACLResourceTypeTopic, "cloudtrail-alerts", kmsg.ACLOperationWrite)),
		kfake.SeedTopics(3, "cloudtrail", "cloudtrail-alerts", "cloudtrail-dead-letters"))
	_, port, err := net.SplitHostPort(c.ListenAddrs()[0])
	if err != nil {
		t.Fatal(err)
	}
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{
		"check", "--brokers", c.ListenAddrs()[0], "--sasl-mechanism", "PLAIN", "--allow-plaintext-credentials", "--sasl-username", "alice", "--sasl-password-file", password,
	}, strings.NewReplacer(port, "9092")
}

func TestCheckGolden(t *testing.T) {
	arguments, hide := checking(t)
	for name, test := range map[string]struct {
		arguments []string
		status    int
	}{
		"check.text.golden":                {nil, cli.ExitFault},
		"check.json.golden":                {[]string{"--format", "json", "--delivery", "exactly-once"}, cli.ExitFault},
		"check.acls.text.golden":           {[]string{"--acls", "--policy-topic", "policy"}, cli.ExitDone},
		"check.incidents.text.golden":      {[]string{"--incidents"}, cli.ExitFault},
		"check.incidents.acls.text.golden": {[]string{"--incidents", "--acls", "--instance-id", "a"}, cli.ExitDone},
		"check.acls.json.golden":           {[]string{"--acls", "--delivery", "exactly-once", "--format", "json", "--principal", "User:CN=alice"}, cli.ExitDone},
	} {
		stdout, stderr, status := runCommand(t, append(arguments, test.arguments...)...)
		golden(t, name, hide.Replace(stdout))
		if status != test.status || status == cli.ExitFault && !strings.Contains(stderr, errRefused.Error()) {
			t.Errorf("%s: status %d: %s", name, status, stderr)
		}
	}
}

// Every step works on a broker that requires nothing, and standard error stays empty.
func TestCheckSuccess(t *testing.T) {
	c := processortest.New(t, kfake.SeedTopics(3, "cloudtrail", "cloudtrail-alerts", "cloudtrail-dead-letters"))
	for _, delivery := range []string{"at-least-once", "exactly-once"} {
		stdout, stderr, status := runCommand(t, "check", "--brokers", c.ListenAddrs()[0], "--delivery", delivery)
		if status != cli.ExitDone || stderr != "" || strings.Contains(stdout, "refused") || strings.Contains(stdout, "not tried") {
			t.Errorf("%s: status %d: %s%s", delivery, status, stdout, stderr)
		}
	}
}

func TestCheckFailure(t *testing.T) {
	for name, test := range map[string]struct {
		arguments []string
		want      string
	}{
		"no brokers":  {nil, "brokers"},
		"IAM":         {[]string{"--brokers", "kafka:9098", "--tls", "--sasl-mechanism", "AWS_MSK_IAM", "--acls"}, "IAM policies"},
		"no such way": {[]string{"--brokers", "kafka:9092", "--format", "yaml"}, "allowed: text, json"},
		"no password": {[]string{"--brokers", "kafka:9092", "--sasl-mechanism", "PLAIN", "--allow-plaintext-credentials", "--sasl-username", "alice"}, "sasl-password"},
	} {
		stdout, stderr, status := runCommand(t, append([]string{"check"}, test.arguments...)...)
		if status != cli.ExitMistake || stdout != "" || !strings.Contains(stderr, test.want) {
			t.Errorf("%s: status %d, want %d and %q: %s%s", name, status, cli.ExitMistake, test.want, stdout, stderr)
		}
	}
}

// Certificates and brokers contribute to the output. A terminal must not obey any of it.
func TestCheckTextNeutral(t *testing.T) {
	const hostile = "\x1b]0;owned\x07\x1b[2J\u202eevil\r\n"
	r := &check.Report{Steps: []check.Step{{
		Name: "TLS", Of: hostile, Status: check.Refused, Detail: hostile, Error: hostile, Remedy: hostile,
		ACLs: []check.Entry{{Command: hostile}},
	}}}
	for _, width := range []int{0, 200} {
		text := r.Text(width, false)
		if display.Text(strings.ReplaceAll(text, "\n", "")) != strings.ReplaceAll(text, "\n", "") || strings.Count(text, "\n") != 4 {
			t.Errorf("not printable: %q", text)
		}
	}
	if text := r.Text(200, true); !strings.HasPrefix(text, "\x1b[31m✗\x1b[0m ") || strings.Count(text, "\x1b") != 2 {
		t.Errorf("more than the mark is colored: %q", text)
	}
}

// With the topics that incidents needs, its check finds nothing refused; with a state topic of another size it does.
func TestCheckIncidents(t *testing.T) {
	c := processortest.New(t, kfake.SeedTopics(3, "cloudtrail-alerts", "cloudtrail-incidents", "cloudtrail-dead-letters", "cloudtrail-incident-state"), kfake.SeedTopics(2, "small"))
	stdout, stderr, status := runCommand(t, "check", "--brokers", c.ListenAddrs()[0], "--incidents")
	if status != cli.ExitDone || !strings.Contains(stdout, "cleanup.policy=compact") || !strings.Contains(stdout, "join the group         ok        regionwatch-incidents") {
		t.Errorf("status %d: %s%s", status, stdout, stderr)
	}
	stdout, _, status = runCommand(t, "check", "--brokers", c.ListenAddrs()[0], "--incidents", "--incident-state-topic", "small")
	if status != cli.ExitFault || !strings.Contains(stdout, "it has 2 partitions, but cloudtrail-alerts has 3") {
		t.Errorf("status %d: %s", status, stdout)
	}
}

// Check refuses the state that incidents refuses: none or an empty one although the group has read alerts, and that of an
// alerts topic which was deleted and created again.
//
// Guard: unusable.
func TestCheckIncidentsState(t *testing.T) {
	const alerts, state, rebuild = "cloudtrail-alerts", "cloudtrail-incident-state", "regionwatch incidents rebuild"
	f := func(name string, topics []string, mark string, commit bool, status int, parts ...string) {
		t.Helper()
		c := processortest.New(t, kfake.SeedTopics(1, append(topics, alerts, "cloudtrail-incidents", "cloudtrail-dead-letters")...))
		if mark != "" {
			c.Produce(&kgo.Record{Topic: state, Key: []byte("topic"), Value: []byte("1 " + mark)})
		}
		if commit {
			var offsets kadm.Offsets
			offsets.AddOffset(alerts, 0, 0, -1)
			if err := kadm.NewClient(c.Client()).CommitAllOffsets(t.Context(), "regionwatch-incidents", offsets); err != nil {
				t.Fatal(err)
			}
		}
		stdout, stderr, got := runCommand(t, "check", "--brokers", c.ListenAddrs()[0], "--incidents")
		if got != status {
			t.Errorf("%s: status %d, want %d: %s%s", name, got, status, stdout, stderr)
		}
		for _, part := range parts {
			if !strings.Contains(stdout, part) {
				t.Errorf("%s: no %q in %s", name, part, stdout)
			}
		}
	}
	f("missing", nil, "", false, cli.ExitFault, "create the topic")
	f("missing, read", nil, "", true, cli.ExitFault, "it was deleted", rebuild)
	f("empty", []string{state}, "", false, cli.ExitDone)
	f("empty, read", []string{state}, "", true, cli.ExitFault, "partition 0: its beginning is missing", rebuild)
	f("whole", []string{state}, "by hand", true, cli.ExitDone)
	f("of an older topic", []string{state}, "topic-id=AQ,cluster-id=regionwatch-test", true, cli.ExitFault, "it belongs to an older topic", rebuild)
}
