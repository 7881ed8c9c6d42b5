package config

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/regionwatch/regionwatch/internal/nearest"
)

// Fault is one mistake in the settings.
type Fault struct {
	Where string // one origin, or those of all settings of a rule
	Text  string // what is wrong, and what is allowed
}

// Error returns the mistake on one line.
func (f Fault) Error() string { return f.Where + ": " + f.Text }

// Faults are all mistakes: of the file, the environment and flags, then of settings that do not fit together.
type Faults []Fault

// Error returns one line for each mistake.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i := range f {
		lines[i] = f[i].Error()
	}
	return strings.Join(lines, "\n")
}

// Blame attributes another package's error to a setting, as one mistake per line.
func (s *Settings) Blame(name string, err error) error {
	var faults Faults
	for line := range strings.Lines(err.Error()) {
		faults = append(faults, newFault(name, s.origins[name], oneLine(line)))
	}
	return faults.err()
}

// newFault returns a mistake in one setting. A position in a file does not name the setting, so the text does.
func newFault(name string, origin Origin, text string) Fault {
	if origin.Source == FromFile {
		text = name + ": " + text
	}
	return Fault{origin.String(), text}
}

// err returns the faults as an error, or nil.
func (f Faults) err() error {
	if len(f) == 0 {
		return nil
	}
	return f
}

// maxShown bounds how much of a bad value an error repeats, in bytes. A file name is shown whole up to the limit that
// systems have for paths.
const (
	maxShown = 80
	maxPath  = 4096
)

// quote returns a value quoted and bounded, for errors.
func quote(text string) string { return quoteUpTo(maxShown, text) }

func quoteUpTo(most int, text string) string {
	if len(text) > most {
		return strconv.Quote(text[:most]) + "…"
	}
	return strconv.Quote(text)
}

// quoteName returns the name of a key or variable for errors, without quotes if it is plain.
func quoteName(name string) string { return quoteOdd(maxShown, name) }

// quoteFile does the same for a file.
func quoteFile(name string) string { return quoteOdd(maxPath, name) }

func quoteOdd(most int, name string) string {
	odd := func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) || strings.ContainsRune(`:"`, r) }
	if name != "" && len(name) <= most && !strings.ContainsFunc(name, odd) {
		return name
	}
	return quoteUpTo(most, name)
}

// oneLine returns the first line of a foreign error, with unprintable characters escaped.
func oneLine(text string) string {
	text, _, _ = strings.Cut(text, "\n")
	var b strings.Builder
	for _, r := range text {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
	}
	return b.String()
}

// Source is where a value comes from. A greater source overrides a lesser one.
type Source uint8

// The sources, weakest first.
const (
	FromDefault Source = iota
	FromFile
	FromEnvironment
	FromFlag
)

// Origin is where a value came from.
type Origin struct {
	Source Source
	// Name is the setting (for a default), the flag with its dashes, the variable, or the file.
	Name string
	// Line and Column locate the value in a file, from 1.
	Line, Column int
}

// String returns "flag --group", "environment REGIONWATCH_GROUP", "file regionwatch.yaml:3:8" or "default of group".
func (o Origin) String() string {
	switch o.Source {
	case FromFlag:
		return "flag " + o.Name
	case FromEnvironment:
		return "environment " + o.Name
	case FromFile:
		return fmt.Sprintf("file %s:%d:%d", o.Name, o.Line, o.Column)
	default:
		return "default of " + o.Name
	}
}

// didYouMean returns ", did you mean …?", or "" if nothing is near.
func didYouMean(name string, candidates []string) string {
	near := nearest.Of(name, candidates)
	if near == "" {
		return ""
	}
	return ", did you mean " + near + "?"
}

// withAllowed adds what is allowed to a fault's text, which may end in a question.
func withAllowed(text, allowed string) string {
	if strings.HasSuffix(text, "?") {
		return text + " Allowed: " + allowed
	}
	return text + "; allowed: " + allowed
}
