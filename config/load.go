package config

import (
	"errors"

	"github.com/spf13/pflag"
)

// Sources are what [Load] reads. The zero value yields the defaults.
type Sources struct {
	Flags    *pflag.FlagSet // parsed, from [AddFlags]; nil means none
	Environ  []string       // NAME=VALUE, as from [os.Environ]
	Required []string       // settings without a default that must be given
}

// candidate is the value of one setting from one source.
type candidate struct {
	setting *Setting
	words   []string
	origin  Origin
	each    []Origin // of each word, if they have their own positions
}

// Load reads all settings: flags override environment, which overrides the file, which overrides defaults. The error is
// [Faults] with every mistake. Settings are returned even then, with the next weaker source's value for each bad one.
func Load(from Sources) (*Settings, error) { return all.load(from) }

func (t table) load(from Sources) (*Settings, error) {
	l := loader{Settings: &Settings{origins: map[string]Origin{}, table: t}, bad: map[string]bool{}}
	l.reaches = from.Flags == nil || from.Flags.Lookup("brokers") != nil
	flags := t.fromFlags(from.Flags)
	variables, unknown := t.fromEnvironment(from.Environ)
	l.defaults(t)
	l.file(variables, flags)
	l.faults = append(l.faults, unknown...)
	l.apply(variables)
	l.apply(flags)
	if l.InputPattern != "" && l.origins["input-topic"].Source == FromDefault {
		l.InputTopics = nil // the pattern replaces the default
	}
	l.require(from.Required)
	l.fit()
	return l.Settings, l.faults.err()
}

// loader collects settings and mistakes, weakest source first.
type loader struct {
	*Settings
	faults Faults
	bad    map[string]bool // settings with a bad value in any source
	// reaches is set for commands that talk to brokers. Others ignore the TLS and SASL rules: they may share an
	// environment with a command that gets the rest from flags, as health does with run.
	reaches bool
}

func (l *loader) defaults(t table) {
	for i := range t {
		row := &t[i]
		l.origins[row.Name] = Origin{Name: row.Name}
		if row.Default == "" {
			continue
		}
		if err := row.set(l.Settings, row.split(row.Default)); err != nil {
			panic("BUG: default of " + row.Name + ": " + err.Error())
		}
	}
}

// file reads the file named by environment or flags.
func (l *loader) file(sources ...[]candidate) {
	for _, found := range sources {
		for _, c := range found {
			if c.setting.notInFile {
				l.apply([]candidate{c})
			}
		}
	}
	if l.Config == "" {
		return
	}
	source, err := readBounded(l.Config)
	if err != nil {
		text := "reading " + quoteFile(l.Config) + ": " + oneLine(err.Error())
		l.faults = append(l.faults, Fault{l.origins["config"].String(), text})
		return
	}
	r := l.table.fromYAML(l.Config, source)
	l.faults = append(l.faults, r.faults...)
	l.spelled = r.spelled
	l.apply(r.found)
}

// apply sets values and notes their mistakes.
func (l *loader) apply(found []candidate) {
	for _, c := range found {
		if err := c.setting.set(l.Settings, c.words); err != nil {
			l.bad[c.setting.Name] = true
			l.note(c, err)
			continue
		}
		l.origins[c.setting.Name] = c.origin
	}
}

// note adds a fault for each bad word.
func (l *loader) note(c candidate, err error) {
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		for _, e := range joined.Unwrap() {
			l.note(c, e)
		}
		return
	}
	text, origin := err.Error(), c.origin
	var word bad
	if errors.As(err, &word) {
		text = quote(withoutUser(c.setting.shown(word.word))) + " " + word.why
		if word.index < len(c.each) {
			origin = c.each[word.index]
		}
	}
	if c.setting.Secret {
		text = "the value is not allowed"
	}
	l.faults = append(l.faults, newFault(c.setting.Name, origin, withAllowed(text, c.setting.Allowed)))
}

// require adds a fault for each required setting without a value.
func (l *loader) require(names []string) {
	for _, name := range names {
		row := l.table.lookup(name)
		if row == nil || l.bad[name] || row.get(l.Settings) != "" {
			continue
		}
		l.faults = append(l.faults, Fault{name, "is required: give " + row.ways() + "; allowed: " + row.Allowed})
	}
}
