package policyfile

import (
	"fmt"
	"strings"
)

// Fault is a mistake in a policy, or a warning, and its place.
type Fault struct {
	File   string `json:"file"`
	Line   int    `json:"line"`   // from 1; 0 if it concerns the whole file
	Column int    `json:"column"` // from 1, in characters; 0 if it concerns the whole line
	Text   string `json:"text"`
}

// Error returns FILE:LINE:COLUMN: TEXT.
func (f *Fault) Error() string {
	switch {
	case f.Line == 0:
		return f.File + ": " + f.Text
	case f.Column == 0:
		return fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.Text)
	}
	return fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Column, f.Text)
}

// Faults is every mistake in a policy.
type Faults []*Fault

// Error returns one line per fault.
func (fs Faults) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.Error()
	}
	return strings.Join(lines, "\n")
}
