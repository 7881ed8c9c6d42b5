package config

import (
	"strconv"
	"strings"
	"unicode"
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

// Blame returns an error that another package found in a setting's value as mistakes of that setting, one
// for each line.
func (s *Settings) Blame(name string, err error) error {
	var faults Faults
	for line := range strings.Lines(err.Error()) {
		faults = append(faults, newFault(name, s.origins[name], oneLine(line)))
	}
	return faults.err()
}

// newFault returns a mistake in one setting. The file's place does not name the setting, so the text does.
func newFault(name string, origin Origin, text string) Fault {
	if origin.Source == FromFile {
		text = name + ": " + text
	}
	return Fault{origin.String(), text}
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

// quoteName returns the name of a key, a variable or a file as errors show it: bare where it is plain.
func quoteName(name string) string {
	odd := func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) || strings.ContainsRune(`:"`, r) }
	if name != "" && len(name) <= maxShown && !strings.ContainsFunc(name, odd) {
		return name
	}
	return quote(name)
}

// oneLine returns a foreign error's text on one line, what cannot be printed as an escape.
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
