package main

import (
	"io"
	"os"

	"golang.org/x/term"

	"github.com/regionwatch/regionwatch/internal/display"
)

// isTerminal reports whether w is a terminal.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// printable returns text from outside as it may be shown on a terminal: whatever is no character that shows as itself,
// line breaks included, is written as a Go escape.
func printable(text string) string { return display.Text(text) }
