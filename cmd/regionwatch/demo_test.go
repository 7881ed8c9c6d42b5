package main

import (
	"bytes"
	"context"
	"net"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/cloudtrail/sample"
)

// TestDemo runs the demo to its end in this process, with both guarantees: all that it made must be
// accounted for.
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
			for _, want := range []string{"Kafka broker on 127.0.0.1:", "kcat -C -b 127.0.0.1:", "eu-central-1", "adds up       yes", "truncated"} {
				if !strings.Contains(out.String(), want) {
					t.Errorf("%q is not in\n%s", want, out.String())
				}
			}
		})
	}
}

// A policy of one's own decides in the demo, which adds up all the same.
func TestDemoByPolicyFile(t *testing.T) {
	name := writePolicy(t, "{version: mine, default: {allowed_regions: [us-east-1]}, exceptions: [{name: x, event_names: ['Run*']}]}")
	stdout, stderr, status := runCommand(t, "demo", "--events=1000", "--rate=5000", "--match-share=0.2", "--policy", name)
	if status != cli.ExitDone || !strings.Contains(stdout, "policy mine") || !strings.Contains(stdout, "adds up       yes") || strings.Contains(stdout, " 0 exempted") {
		t.Errorf("status %d: %s%s", status, stdout, stderr)
	}
}

// TestDemoStops ends at a signal with an account, too.
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

func TestDemoPort(t *testing.T) {
	busy, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	port := busy.Addr().(*net.TCPAddr).Port
	if _, err := startDemoBroker(context.Background(), port); err == nil || !strings.Contains(err.Error(), strconv.Itoa(port)) {
		t.Errorf("a port that is taken: %v", err)
	}
	// Two with the port of their own choice must not get in each other's way.
	for range 2 {
		broker, err := startDemoBroker(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		defer broker.close()
	}
}

// TestDemoAccount shows that each figure that is off is told.
func TestDemoAccount(t *testing.T) {
	base := func() *demoAccount {
		a := &demoAccount{unused: []string{"eu-west-3"}, produced: 10, alertsBack: 3, lettersBack: 2}
		a.truth = sample.Truth{Events: 8, DeadLettered: 2, Regions: map[string]sample.Tally{"eu-west-3": {Writes: 2, PartialWrites: 1}}}
		c := &a.status.Counts
		c.Records, c.Done, c.DeadLettered, c.Events, c.Partial = 10, 8, 2, 9, 1
		c.Outcomes[policy.OutcomeAlerted], c.Outcomes[policy.OutcomeUsedRegion] = 3, 6
		c.Faults[1] = 2
		a.status.Acked, a.status.DeadLetter = 3, 2
		return a
	}
	if err := base().check(); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(*demoAccount){
		"records read: 10, want 11":         func(a *demoAccount) { a.produced++ },
		"records done and dead-lettered: 9": func(a *demoAccount) { a.status.Counts.Done-- },
		"records with dead letters: 2":      func(a *demoAccount) { a.truth.DeadLettered++ },
		"events read: 9, want 10":           func(a *demoAccount) { a.truth.Events++ },
		"events alerted: 4, want 3":         func(a *demoAccount) { a.status.Counts.Outcomes[policy.OutcomeAlerted]++ },
		"partial alerts: 0, want 1":         func(a *demoAccount) { a.status.Counts.Partial = 0 },
		"alerts acknowledged: 2, want 3":    func(a *demoAccount) { a.status.Acked-- },
		"alerts read back: 4, want 3":       func(a *demoAccount) { a.alertsBack++ },
		"dead letters acknowledged: 1":      func(a *demoAccount) { a.status.DeadLetter-- },
		"dead letters read back: 1, want 2": func(a *demoAccount) { a.lettersBack-- },
	} {
		a := base()
		spoil(a)
		var out strings.Builder
		a.print(&out)
		if err := a.check(); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(out.String(), "NO: ") {
			t.Errorf("%q is not in: %v\n%s", want, err, out.String())
		}
	}
}

// TestDemoView shows that what events say cannot steer the terminal, and that a picture has as many rows
// as it says.
func TestDemoView(t *testing.T) {
	var out strings.Builder
	v := &demoView{out: &out, live: true, head: []string{"head"}}
	for range shownAlerts + 3 {
		v.alert([]byte(`{"eventTime":"2026-11-01T00:00:00Z","awsRegion":"eu-west-3\u001b]0;x\u0007","recipientAccountId":"\u202e1","principal":{"name":"a\nb"}}`))
	}
	if _, err := (warningWriter{v}).Write([]byte("level=WARN msg=\"\x1b[31m\"\n")); err != nil {
		t.Fatal(err)
	}
	v.show(processor.Status{})
	picture := out.String()
	for _, own := range []string{hideCursor, clearLine, clearBelow, "\r", "\n"} {
		picture = strings.ReplaceAll(picture, own, "")
	}
	if display.Text(picture) != picture {
		t.Errorf("not printable: %q", picture)
	}
	if rows := strings.Count(out.String(), "\n"); rows != v.lines || rows > 23 {
		t.Errorf("%d rows, %d told", rows, v.lines)
	}
	out.Reset()
	v.show(processor.Status{})
	if !strings.HasPrefix(out.String(), "\x1b["+strconv.Itoa(v.lines)+"A") {
		t.Errorf("it is not painted over the last one: %q", out.String()[:20])
	}
}
