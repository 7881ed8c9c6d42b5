package policyfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/regionwatch/regionwatch/processor/policy"
)

// reader reads a policy and collects its faults.
type reader struct {
	name     string // of the policy
	file     string // being read
	files    []string
	order    map[string]int // of files, from 1
	verify   Verify         // nil trusts every file
	maxFiles int            // in a folder of accounts; 0 means that the policy cannot name files
	options  policy.Options
	sets     map[string][]string // region sets by name
	places   places
	faults   Faults
	spelled  Faults       // a warning for each key with hyphens
	place    policy.Place // what is being read
}

// position is a place in a file.
type position struct {
	file         string
	line, column int
}

// places are the positions of the parts of a policy.
type places map[policy.Place]position

// of returns the position of a part, or of the nearest enclosing one that is known.
func (p places) of(place policy.Place, file string) position {
	for _, near := range []policy.Place{
		place,
		{Part: place.Part, Index: place.Index, Field: place.Field, Item: -1},
		{Part: place.Part, Index: place.Index, Item: -1},
	} {
		if at, ok := p[near]; ok {
			return at
		}
	}
	return position{file: file}
}

// enter records that a part begins.
func (r *reader) enter(part policy.Part, index int, n *yaml.Node) {
	r.place = policy.Place{Part: part, Index: index, Item: -1}
	r.places[r.place] = r.at(n)
}

// note records the position of a field, or of an item in it.
func (r *reader) note(field string, item int, n *yaml.Node) {
	place := r.place
	place.Field, place.Item = field, item
	r.places[place] = r.at(n)
}

func (r *reader) at(n *yaml.Node) position { return position{r.file, n.Line, n.Column} }

func (r *reader) fault(n *yaml.Node, format string, args ...any) {
	r.faultAt(r.at(n), fmt.Sprintf(format, args...))
}

func (r *reader) faultAt(at position, text string) {
	r.faults = append(r.faults, &Fault{at.file, at.line, at.column, text})
}

// parse returns the one document of a YAML file, or nil if there is none.
func (r *reader) parse(source []byte) *yaml.Node {
	d := yaml.NewDecoder(bytes.NewReader(source))
	var root, more yaml.Node
	err := d.Decode(&root)
	switch {
	case errors.Is(err, io.EOF):
		r.faultAt(position{file: r.file}, "the file is empty")
		return nil
	case err != nil:
		r.syntax(source, err)
		return nil
	}
	if err := d.Decode(&more); err == nil {
		r.fault(&more, "a second document; want all in one")
	} else if !errors.Is(err, io.EOF) {
		r.syntax(source, err)
	}
	return root.Content[0]
}

// syntax reports bytes that are not YAML.
func (r *reader) syntax(source []byte, err error) {
	at, text := position{file: r.file}, strings.TrimPrefix(err.Error(), "yaml: ")
	var load *yaml.LoadError
	if errors.As(err, &load) {
		at.line, at.column, text = load.Mark.Line, load.Mark.Column, load.Message
		if load.ContextMsg != "" {
			text = fmt.Sprintf("%s (%s, line %d)", text, load.ContextMsg, load.ContextMark.Line)
		}
		if beginsWithTab(source, load.Mark.Line) {
			text = "the line begins with a tab; indent it with spaces"
		}
	}
	r.faultAt(at, "invalid YAML: "+strings.Join(strings.Fields(text), " "))
}

// beginsWithTab reports whether the indentation of a line, counted from 1, has a tab. The parser's own error does not
// say so.
func beginsWithTab(source []byte, line int) bool {
	lines := bytes.Split(source, []byte("\n"))
	if line < 1 || line > len(lines) {
		return false
	}
	indentation := lines[line-1][:len(lines[line-1])-len(bytes.TrimLeft(lines[line-1], " \t"))]
	return bytes.ContainsRune(indentation, '\t')
}

// text returns a scalar as written: an account id keeps its leading zeros, quoted or not.
func (r *reader) text(n *yaml.Node) string {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		r.fault(n, "want a string%s", isNot(n))
		return ""
	}
	return n.Value
}

func isNot(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return ", not a mapping"
	case yaml.SequenceNode:
		return ", not a list"
	case yaml.AliasNode:
		return ", not an alias: write it out, so that a reader need not look elsewhere"
	}
	return ""
}

// texts returns a list of scalars, and records the position of each.
func (r *reader) texts(field string, n *yaml.Node) []string {
	list := r.scalars(n)
	for i := range list {
		r.note(field, i, n.Content[i])
	}
	return list
}

// scalars returns a list of scalars.
func (r *reader) scalars(n *yaml.Node) []string {
	if n.Kind != yaml.SequenceNode {
		r.fault(n, "want a list such as [a, b]%s", isNot(n))
		return nil
	}
	list := make([]string, 0, len(n.Content))
	for _, item := range n.Content {
		list = append(list, r.text(item))
	}
	if len(list) == 0 {
		r.fault(n, "the list is empty")
	}
	return list
}

// time returns a date, which is its first instant in UTC, or a time.
func (r *reader) time(n *yaml.Node) time.Time {
	text := r.text(n)
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil && !t.IsZero() {
			return t.UTC()
		}
	}
	if text != "" {
		r.fault(n, "%q is neither a date such as 2027-03-31 nor an RFC 3339 time", cut(text))
	}
	return time.Time{}
}

// flag returns true or false. YAML 1.1 had other words for them, which are mistakes here.
func (r *reader) flag(n *yaml.Node) bool {
	if n.Kind == yaml.ScalarNode && n.Style == 0 && (n.Value == "true" || n.Value == "false") {
		return n.Value == "true"
	}
	r.fault(n, "want true or false")
	return false
}

// choice returns one of the words.
func (r *reader) choice(n *yaml.Node, words ...string) string {
	text := r.text(n)
	for _, w := range words {
		if text == w {
			return w
		}
	}
	if text != "" {
		r.fault(n, "%q is not one of %s%s", cut(text), join(words), didYouMean(text, words))
	}
	return words[0]
}
