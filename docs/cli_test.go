package docs_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

var subcommand = regexp.MustCompile(`^  ([a-z][a-z-]*) {2,}\S`)

// help is the help of a command. Of its settings it only contains the sections.
type help struct {
	text     string
	commands []string // subcommands
	sections []string
}

// helpOf runs a command's help and parses it.
func helpOf(t *testing.T, path ...string) help {
	t.Helper()
	out, _, status := regionwatch(t, t.TempDir(), nil, append(path, "--help")...)
	if status != 0 {
		t.Fatalf("regionwatch %s --help: status %d", strings.Join(path, " "), status)
	}
	var h help
	var b strings.Builder
	listing, skipping := false, false // in a list of subcommands, in a section of settings
	for line := range strings.Lines(string(out)) {
		line = strings.TrimRight(line, " \n")
		if line != "" && !strings.HasPrefix(line, " ") {
			section, isSection := strings.CutPrefix(line, "Settings: ")
			if skipping = isSection; isSection {
				h.sections = append(h.sections, section)
			}
			listing = strings.HasSuffix(line, ":") && line != "Usage:" && line != "Examples:" && line != "Flags:"
		}
		if match := subcommand.FindStringSubmatch(line); listing && match != nil {
			h.commands = append(h.commands, match[1])
		}
		if !skipping {
			b.WriteString(line + "\n")
		}
	}
	h.text = strings.TrimSpace(b.String())
	return h
}

// reference writes the help of a command and its subcommands.
func reference(t *testing.T, b *strings.Builder, path ...string) {
	t.Helper()
	h := helpOf(t, path...)
	fmt.Fprintf(b, "\n## %s\n\n```\n%s\n```\n", strings.Join(append([]string{"regionwatch"}, path...), " "), h.text)
	if len(h.sections) > 0 {
		fmt.Fprintf(b, "\nSettings: %s.\n", strings.Join(h.sections, ", "))
	}
	for _, name := range h.commands {
		if name != "help" && name != "completion" {
			reference(t, b, append(path[:len(path):len(path)], name)...)
		}
	}
}

// TestCommandReference checks that cli.md matches the commands' help.
func TestCommandReference(t *testing.T) {
	var b strings.Builder
	reference(t, &b)
	if n := strings.Count(b.String(), "\n## "); n < 20 {
		t.Fatalf("only %d commands found", n)
	}
	generated(t, "cli.md", "commands", b.String()+"\n")
}
