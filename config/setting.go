package config

import "strings"

// Prefix starts every environment variable that regionwatch reads.
const Prefix = "REGIONWATCH_"

// Setting is one row of the table: everything about a setting except its value.
type Setting struct {
	// Name is the flag without dashes, and the key in the file.
	Name string
	// Section groups settings in help and documentation.
	Section string
	// Default is as written by a user; empty means none.
	Default string
	// Help is one sentence, without the allowed values.
	Help string
	// Secret values come from environment or file and are never shown.
	Secret bool

	notInFile bool // the name of the file itself
	kind
}

// OfIncidents reports whether only regionwatch incidents uses the setting.
func (s *Setting) OfIncidents() bool { return s.Section == sectionIncident }

// Flag returns the flag with its dashes, empty for a secret.
func (s *Setting) Flag() string {
	if s.Secret {
		return ""
	}
	return "--" + s.Name
}

// Variable returns the name of the environment variable.
func (s *Setting) Variable() string {
	return Prefix + strings.ToUpper(strings.ReplaceAll(s.Name, "-", "_"))
}

// Key returns the key in the file, empty if a file cannot set it. It is spelled as the policy's keys are, with underscores.
func (s *Setting) Key() string {
	if s.notInFile {
		return ""
	}
	return strings.ReplaceAll(s.Name, "-", "_")
}

// ways lists every place where the setting can be given, for an error that asks for it.
func (s *Setting) ways() string {
	ways := make([]string, 0, 3)
	if !s.Secret {
		ways = append(ways, "flag "+s.Flag())
	}
	ways = append(ways, "environment "+s.Variable())
	if !s.notInFile {
		ways = append(ways, "file key "+s.Key())
	}
	last := len(ways) - 1
	return strings.Join(ways[:last], ", ") + " or " + ways[last]
}

// table is a set of settings: [all], or a smaller one in tests.
type table []Setting

// lookup returns the named setting, or nil.
func (t table) lookup(name string) *Setting {
	for i := range t {
		if t[i].Name == name {
			return &t[i]
		}
	}
	return nil
}

// Table returns the settings in display order. The caller must not change them.
func Table() []Setting { return all }

// Lookup returns the named setting, or nil.
func Lookup(name string) *Setting { return all.lookup(name) }
