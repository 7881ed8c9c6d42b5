package policy

import (
	"bytes"

	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

// exceptionSet is a set of exceptions, by their number in the policy.
type exceptionSet []uint64

func newExceptionSet(n int) exceptionSet { return make(exceptionSet, (n+63)/64) }

func (b exceptionSet) set(i int) { b[i/64] |= 1 << (i % 64) }

// meets reports whether the sets have an exception in common.
func (b exceptionSet) meets(other exceptionSet) bool {
	for w := range b {
		if b[w]&other[w] != 0 {
			return true
		}
	}
	return false
}

// condition is one condition over all exceptions: for a value of the event, it returns those that the value does not
// rule out. Each condition costs an event one look-up, however many exceptions there are.
type condition struct {
	literal map[string]exceptionSet // the exceptions that ask for this value, and all of rest
	rest    exceptionSet            // the exceptions that do not ask, and those with a wildcard, which are checked one by one
}

// newCondition indexes n exceptions by the values they ask for.
func newCondition(n int, valuesOf func(i int) []string) condition {
	c := condition{literal: make(map[string]exceptionSet), rest: newExceptionSet(n)}
	for i := range n {
		values := valuesOf(i)
		if len(values) == 0 || anyWildcard(values) {
			c.rest.set(i)
			continue
		}
		for _, v := range values {
			if c.literal[v] == nil {
				c.literal[v] = newExceptionSet(n)
			}
			c.literal[v].set(i)
		}
	}
	for _, b := range c.literal {
		for w := range b {
			b[w] |= c.rest[w]
		}
	}
	return c
}

func anyWildcard(patterns []string) bool {
	for _, p := range patterns {
		if hasWildcard(p) {
			return true
		}
	}
	return false
}

// possible returns the exceptions that a text of the event does not rule out.
func (c *condition) possible(text []byte) exceptionSet {
	if b, ok := c.literal[string(text)]; ok {
		return b
	}
	return c.rest
}

// possibleValue is possible for a value of the event.
func (c *condition) possibleValue(v jsonscan.Value) exceptionSet {
	if len(c.literal) == 0 {
		return c.rest
	}
	if text, ok := plainText(v); ok {
		return c.possible(text)
	}
	var array [maxNameBytes]byte
	text, _ := shortText(v, array[:])
	return c.possible(text)
}

// maxNameBytes is longer than any name of an event or a service. A longer one matches no exception.
const maxNameBytes = 256

// plainText returns the text of a string that has no escapes and is no longer than a name; it aliases v. It is
// [shortText] without a buffer for decoding, which takes time to clear.
func plainText(v jsonscan.Value) ([]byte, bool) {
	if !v.IsString() || len(v) > maxNameBytes {
		return nil, false
	}
	inner := v[1 : len(v)-1]
	return inner, bytes.IndexByte(inner, '\\') < 0
}

// shortText returns the text of a string, decoded into buf if it has escapes, and false if v is not a string or might
// not fit into buf. A text without escapes aliases v.
func shortText(v jsonscan.Value, buf []byte) ([]byte, bool) {
	if !v.IsString() || len(v) > 2+6*len(buf) { // in quotes, every letter escaped
		return nil, false
	}
	inner := v[1 : len(v)-1]
	if bytes.IndexByte(inner, '\\') >= 0 {
		// Text that does not fit into buf is rare enough to cost an allocation.
		inner = v.AppendText(buf[:0])
	}
	return inner, len(inner) <= len(buf)
}
