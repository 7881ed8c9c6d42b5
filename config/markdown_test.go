package config

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

// go generate ./config rewrites the table of settings in docs/settings.md.
//
//go:generate go test . -run TestMarkdown -update
var update = flag.Bool("update", false, "rewrite the table of settings in docs/settings.md")

func TestMarkdown(t *testing.T) {
	const name = "../docs/settings.md"
	source, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(source), MarkdownBegin)
	table, after, ends := strings.Cut(rest, MarkdownEnd)
	if !found || !ends {
		t.Fatalf("%s lacks %s or %s", name, MarkdownBegin, MarkdownEnd)
	}
	want := "\n" + Markdown()
	if *update {
		if err := os.WriteFile(name, []byte(before+MarkdownBegin+want+MarkdownEnd+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, table); diff != "" {
		t.Errorf("%s differs from the settings; run go generate ./config (-want +got):\n%s", name, diff)
	}
}

// TestTable checks that every row of the table is complete.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for i := range all {
		row := &all[i]
		switch {
		case seen[row.Name] || seen[row.Variable()]:
			t.Errorf("%s appears twice", row.Name)
		case row.Help == "" || row.Type == "" || row.Allowed == "" || row.Section == "":
			t.Errorf("%s lacks help, type, section or what is allowed", row.Name)
		case row.Help != strings.TrimSuffix(row.Help, ".") || strings.Contains(row.Help, "`"):
			t.Errorf("%s: help ends with a period or has back quotes", row.Name)
		}
		seen[row.Name], seen[row.Variable()] = true, true
		if !strings.Contains(Markdown(), "`"+row.Variable()+"`") {
			t.Errorf("%s is not in docs/settings.md: is its section in sections?", row.Name)
		}
	}
}

// TestFlagHelp shows a flag in help: name of the value, what is allowed, default.
func TestFlagHelp(t *testing.T) {
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	AddFlags(flags, "delivery", "session-timeout", "create-topics", "brokers")
	usages := strings.Join(strings.Fields(flags.FlagUsages()), " ")
	for _, want := range []string{
		"--delivery word delivery guarantee (at-least-once, exactly-once) (default at-least-once)",
		"--session-timeout duration time without a heartbeat",
		"(a duration from 1s to 30m) (default 6s)",
		"--create-topics create missing topics",
		"--brokers addresses brokers to bootstrap from (host:port, several with commas)",
	} {
		if !strings.Contains(usages, want) {
			t.Errorf("help lacks %q:\n%s", want, usages)
		}
	}
	if strings.Contains(usages, "create missing topics (") {
		t.Errorf("help says what is allowed for a flag that takes no value:\n%s", usages)
	}
	if flags.Lookup("group") != nil {
		t.Error("a flag was added that was not asked for")
	}
}
