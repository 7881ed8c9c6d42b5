package main

import (
	"bytes"
	"strings"
	"syscall"
	"testing"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/cli"
)

// TestDemo runs the demo to its end in this process, with both guarantees: it must account for everything it produced.
func TestDemo(t *testing.T) {
	for _, delivery := range []string{config.AtLeastOnce, config.ExactlyOnce} {
		t.Run(delivery, func(t *testing.T) {
			root := newRootCommand()
			var out bytes.Buffer
			root.SetOut(&out)
			root.SetArgs([]string{"demo", "--events", "3000", "--rate", "5000", "--match-share", "0.05", "--damaged-share", "0.05", "--delivery", delivery})
			if err := root.ExecuteContext(t.Context()); err != nil {
				t.Fatalf("%v\n%s", err, out.String())
			}
			for _, want := range []string{"Kafka broker on 127.0.0.1:", "kcat -C -b 127.0.0.1:", "sa-east-1       ec2 CreateKeyPair", "the policy of a sample company", "eu-central-1", "adds up       yes", "truncated", "events        3,000 read"} {
				if !strings.Contains(out.String(), want) {
					t.Errorf("%q is not in\n%s", want, out.String())
				}
			}
		})
	}
}

// The demo can use the user's policy, and still adds up.
func TestDemoByPolicyFile(t *testing.T) {
	name := writePolicy(t, "{version: mine, default: {allowed_regions: [us-east-1]}, exceptions: [{name: x, event_names: ['Run*']}]}")
	stdout, stderr, status := runCommand(t, "demo", "--events=1000", "--rate=5000", "--match-share=0.2", "--policy", name)
	if status != cli.ExitDone || !strings.Contains(stdout, "policy mine") || !strings.Contains(stdout, "adds up       yes") || strings.Contains(stdout, " 0 exempted") {
		t.Errorf("status %d: %s%s", status, stdout, stderr)
	}
}

// TestDemoStops checks that the demo also prints a summary when a signal stops it.
func TestDemoStops(t *testing.T) {
	cmd := command(t, "demo", "--rate", "500", "--match-share", "0.5")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	buffer := make([]byte, 4096)
	for signalled := false; ; {
		n, err := out.Read(buffer)
		text.Write(buffer[:n])
		if !signalled && strings.Contains(text.String(), "ap-east-1  ") { // an alert
			signalled = true
			if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
		}
		if err != nil {
			break
		}
	}
	if err := cmd.Wait(); err != nil || !strings.Contains(text.String(), "adds up       yes") {
		t.Errorf("%v\n%s", err, text.String())
	}
}
