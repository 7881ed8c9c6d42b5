package main

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/regionwatch/regionwatch/internal/display"
)

var colour = regexp.MustCompile("\x1b\\[[0-9;]*m")

// onTerminal runs a command whose standard output is a pseudo-terminal, and returns its lines without colours.
func onTerminal(t *testing.T, width uint16, args ...string) (lines []string) {
	t.Helper()
	ours, terminal, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	if err := pty.Setsize(terminal, &pty.Winsize{Rows: 30, Cols: width}); err != nil {
		t.Fatal(err)
	}
	read := make(chan []string)
	go func() {
		var lines []string
		for scanner := bufio.NewScanner(ours); scanner.Scan(); {
			lines = append(lines, strings.TrimRight(colour.ReplaceAllString(scanner.Text(), ""), "\r "))
		}
		read <- lines
	}()
	cmd := command(t, args...)
	cmd.Stdout, cmd.Stderr = terminal, io.Discard
	_ = cmd.Run() // the tests of the commands look at the status
	terminal.Close()
	return <-read
}

// What commands print fits the terminal. In a narrow one sentences may run into a second line, but never a table's rows.
func TestOutputFitsTerminals(t *testing.T) {
	t.Parallel()
	const policyFile, cases, narrow = "../../docs/policy/policy.yaml", "../../docs/policy/tests.yaml", 60
	logs, old := filepath.Join(t.TempDir(), "logs"), filepath.Join(t.TempDir(), "old.yaml")
	if err := os.WriteFile(old, []byte("default:\n  unused_regions: [eu-west-3, ap-south-1]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, stderr, status := runCommand(t, "generate", "--count", "200", "--match-share", "0.2", "--damaged-share", "0.05", "--output-dir", logs); status != 0 {
		t.Fatal(stderr)
	}
	files, err := filepath.Glob(filepath.Join(logs, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatal("no files: ", err)
	}
	c, brokers := letterCluster(t)
	c.Produce(hostileLetter(0, 40, time.Date(2026, 3, 4, 5, 0, 0, 0, time.UTC)))
	for want, args := range map[string][]string{
		"RunInstances":     {"scan", logs},
		"decision":         {"explain", files[0]},
		"eu-west-3":        {"policy", "show", "--policy", policyFile},
		"no longer unused": {"policy", "diff", old, policyFile},
		"newly alert":      {"policy", "diff", "--events", logs, old, policyFile},
		"3 of 3 cases":     {"policy", "test", "--policy", policyFile, cases},
		"valid, with":      {"validate", "--policy", policyFile},
		"Frankfurt":        {"regions"},
		"describe input":   {"check", "--brokers", brokers},
		"reason":           {"deadletter", "show", "0:0", "--brokers", brokers},
		"ALERTS":           {"scan", "--incidents", logs},
		"commit":           {"version"},
		"to replay":        {"deadletter", "replay", "--dry-run", "--brokers", brokers},
		"by reason":        {"deadletter", "list", "--brokers", brokers},
	} {
		for _, width := range []uint16{narrow, 80, 120, 200} {
			lines := onTerminal(t, width, args...)
			if text := strings.Join(lines, "\n"); !strings.Contains(text, want) {
				t.Errorf("%q at %d columns lacks %q:\n%s", args, width, want, text)
			}
			most := int(width)
			if width == narrow {
				most = 80
			}
			for _, line := range lines {
				if display.Width(line) > most && !strings.Contains(line, logs) { // a path is as long as it is
					t.Errorf("%q at %d columns: %q", args, width, line)
				}
			}
		}
	}
}
