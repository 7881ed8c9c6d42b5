package main

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// choice is the value of a flag that takes one of a few words. It implements pflag.Value.
type choice struct {
	words []string
	word  string
}

// newChoice returns a choice of words; the first is the default.
func newChoice(words ...string) *choice { return &choice{words, words[0]} }

// Set takes a word.
func (c *choice) Set(word string) error {
	if !slices.Contains(c.words, word) {
		return errors.New("is not known; allowed: " + strings.Join(c.words, ", "))
	}
	c.word = word
	return nil
}

// String returns the word.
func (c *choice) String() string { return c.word }

// Type returns the kind of value for help.
func (c *choice) Type() string { return "word" }

// addTo gives the command the flag, with completion.
func (c *choice) addTo(cmd *cobra.Command, name, help string) {
	cmd.Flags().Var(c, name, help+" ("+strings.Join(c.words, ", ")+")")
	mustBeKnown(cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(c.words, cobra.ShellCompDirectiveNoFileComp)))
}
