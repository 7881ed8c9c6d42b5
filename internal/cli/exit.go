// Package cli holds what every command shares: exit statuses, errors and their reporting, flags with bounds, settings as
// flags, signals, and the log. It does not depend on any command.
package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/regionwatch/regionwatch/internal/display"
)

// Exit statuses, the same for every command. A second signal kills the process at once with 128 plus its number.
const (
	ExitDone    = 0
	ExitFault   = 1 // an error while running
	ExitMistake = 2 // a mistake in flags, settings or policy
)

// mistake marks an error as a user's mistake.
type mistake struct{ error }

// Unwrap returns the marked error.
func (m mistake) Unwrap() error { return m.error }

// Mistake marks an error as a user's mistake: the exit status is [ExitMistake]. It returns nil for nil.
func Mistake(err error) error {
	if err == nil {
		return nil
	}
	return mistake{err}
}

// logged marks an error that was already logged.
type logged struct{ error }

// Unwrap returns the marked error.
func (l logged) Unwrap() error { return l.error }

// Logged marks an error that was already logged, so that [Report] skips it.
func Logged(err error) error { return logged{err} }

// Report writes an error, one output line per line of the error, and escapes text from brokers and files. It writes
// nothing for nil and for errors that were already logged.
func Report(w io.Writer, err error) {
	var l logged
	if err == nil || errors.As(err, &l) {
		return
	}
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintln(w, "regionwatch: "+display.Text(strings.TrimRight(line, "\r\n")))
	}
}

// Warn writes a warning the way [Report] writes an error.
func Warn(w io.Writer, text string) { Report(w, errors.New("warning: "+text)) }

// ExitStatus returns the exit status for an error.
func ExitStatus(err error) int {
	var m mistake
	var s stopped
	switch {
	case err == nil:
		return ExitDone
	case errors.As(err, &s):
		return signalStatus(s.signal)
	case errors.As(err, &m):
		return ExitMistake
	default:
		return ExitFault
	}
}
