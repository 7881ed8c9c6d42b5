package main

import (
	"bytes"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/processor/processortest"
)

// typeInto runs a command on a terminal of its own, types the text when the prompt is there, and returns everything that
// the terminal showed.
func typeInto(t *testing.T, prompt, text string, args ...string) (shown string, status syscall.WaitStatus) {
	t.Helper()
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, os.Interrupt) // a command that is started now does not inherit that it is ignored, as in the background
	defer signal.Stop(caught)
	cmd := command(t, args...)
	terminal, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	var out bytes.Buffer
	for buffer := make([]byte, 4096); err == nil; {
		var n int
		n, err = terminal.Read(buffer) // ends with an error when the command has ended
		if out.Write(buffer[:n]); text != "" && strings.Contains(out.String(), prompt) {
			if _, err := io.WriteString(terminal, text); err != nil {
				t.Fatal(err)
			}
			text = ""
		}
	}
	_ = cmd.Wait()
	return out.String(), cmd.ProcessState.Sys().(syscall.WaitStatus)
}

// A rebuild on a terminal does what the answer says. Anything but yes changes nothing, and so does no terminal.
//
// Guards: confirm, and its use of the standard input.
func TestRebuildOnTerminal(t *testing.T) {
	t.Parallel()
	const prompt, control = "Go on (yes or no)? ", "\x03"
	f := func(typed string, wantStatus int, want string, more ...string) {
		t.Run(strings.TrimSpace(typed+strings.Join(more, "")), func(t *testing.T) {
			t.Parallel()
			c := processortest.New(t, kfake.SeedTopics(2, "cloudtrail-alerts", "cloudtrail-incident-state"))
			c.ProduceValues("cloudtrail-incident-state", 1, "kept")
			args := append([]string{"incidents", "rebuild", "--brokers=" + c.ListenAddrs()[0]}, more...)
			shown, status := typeInto(t, prompt, typed, args...)
			asked, kept := strings.Contains(shown, prompt), c.EndOfAll("cloudtrail-incident-state") == 1
			if !strings.Contains(shown, want) || asked != (typed != "") || kept != (wantStatus != cli.ExitDone) {
				t.Errorf("%q: asked %v, kept %v: %q", typed, asked, kept, shown)
			}
			if got := status.ExitStatus(); typed != control && got != wantStatus {
				t.Errorf("%q: status %d, want %d", typed, got, wantStatus)
			}
			if typed == control && status.Signal() != syscall.SIGINT {
				t.Errorf("not ended by the interrupt: %v", status)
			}
		})
	}
	const nothing = "regionwatch: nothing was changed"
	f("y\n", cli.ExitDone, "Done. Now start the instances of regionwatch incidents again: they read 0 records from topic \"cloudtrail-alerts\".")
	f("yes\n", cli.ExitDone, "Done.")
	f("n\n", cli.ExitFault, nothing)
	f("no\n", cli.ExitFault, nothing)
	f("\n", cli.ExitFault, nothing)
	f("yesterday\n", cli.ExitFault, nothing)
	f("\x04", cli.ExitFault, nothing) // end of file
	f(control, -1, "")
	f("", cli.ExitDone, "Done.", "--yes")
}
