package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/display"
)

// helpWidth is the column at which help wraps.
const helpWidth = 100

// UseHelp gives a command and its subcommands this package's help: commands in groups, settings in the same sections as
// the documentation, everything wrapped.
func UseHelp(root *cobra.Command) {
	root.SetUsageFunc(func(cmd *cobra.Command) error {
		printUsage(cmd.OutOrStderr(), cmd)
		return nil
	})
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		text := cmd.Long
		if text == "" {
			text = cmd.Short
		}
		fmt.Fprint(cmd.OutOrStdout(), wrapParagraphs(text)+"\n\n")
		printUsage(cmd.OutOrStdout(), cmd)
	})
}

func printUsage(w io.Writer, cmd *cobra.Command) {
	fmt.Fprintln(w, "Usage:")
	switch {
	case cmd.HasAvailableSubCommands():
		fmt.Fprintf(w, "  %s COMMAND [flags]\n", cmd.CommandPath())
	default:
		fmt.Fprintf(w, "  %s\n", cmd.UseLine())
	}
	if cmd.Example != "" {
		fmt.Fprintf(w, "\nExamples:\n%s\n", cmd.Example)
	}
	groups := cmd.Groups()
	for _, g := range groups {
		printCommands(w, g.Title, cmd, g.ID)
	}
	other := "Commands:"
	if len(groups) > 0 {
		other = "Other commands:"
	}
	printCommands(w, other, cmd, "")
	printFlags(w, cmd)
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(w, "\n%s COMMAND --help describes a command.\n", cmd.CommandPath())
	}
}

func printCommands(w io.Writer, title string, parent *cobra.Command, group string) {
	for _, cmd := range parent.Commands() {
		if cmd.GroupID != group || !cmd.IsAvailableCommand() && cmd.Name() != "help" {
			continue
		}
		if title != "" {
			fmt.Fprintln(w, "\n"+title)
			title = ""
		}
		fmt.Fprintf(w, "  %-12s %s\n", cmd.Name(), cmd.Short)
	}
}

// printFlags writes the command's own flags first, then the settings by section.
func printFlags(w io.Writer, cmd *cobra.Command) {
	title := "Flags:"
	show := func(f *pflag.Flag) {
		if title != "" {
			fmt.Fprintln(w, "\n"+title)
			title = ""
		}
		printFlag(w, f)
	}
	settings := TakesSettings(cmd)
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden && (!settings || config.Lookup(f.Name) == nil) {
			show(f)
		}
	})
	if !settings {
		return
	}
	section := ""
	for _, setting := range config.Table() {
		f := cmd.Flags().Lookup(setting.Name)
		if f == nil || f.Hidden {
			continue
		}
		if setting.Section != section {
			section, title = setting.Section, "Settings: "+setting.Section
		}
		show(f)
	}
}

// printFlag writes a flag with its help beside it or below it.
func printFlag(w io.Writer, f *pflag.Flag) {
	const column = 34
	kind, usage := pflag.UnquoteUsage(f)
	left := "      --" + f.Name
	if f.Shorthand != "" {
		left = "  -" + f.Shorthand + ", --" + f.Name
	}
	if f.Value.Type() != "bool" && f.NoOptDefVal == "" && kind != "" {
		left += " " + kind
	}
	if standard := strings.Trim(f.DefValue, "[]"); standard != "" && standard != "false" && standard != "0s" {
		usage += " (default " + standard + ")"
	}
	if display.Width(left) >= column-1 {
		fmt.Fprintln(w, left)
		left = ""
	}
	fmt.Fprintln(w, display.Fit(left, column)+display.Hang(usage, helpWidth, strings.Repeat(" ", column)))
}

// wrapParagraphs wraps paragraphs, except those with indented lines, such as tables.
func wrapParagraphs(text string) string {
	paragraphs := strings.Split(text, "\n\n")
	for i, p := range paragraphs {
		if !strings.Contains(p, "\n  ") {
			paragraphs[i] = display.Hang(p, helpWidth, "")
		}
	}
	return strings.Join(paragraphs, "\n\n")
}
