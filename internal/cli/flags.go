package cli

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// Choice is a flag value that accepts one of a few words. It implements pflag.Value.
type Choice struct {
	words []string
	word  string
}

// NewChoice returns a choice between words. The first one is the default.
func NewChoice(words ...string) *Choice { return &Choice{words, words[0]} }

// Set selects a word.
func (c *Choice) Set(word string) error {
	if !slices.Contains(c.words, word) {
		return errors.New("is not known; allowed: " + strings.Join(c.words, ", "))
	}
	c.word = word
	return nil
}

// String returns the selected word.
func (c *Choice) String() string { return c.word }

// Type returns the kind of value shown in help.
func (c *Choice) Type() string { return "word" }

// AddTo adds the flag to a command, with completion.
func (c *Choice) AddTo(cmd *cobra.Command, name, help string) {
	cmd.Flags().Var(c, name, help+" ("+strings.Join(c.words, ", ")+")")
	CompleteFlag(cmd, name, c.words)
}

// CompleteFlag makes shells offer words as completions for a flag.
func CompleteFlag(cmd *cobra.Command, name string, words []string) {
	Must(cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)))
}

// CompleteList makes shells complete the last word of a list for a flag: separators are between the words. Text after a
// tab in a word describes it.
func CompleteList(cmd *cobra.Command, name, separators string, words []string) {
	Must(cmd.RegisterFlagCompletionFunc(name, func(_ *cobra.Command, _ []string, typed string) (offers []string, _ cobra.ShellCompDirective) {
		done := typed[:strings.LastIndexAny(typed, separators)+1]
		for _, word := range words {
			offers = append(offers, done+word)
		}
		return offers, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}))
}

// Must panics on an error that only a programming mistake can cause, such as completing a flag that was never added.
func Must(err error) {
	if err != nil {
		panic("BUG: " + err.Error())
	}
}

// Parsed is a flag value that a function parses. It implements pflag.Value.
type Parsed[T any] struct {
	Value T
	text  string
	kind  string
	parse func(string) (T, error)
}

// Set parses the text. The error says what is wrong and what is allowed.
func (p *Parsed[T]) Set(text string) error {
	value, err := p.parse(text)
	if err != nil {
		return err
	}
	p.Value, p.text = value, text
	return nil
}

// String returns the text as given, or the default.
func (p *Parsed[T]) String() string { return p.text }

// Type returns the kind of value shown in help.
func (p *Parsed[T]) Type() string { return p.kind }

// NewParsed returns a value with a default, written as a user would write it, and the kind of value shown in help.
func NewParsed[T any](standard, kind string, parse func(string) (T, error)) *Parsed[T] {
	p := &Parsed[T]{kind: kind, parse: parse}
	if err := p.Set(standard); err != nil {
		panic("BUG: " + standard + " " + err.Error())
	}
	return p
}

// NewShare returns a fraction from 0 to 1.
func NewShare(standard string) *Parsed[float64] {
	return NewParsed(standard, "share", func(text string) (float64, error) {
		v, err := strconv.ParseFloat(text, 64)
		if err != nil || !(v >= 0 && v <= 1) {
			return 0, errors.New("is not a share; allowed: 0 to 1")
		}
		return v, nil
	})
}

// NewNumber returns an integer from least to most. Commas may group the digits; the suffixes k, M and G multiply by 1,000
// and its powers.
func NewNumber(standard string, least, most int64) *Parsed[int64] {
	return NewParsed(standard, "number", func(text string) (int64, error) {
		v, ok := parseNumber(strings.ReplaceAll(text, ",", ""))
		if !ok || v < least || v > most {
			return 0, fmt.Errorf("is not allowed; allowed: %d to %d", least, most)
		}
		return v, nil
	})
}

func parseNumber(text string) (n int64, ok bool) {
	factor := int64(1)
	for _, unit := range []struct {
		name   string
		factor int64
	}{{"k", 1e3}, {"M", 1e6}, {"G", 1e9}} {
		if digits, found := strings.CutSuffix(text, unit.name); found {
			text, factor = digits, unit.factor
			break
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n * factor, err == nil && n*factor/factor == n
}

// NewMoment returns a time; "now" means the time when the flag is parsed.
func NewMoment(standard string) *Parsed[time.Time] {
	return NewParsed(standard, "time", func(text string) (time.Time, error) {
		if text == "now" {
			return time.Now(), nil
		}
		v, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return v, errors.New("is not a time; allowed: now, or RFC 3339 such as 2026-11-01T00:00:00Z")
		}
		return v, nil
	})
}

// NewPast returns a time, given in RFC 3339 or as an age such as 36h or 7d. The default is the zero time.
func NewPast() *Parsed[time.Time] {
	return NewParsed("", "time", func(text string) (time.Time, error) {
		if text == "" {
			return time.Time{}, nil
		}
		if days, ok := strings.CutSuffix(text, "d"); ok {
			if n, err := strconv.ParseUint(days, 10, 16); err == nil {
				return time.Now().AddDate(0, 0, -int(n)), nil
			}
		}
		if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
			return time.Now().Add(-ago), nil
		}
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return at, errors.New("is not a time; allowed: RFC 3339 such as 2026-11-01T00:00:00Z, or an age such as 36h or 7d")
		}
		return at, nil
	})
}
