// Command regionwatch watches AWS CloudTrail on Kafka for activity in regions that a company does not use.
//
// This package is wiring only: each subcommand is a small file that fills the options of the packages
// that do the work.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

// Exit statuses, the same for every subcommand.
const (
	exitDone    = 0 // done
	exitFault   = 1 // a fault while running
	exitMistake = 2 // a mistake in flags, settings or policy
)

// mistake marks an error as the user's: the exit status is 2.
type mistake struct{ error }

// Unwrap returns the error that was marked.
func (m mistake) Unwrap() error { return m.error }

func main() {
	err := newRootCommand().ExecuteContext(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, "regionwatch: "+err.Error())
	}
	os.Exit(exitStatus(err))
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
		Use:           "regionwatch",
		Short:         "Watch AWS CloudTrail on Kafka for activity in unused regions",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return mistake{err} })
	root.AddCommand(newRunCommand(), newDemoCommand(), newScanCommand(), newGenerateCommand(), newVersionCommand())
	return root
}
