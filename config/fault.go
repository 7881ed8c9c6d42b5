package config

import (
	"strconv"
	"strings"
)

// Fault is one mistake in the settings.
type Fault struct {
	Where string // the origin, or the origins of a pair that does not fit
	Text  string // what is wrong, and what is allowed
}

// Error returns the mistake on one line.
func (f Fault) Error() string { return f.Where + ": " + f.Text }

// Faults are all mistakes, in the order of file, environment, flags, and then of what does not fit
// together.
type Faults []Fault

// Error returns one line for each mistake.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i := range f {
		lines[i] = f[i].Error()
	}
	return strings.Join(lines, "\n")
}

// err returns the faults as an error, nil where there are none.
func (f Faults) err() error {
	if len(f) == 0 {
		return nil
	}
	return f
}

// maxShown bounds how much of a bad value an error repeats, in bytes.
const maxShown = 80

// quote returns a value as errors show it: printable, bounded.
func quote(text string) string {
	if len(text) > maxShown {
		return strconv.Quote(text[:maxShown]) + "…"
	}
	return strconv.Quote(text)
}
