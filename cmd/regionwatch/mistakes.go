package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/regionwatch/regionwatch/config"
)

// commandLineMistakes says on one line each what is wrong with a command line that no command began to
// work on. The libraries stop at the first mistake; here the line is read again past each one, with a
// fresh tree of commands, so that flags keep nothing of the attempt before.
func commandLineMistakes(args []string, first error) error {
	if cmd, rest, err := newRootCommand().Find(args); err != nil {
		return unknownCommand(cmd, rest)
	}
	var lines []error
	past := tolerance{}
	for range len(args) + 1 {
		cmd, rest, _ := newRootCommand().Find(args)
		past.apply(cmd.Flags())
		err := cmd.ParseFlags(rest[:max(len(rest)-past.dropped, 0)])
		if err == nil {
			lines = append(lines, settingMistakes(cmd, len(lines) > 0))
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

// settingMistakes returns the mistakes in the settings of a command that has some, where the flags have
// some too.
func settingMistakes(cmd *cobra.Command, flags bool) error {
	if !flags || !takesSettings(cmd) {
		return nil
	}
	_, _, err := loadPolicy(cmd)
	return err
}

// tolerance is what has to be overlooked to read on behind the mistakes that are known.
type tolerance struct {
	names   []string // flags that do not exist, or whose value is bad
	letters []string // shorthands that do not exist
	dropped int      // arguments at the end: a flag without its value
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

// learn returns whether err can be overlooked from now on, and the line that tells of it.
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

// allowed returns what a flag's value may be, as far as the flag tells.
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
	if near := config.Nearest(name, names); near != "" {
		return ", did you mean --" + near + "?"
	}
	return "; " + cmd.CommandPath() + " --help lists them"
}

// unknownCommand names the commands there are, or the one that was meant.
func unknownCommand(cmd *cobra.Command, args []string) error {
	word := ""
	for _, arg := range args {
		if !strings.HasPrefix(arg, "-") {
			word = arg
			break
		}
	}
	var names []string
	for _, c := range cmd.Root().Commands() {
		if !c.Hidden {
			names = append(names, c.Name())
		}
	}
	if near := config.Nearest(word, names); near != "" {
		return fmt.Errorf("no such command: %q, did you mean %s?", word, near)
	}
	return fmt.Errorf("no such command: %q; there are %s", word, strings.Join(names, ", "))
}

// noArguments is for commands that take flags only.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fmt.Errorf("%s: %q is not expected; it takes flags only", cmd.CommandPath(), args[0])
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// ignored takes any value and keeps none.
type ignored struct{}

// Set does nothing.
func (ignored) Set(string) error { return nil }

// String returns nothing.
func (ignored) String() string { return "" }

// Type returns nothing.
func (ignored) Type() string { return "" }
