package config

import "strings"

// Prefix starts the name of every environment variable that regionwatch reads.
const Prefix = "REGIONWATCH_"

// Setting is one row of the table: everything there is to know of a setting, save its value.
type Setting struct {
	// Name is the flag without its dashes and the key in the file.
	Name string
	// Section groups settings in help and README.
	Section string
	// Default is written as a user would write it. Empty means that there is none.
	Default string
	// Help is one sentence for people, without what is allowed.
	Help string
	// Secret values come from environment or file only and are never shown.
	Secret bool

	notInFile bool // the file's own name
	kind
}

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

// Key returns the key in the file, empty for a setting that does not stand there.
func (s *Setting) Key() string {
	if s.notInFile {
		return ""
	}
	return s.Name
}

// ways names every place where the setting can be given, for an error that asks for it.
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

// table is a set of settings. The one that counts is [all]; tests make smaller ones.
type table []Setting

// lookup returns the setting of that name, or nil.
func (t table) lookup(name string) *Setting {
	for i := range t {
		if t[i].Name == name {
			return &t[i]
		}
	}
	return nil
}

// Table returns the settings in the order in which they are shown. The caller must not change them.
func Table() []Setting { return all }

// Lookup returns the setting of that name, or nil.
func Lookup(name string) *Setting { return all.lookup(name) }
