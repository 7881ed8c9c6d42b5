package config

import (
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// AddFlags adds flags for the named settings, or for all if none is named. Secrets get none. Flags only store their
// text; [Load] parses it, so that all mistakes are reported together.
func AddFlags(flags *pflag.FlagSet, names ...string) { all.addFlags(flags, names...) }

func (t table) addFlags(flags *pflag.FlagSet, names ...string) {
	for i := range t {
		row := &t[i]
		if row.Secret || len(names) > 0 && !slices.Contains(names, row.Name) {
			continue
		}
		flag := flags.VarPF(&flagText{setting: row}, row.Name, "", usage(row))
		if row.toggle {
			flag.NoOptDefVal = "true"
		}
	}
}

// usage returns the help line of a flag.
func usage(row *Setting) string {
	if row.toggle {
		return row.Help
	}
	return row.Help + " (" + row.Allowed + ")"
}

// flagText is a flag's value as given. It implements [pflag.Value].
type flagText struct {
	setting *Setting
	words   []string
}

// Set keeps the text. Of those for a single value the last one counts.
func (f *flagText) Set(text string) error {
	f.words = append(f.words, f.setting.split(text)...)
	return nil
}

// String returns the default, which help shows.
func (f *flagText) String() string { return f.setting.Default }

// Type returns the type shown in help.
func (f *flagText) Type() string { return f.setting.Type }

// split returns the words of a text: the text itself, or the parts between commas of a list.
func (s *Setting) split(text string) []string {
	if !s.many {
		return []string{text}
	}
	words := strings.Split(text, ",")
	for i := range words {
		words[i] = strings.TrimSpace(words[i])
	}
	return words
}

// fromFlags returns the values given as flags.
func (t table) fromFlags(flags *pflag.FlagSet) []candidate {
	var found []candidate
	if flags == nil {
		return nil
	}
	for i := range t {
		flag := flags.Lookup(t[i].Name)
		if flag == nil || !flag.Changed {
			continue
		}
		if text, ours := flag.Value.(*flagText); ours {
			found = append(found, candidate{setting: &t[i], words: text.words, origin: Origin{Source: FromFlag, Name: t[i].Flag()}})
		}
	}
	return found
}
