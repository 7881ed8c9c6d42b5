package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/nearest"
)

// Program is a tree of commands, with the check of its command line.
type Program struct {
	// New returns a new command tree.
	New func() *cobra.Command
	// CheckSettings returns the mistakes in the settings of a command that takes settings.
	CheckSettings func(*cobra.Command) error
}

// Execute runs a command line, reports the error and returns the exit status.
func (p *Program) Execute(args []string, stderr io.Writer) int {
	root := p.tree()
	root.SetArgs(args)
	started := false
	watchStart(root, &started)
	helped := watchHelp(root)
	err := root.ExecuteContext(context.Background())
	if wrote := (*fs.PathError)(nil); err != nil && !started && !errors.As(err, &wrote) { // the error is in the command line
		err = Mistake(p.mistakes(args, err))
	}
	if err == nil {
		err = helped.err
	}
	Report(stderr, err)
	return ExitStatus(err)
}

// tree returns the commands with cobra's own added. Each command group rejects unknown names.
func (p *Program) tree() *cobra.Command {
	root := p.New()
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	addExamples(root)
	refuseUnknown(root)
	return root
}

// watchStart sets started when a command starts its own work.
func watchStart(parent *cobra.Command, started *bool) {
	for _, cmd := range parent.Commands() {
		if run := cmd.RunE; run != nil {
			cmd.RunE = func(cmd *cobra.Command, args []string) error {
				*started = true
				return run(cmd, args)
			}
		}
		watchStart(cmd, started)
	}
}

// addExamples gives cobra's own commands examples, as the others have.
func addExamples(root *cobra.Command) {
	name := root.Name()
	for of, example := range map[string]string{
		"help": "help scan", "completion": "completion bash", "completion bash": "completion bash > /etc/bash_completion.d/" + name,
		"completion zsh": `completion zsh > "${fpath[1]}/_` + name + `"`, "completion fish": "completion fish > ~/.config/fish/completions/" + name + ".fish",
		"completion powershell": "completion powershell | Out-String | Invoke-Expression",
	} {
		if cmd, rest, err := root.Find(strings.Fields(of)); err == nil && len(rest) == 0 {
			cmd.Example = "  " + name + " " + example
		}
	}
}

// watchedWriter keeps the last error of a writer.
type watchedWriter struct {
	io.Writer
	err error
}

func (w *watchedWriter) Write(b []byte) (n int, err error) {
	if n, err = w.Writer.Write(b); err != nil {
		w.err = err
	}
	return n, err
}

// watchHelp keeps the error of writing a help text, which cobra drops.
func watchHelp(root *cobra.Command) *watchedWriter {
	w, help := new(watchedWriter), root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		w.Writer = cmd.OutOrStdout()
		cmd.SetOut(w)
		help(cmd, args)
	})
	return w
}

// refuseUnknown makes command groups and help fail on unknown names. By default cobra prints help and succeeds.
func refuseUnknown(parent *cobra.Command) {
	for _, cmd := range parent.Commands() {
		refuseUnknown(cmd)
		switch {
		case cmd.Name() == "help":
			cmd.Run, cmd.RunE = nil, showHelp
		case cmd.HasSubCommands() && !cmd.Runnable():
			cmd.Args, cmd.RunE = cobra.ArbitraryArgs, func(cmd *cobra.Command, args []string) error {
				if len(args) > 0 {
					return Mistake(unknownCommand(cmd, args[0]))
				}
				return cmd.Help()
			}
		}
	}
}

// showHelp is the help command.
func showHelp(cmd *cobra.Command, args []string) error {
	about := cmd.Root()
	for _, name := range args {
		next := subcommand(about, name)
		if next == nil {
			return Mistake(unknownCommand(about, name))
		}
		about = next
	}
	about.InitDefaultHelpFlag()
	return about.Help()
}

func subcommand(parent *cobra.Command, name string) *cobra.Command {
	for _, cmd := range parent.Commands() {
		if cmd.Name() == name || cmd.HasAlias(name) {
			return cmd
		}
	}
	return nil
}

// mistakes returns one line for each mistake in a command line that no command started to work on. The libraries stop at
// the first mistake, so mistakes parses the line again past each one, with new commands so that no flag keeps its value.
func (p *Program) mistakes(args []string, first error) error {
	if cmd, rest, err := p.tree().Find(args); err != nil || cmd.HasSubCommands() {
		for _, arg := range rest {
			if !strings.HasPrefix(arg, "-") {
				return unknownCommand(cmd, arg)
			}
		}
	}
	var lines []error
	past := tolerance{}
	for range len(args) + 1 {
		cmd, rest, _ := p.tree().Find(args)
		past.apply(cmd.Flags())
		err := cmd.ParseFlags(rest[:max(len(rest)-past.dropped, 0)])
		if err == nil {
			if len(lines) > 0 && TakesSettings(cmd) {
				lines = append(lines, p.CheckSettings(cmd))
			}
			break
		}
		more, line := past.learn(cmd, err)
		lines = append(lines, line)
		if !more {
			break
		}
	}
	if err := errors.Join(lines...); err != nil {
		return err
	}
	return errors.New(firstLine(first.Error()))
}

// tolerance is what to ignore in order to parse past the mistakes found so far.
type tolerance struct {
	names   []string // flags that do not exist or have a bad value
	letters []string // shorthands that do not exist
	dropped int      // arguments dropped from the end: a flag without its value
}

func (t *tolerance) apply(flags *pflag.FlagSet) {
	for _, name := range t.names {
		if flag := flags.Lookup(name); flag != nil {
			flag.Value = ignored{}
			continue
		}
		flags.VarPF(ignored{}, name, "", "").NoOptDefVal = "-"
	}
	for _, letter := range t.letters {
		flags.VarPF(ignored{}, "shorthand "+letter, letter, "").NoOptDefVal = "-"
	}
}

// learn returns the line for a mistake, and whether parsing can continue past it.
func (t *tolerance) learn(cmd *cobra.Command, err error) (more bool, line error) {
	var unknown *pflag.NotExistError
	var noValue *pflag.ValueRequiredError
	var badValue *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() != "":
		letter := unknown.GetSpecifiedName()
		t.letters = append(t.letters, letter)
		return len(letter) == 1, fmt.Errorf("flag -%s: no such flag", letter)
	case errors.As(err, &unknown):
		name := unknown.GetSpecifiedName()
		t.names = append(t.names, name)
		return true, fmt.Errorf("flag --%s: no such flag%s", name, nearestFlag(cmd, name))
	case errors.As(err, &noValue):
		t.dropped++
		flag := noValue.GetFlag()
		return true, fmt.Errorf("flag --%s: has no value%s", flag.Name, allowed(flag))
	case errors.As(err, &badValue):
		flag := badValue.GetFlag()
		t.names = append(t.names, flag.Name)
		return true, fmt.Errorf("flag --%s: %q %w", flag.Name, badValue.GetValue(), badValue.Unwrap())
	default:
		return false, errors.New(firstLine(err.Error()))
	}
}

// allowed describes the values that a flag allows.
func allowed(flag *pflag.Flag) string {
	if setting := config.Lookup(flag.Name); setting != nil {
		return "; allowed: " + setting.Allowed
	}
	name, usage := pflag.UnquoteUsage(flag)
	return "; " + strings.TrimSpace(name+": "+usage)
}

func nearestFlag(cmd *cobra.Command, name string) string {
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if _, overlooked := f.Value.(ignored); !f.Hidden && !overlooked {
			names = append(names, f.Name)
		}
	})
	if near := nearest.Of(name, names); near != "" {
		return ", did you mean --" + near + "?"
	}
	return "; " + cmd.CommandPath() + " --help lists them"
}

// unknownCommand suggests the command that was probably meant, or lists all of them.
func unknownCommand(parent *cobra.Command, word string) error {
	var names []string
	for _, c := range parent.Commands() {
		if !c.Hidden {
			names = append(names, c.Name())
		}
	}
	what := "command"
	if parent.HasParent() {
		what = parent.Name() + " command"
	}
	if near := nearest.Of(word, names); near != "" {
		return fmt.Errorf("no such %s: %q, did you mean %s?", what, word, near)
	}
	return fmt.Errorf("no such %s: %q; there are %s", what, word, strings.Join(names, ", "))
}

// NoArguments rejects arguments, for commands that only take flags.
func NoArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fmt.Errorf("%s: %q is not expected; it takes flags only", cmd.CommandPath(), args[0])
}

// CommandLine returns the command line that a command was given, quoted for a shell, with its flags first.
func CommandLine(cmd *cobra.Command, args []string) string {
	words := strings.Fields(cmd.CommandPath())
	cmd.Flags().Visit(func(f *pflag.Flag) {
		value := f.Value.String()
		if list, ok := f.Value.(pflag.SliceValue); ok {
			value = strings.Join(list.GetSlice(), ",")
		}
		words = append(words, "--"+f.Name+"="+value)
	})
	words = append(words, args...)
	for i, w := range words {
		if w == "" || strings.ContainsFunc(w, func(r rune) bool { return !strings.ContainsRune(plainRunes, r) }) {
			words[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return strings.Join(words, " ")
}

// plainRunes need no quotes in a shell.
const plainRunes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=+./,:@%"

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// ignored accepts any value and stores nothing. It implements pflag.Value.
type ignored struct{}

// Set does nothing.
func (ignored) Set(string) error { return nil }

// String returns nothing.
func (ignored) String() string { return "" }

// Type returns nothing.
func (ignored) Type() string { return "" }
