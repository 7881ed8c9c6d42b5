package cli

import (
	"bytes"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/regionwatch/regionwatch/internal/display"
)

// Help is at most helpWidth wide, with settings in their sections and no [=true|false].
func TestHelp(t *testing.T) {
	root := &cobra.Command{Use: "root"}
	UseHelp(root)
	cmd := &cobra.Command{Use: "cmd", Short: "a command", Long: strings.Repeat("word ", 100), RunE: func(*cobra.Command, []string) error { return nil }}
	AddSettings(cmd)
	root.AddCommand(cmd)
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetArgs([]string{"cmd", "--help"})
	if err := root.Execute(); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if display.Width(strings.TrimSuffix(line, "\n")) > helpWidth {
			t.Errorf("too wide: %s", line)
		}
	}
	for _, want := range []string{"Usage:\n  root cmd [flags]\n", "\nSettings: ", "      --create-topics  ", "  -h, --help  "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("lacks %q:\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "=true") {
		t.Error(out.String())
	}
}
