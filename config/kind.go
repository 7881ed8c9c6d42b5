package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// kind is the type of a setting: how values are read, shown and described.
type kind struct {
	// Type is one word for help, such as duration or topic.
	Type string
	// Allowed describes the allowed values.
	Allowed string
	// Choices are the allowed words, if there are only a few, for completion.
	Choices []string

	many   bool // a list, separated by commas or given as repeated flags
	toggle bool // a flag without a value means true

	// hide removes possible secrets from a word before it is shown; nil shows it whole.
	hide func(word string) string

	set func(s *Settings, words []string) error // one word, any number for a list
	get func(s *Settings) string                // as written by a user
}

// bad is a word that is not allowed, its index in the value, and why.
type bad struct {
	word  string
	index int
	why   string
}

func (b bad) Error() string { return b.word + " " + b.why }

// shown returns a word without its secrets.
func (k *kind) shown(word string) string {
	if k.hide == nil {
		return word
	}
	return k.hide(word)
}

// withoutQuery returns a URL without query and fragment, which may hold a key. With an @ behind them the parts are
// ambiguous, so all is hidden.
func withoutQuery(word string) string {
	switch i := strings.IndexAny(word, "?#"); {
	case i < 0:
		return word
	case strings.Contains(word[i:], "@"):
		return "(hidden)"
	default:
		return word[:i+1] + "(hidden)"
	}
}

// withoutUser hides what precedes an @, which may be a password.
func withoutUser(word string) string {
	if i := strings.LastIndexByte(word, '@'); i >= 0 {
		return "(hidden)" + word[i:]
	}
	return word
}

// reader reads one word. Its error is only the reason, such as "is too large".
type reader[T any] func(word string) (T, error)

// one is the kind of a setting with a single value.
func one[T any](at func(*Settings) *T, parse reader[T], show func(T) string) kind {
	return kind{
		set: func(s *Settings, words []string) error {
			word := ""
			if len(words) > 0 {
				word = words[len(words)-1]
			}
			value, err := parse(word)
			if err != nil {
				return bad{word: word, why: err.Error()}
			}
			*at(s) = value
			return nil
		},
		get: func(s *Settings) string { return show(*at(s)) },
	}
}

// list is the kind of a setting with several values, at least one.
func list(at func(*Settings) *[]string, typ, allowed string, parse reader[string]) kind {
	return kind{
		Type: typ, Allowed: allowed, many: true,
		set: func(s *Settings, words []string) error {
			if len(words) == 0 {
				return errors.New("the list is empty")
			}
			var values []string
			var errs []error
			for i, word := range words {
				value, err := parse(word)
				if err != nil {
					errs = append(errs, bad{word, i, err.Error()})
				}
				values = append(values, value)
			}
			if len(errs) == 0 {
				*at(s) = values
			}
			return errors.Join(errs...)
		},
		get: func(s *Settings) string { return strings.Join(*at(s), ",") },
	}
}

// text is the kind of a single word.
func text(at func(*Settings) *string, typ, allowed string, parse reader[string]) kind {
	k := one(at, parse, func(v string) string { return v })
	k.Type, k.Allowed = typ, allowed
	return k
}

// choice is the kind of one of these words.
func choice(at func(*Settings) *string, words ...string) kind {
	k := text(at, "word", strings.Join(words, ", "), oneOf(words))
	k.Choices = words
	return k
}

// flip is the kind of a boolean written as one of two words.
func flip(at func(*Settings) *bool, off, on string) kind {
	words := []string{off, on}
	parse := oneOf(words)
	k := one(at,
		func(word string) (bool, error) { v, err := parse(word); return v == on, err },
		func(v bool) string {
			if v {
				return on
			}
			return off
		})
	k.Type, k.Allowed, k.Choices = "word", off+", "+on, words
	return k
}

// toggle is the kind of a boolean.
func toggle(at func(*Settings) *bool) kind {
	k := flip(at, "false", "true")
	k.Type, k.toggle = "bool", true
	return k
}

// span is the kind of a duration within bounds.
func span(at func(*Settings) *time.Duration, least, most time.Duration) kind {
	k := one(at, func(word string) (time.Duration, error) {
		d, err := time.ParseDuration(word)
		switch {
		case err != nil:
			return 0, errors.New("is not a duration")
		case d < least:
			return 0, errors.New("is too short")
		case d > most:
			return 0, errors.New("is too long")
		}
		return d, nil
	}, shortDuration)
	k.Type = "duration"
	k.Allowed = fmt.Sprintf("a duration from %s to %s", shortDuration(least), shortDuration(most))
	return k
}

// number is the kind of an integer within bounds.
func number(at func(*Settings) *int, least, most int) kind {
	k := one(at, func(word string) (int, error) {
		n, err := strconv.Atoi(word)
		if err != nil {
			return 0, errors.New("is not a whole number")
		}
		return n, within(n, least, most)
	}, strconv.Itoa)
	k.Type = "number"
	k.Allowed = fmt.Sprintf("a number from %d to %d", least, most)
	return k
}

// size is the kind of a number of bytes within bounds.
func size(at func(*Settings) *int, least, most int) kind {
	k := one(at, func(word string) (int, error) {
		n, err := parseSize(word)
		if err != nil {
			return 0, err
		}
		return n, within(n, least, most)
	}, formatSize)
	k.Type = "bytes"
	k.Allowed = fmt.Sprintf("bytes from %s to %s, optionally with a unit (k, M, G, Ki, Mi, Gi, with or without B)", formatSize(least), formatSize(most))
	return k
}

func within(n, least, most int) error {
	switch {
	case n < least:
		return errors.New("is too small")
	case n > most:
		return errors.New("is too large")
	}
	return nil
}

// shortDuration returns the duration without trailing zero parts.
func shortDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
