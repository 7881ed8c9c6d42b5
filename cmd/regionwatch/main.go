// Command regionwatch watches AWS CloudTrail on Kafka for activity in regions that a company does not use.
//
// This package is wiring only: each subcommand is a small file that fills the options of the packages
// that do the work.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// Exit statuses, the same for every subcommand. A second signal to stop ends the process at once with
// 128 plus the signal's number.
const (
	exitDone    = 0 // done
	exitFault   = 1 // a fault while running
	exitMistake = 2 // a mistake in flags, settings or policy
)

// mistake marks an error as the user's: the exit status is 2.
type mistake struct{ error }

// Unwrap returns the error that was marked.
func (m mistake) Unwrap() error { return m.error }

// logged marks an error that stands in the log already: it is not told again.
type logged struct{ error }

// Unwrap returns the error that was marked.
func (l logged) Unwrap() error { return l.error }

func main() { os.Exit(execute(os.Args[1:], os.Stderr)) }

// execute runs the command line and returns the exit status.
func execute(args []string, stderr io.Writer) int {
	root := newRootCommand()
	root.SetArgs(args)
	started := watchStart(root)
	err := root.ExecuteContext(context.Background())
	if err != nil && !*started {
		err = mistake{commandLineMistakes(args, err)}
	}
	report(stderr, err)
	return exitStatus(err)
}

// watchStart returns a variable that becomes true when a command begins its own work: an error before
// that is in the command line.
func watchStart(root *cobra.Command) *bool {
	started := new(bool)
	watchCommands(root, started)
	return started
}

func watchCommands(parent *cobra.Command, started *bool) {
	for _, cmd := range parent.Commands() {
		if run := cmd.RunE; run != nil {
			cmd.RunE = func(cmd *cobra.Command, args []string) error {
				*started = true
				return run(cmd, args)
			}
		}
		watchCommands(cmd, started)
	}
}

// report writes an error, one line for each of its lines. They may quote brokers and files.
func report(w io.Writer, err error) {
	var l logged
	if err == nil || errors.As(err, &l) {
		return
	}
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintln(w, "regionwatch: "+printable(strings.TrimRight(line, "\r\n")))
	}
}

// exitStatus returns the status that tells of err.
func exitStatus(err error) int {
	var m mistake
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &m):
		return exitMistake
	default:
		return exitFault
	}
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "regionwatch",
		Short: "Watch AWS CloudTrail on Kafka for activity in unused regions",
		Long: "Watch AWS CloudTrail on Kafka for activity in unused regions.\n\n" +
			"Exit status: 0 done, 1 a fault while running, 2 a mistake in flags, settings or policy.",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(newRunCommand(), newDemoCommand(), newBenchCommand(), newBenchBrokerCommand(), newScanCommand(), newExplainCommand(), newGenerateCommand(),
		newHealthCommand(), newValidateCommand(), newCheckCommand(), newDeadLetterCommand(), newPolicyCommand(), newRegionsCommand(), newVersionCommand())
	return root
}
