package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// parsed is the value of a flag that a function reads. It implements pflag.Value.
type parsed[T any] struct {
	value T
	text  string
	kind  string // for help
	parse func(string) (T, error)
}

// Set reads the text. The error says what is wrong with it and what is allowed.
func (p *parsed[T]) Set(text string) error {
	value, err := p.parse(text)
	if err != nil {
		return err
	}
	p.value, p.text = value, text
	return nil
}

// String returns the text that was given, or the default.
func (p *parsed[T]) String() string { return p.text }

// Type returns the kind of value for help.
func (p *parsed[T]) Type() string { return p.kind }

// newParsed returns a value whose default is written as it would be given.
func newParsed[T any](standard, kind string, parse func(string) (T, error)) *parsed[T] {
	p := &parsed[T]{kind: kind, parse: parse}
	if err := p.Set(standard); err != nil {
		panic("BUG: " + standard + " " + err.Error())
	}
	return p
}

// newShare returns a share from 0 to 1.
func newShare(standard string) *parsed[float64] {
	return newParsed(standard, "share", func(text string) (float64, error) {
		v, err := strconv.ParseFloat(text, 64)
		if err != nil || !(v >= 0 && v <= 1) {
			return 0, errors.New("is no share; allowed: 0 to 1")
		}
		return v, nil
	})
}

// newNumber returns a whole number with its bounds.
func newNumber(standard string, least, most int64) *parsed[int64] {
	return newParsed(standard, "number", func(text string) (int64, error) {
		v, err := strconv.ParseInt(strings.ReplaceAll(text, ",", ""), 10, 64)
		if err != nil || v < least || v > most {
			return 0, fmt.Errorf("is not allowed; allowed: %d to %d", least, most)
		}
		return v, nil
	})
}

// newMoment returns a time; now is the time at which the flag is read.
func newMoment(standard string) *parsed[time.Time] {
	return newParsed(standard, "time", func(text string) (time.Time, error) {
		if text == "now" {
			return time.Now(), nil
		}
		v, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return v, errors.New("is no time; allowed: now, or RFC 3339 such as 2026-11-01T00:00:00Z")
		}
		return v, nil
	})
}
