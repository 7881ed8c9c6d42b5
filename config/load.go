package config

import (
	"errors"

	"github.com/spf13/pflag"
)

// Sources are where [Load] reads settings from. The zero value gives the defaults.
type Sources struct {
	Flags    *pflag.FlagSet // parsed, made with [AddFlags]; nil means none
	Environ  []string       // NAME=VALUE, as [os.Environ] returns them
	Required []string       // names of settings without a default that must be given
}

// candidate is a value that one source gives for one setting.
type candidate struct {
	setting *Setting
	words   []string
	origin  Origin
	each    []Origin // of each word, where they have places of their own
}

// Load reads all settings: flags over environment over file over defaults. The error is [Faults] and
// holds every mistake. The settings are returned in any case; with an error they hold the value of the
// next weaker source wherever one was bad.
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
	l.require(from.Required)
	l.fit()
	return l.Settings, l.faults.err()
}

// loader gathers the settings and the mistakes, the weakest source first.
type loader struct {
	*Settings
	faults Faults
	bad    map[string]bool // settings with a bad value in any source
	// reaches says that the command speaks to brokers. To one that does not, TLS and SASL are no concern: the rest of
	// them may stand in the flags of another command, as for the health check beside run.
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

// file reads the file that environment or flags name.
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
		text := "reading " + quote(l.Config) + ": " + oneLine(err.Error())
		l.faults = append(l.faults, Fault{l.origins["config"].String(), text})
		return
	}
	found, faults := l.table.fromYAML(l.Config, source)
	l.faults = append(l.faults, faults...)
	l.apply(found)
}

// apply sets the values and notes the mistakes in them.
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

// note adds a fault for each bad word of a value.
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
	l.faults = append(l.faults, newFault(c.setting.Name, origin, text+"; allowed: "+c.setting.Allowed))
}

// require notes the settings that must be given and are not.
func (l *loader) require(names []string) {
	for _, name := range names {
		row := l.table.lookup(name)
		if row == nil || l.bad[name] || row.get(l.Settings) != "" {
			continue
		}
		l.faults = append(l.faults, Fault{name, "is required: give " + row.ways() + "; allowed: " + row.Allowed})
	}
}
