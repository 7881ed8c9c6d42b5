package policyfile

import (
	"encoding/json"
	"fmt"
	"slices"

	"go.yaml.in/yaml/v4"

	"github.com/regionwatch/regionwatch/processor/policy"
)

// Case is an event and the decision it should get.
type Case struct {
	Name    string
	Want    bool   // an alert; ignored if Outcome is set
	Outcome string // as in metrics; empty if ExpectedResult is given
	Event   []byte // JSON
	At      string // FILE:LINE
	// Incidents is how alerts of the event's account are grouped. Nil means that the case does not say.
	Incidents *policy.Incidents
}

// testsKey holds the cases in a mapping, as in Panther's rules.
const testsKey = "Tests"

// LoadCases reads cases in the format of Panther's rule tests: a list of Name, ExpectedResult and Log, alone or under
// the key Tests of a rule. The error is [Faults].
func LoadCases(name string) ([]Case, error) {
	r := &reader{name: name, places: places{}}
	var cases []Case
	if source, ok := r.open(name); ok {
		if root := r.parse(source); root != nil {
			cases = r.cases(root)
		}
	}
	if len(r.faults) > 0 {
		return nil, r.faults
	}
	return cases, nil
}

func (r *reader) cases(root *yaml.Node) (cases []Case) {
	list := root
	if root.Kind == yaml.MappingNode {
		list = member(root, testsKey)
		if list == nil {
			r.fault(root, "the key %s is missing", testsKey)
			return nil
		}
	}
	if list.Kind != yaml.SequenceNode {
		r.fault(list, "want a list of cases, each with Name, ExpectedResult and Log")
		return nil
	}
	if len(list.Content) == 0 {
		r.fault(list, "the list has no cases")
	}
	for _, n := range list.Content {
		c := Case{At: fmt.Sprintf("%s:%d", r.file, n.Line)}
		readMapping(r, n, "a case", caseFields, &c)
		if c.Event == nil {
			r.fault(n, "a case needs a Log: the event")
		}
		if (member(n, "ExpectedResult") == nil) == (c.Outcome == "") {
			r.fault(n, "a case needs an ExpectedResult (whether the event alerts) or an Outcome, and not both")
		}
		cases = append(cases, c)
	}
	return cases
}

// member returns the value of a key, or nil.
func member(n *yaml.Node, key string) *yaml.Node {
	for i := 0; n.Kind == yaml.MappingNode && i < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

var caseFields = []field[Case]{
	textField("Name", "What the case shows.", textSchema, func(c *Case) *string { return &c.Name }),
	{"ExpectedResult", "Whether the event alerts.", flagSchema, func(r *reader, n *yaml.Node, c *Case) { c.Want = r.flag(n) }},
	{"Outcome", "How the event is decided, as metrics name it.", choiceSchema(outcomes()...), func(r *reader, n *yaml.Node, c *Case) {
		c.Outcome = r.choice(n, outcomes()...)
	}},
	{"Incidents", "How alerts of the event's account are grouped, as a level says it: what is left out is the default.", schema{"type": "object"},
		func(r *reader, n *yaml.Node, c *Case) {
			c.Incidents = &policy.Incidents{}
			readMapping(r, n, "Incidents", incidentFields, c.Incidents)
		}},
	{"Log", "The event.", schema{"type": "object"}, func(r *reader, n *yaml.Node, c *Case) {
		c.Event = r.json(nil, n, 0)
	}},
}

// outcomes returns the names of all outcomes of an event.
func outcomes() (names []string) {
	for o := policy.OutcomeNone + 1; int(o) < policy.OutcomeCount; o++ {
		names = append(names, o.String())
	}
	return names
}

// maxDepth limits the nesting of a case's event.
const maxDepth = 200

// json appends a node as JSON. Numbers keep their digits. An event written as text is used as it is.
func (r *reader) json(dst []byte, n *yaml.Node, depth int) []byte {
	switch {
	case depth > maxDepth:
		r.fault(n, "the event is nested more than %d levels deep", maxDepth)
	case depth == 0 && n.Kind == yaml.ScalarNode && n.Tag == "!!str":
		return append(dst, n.Value...)
	case n.Kind == yaml.ScalarNode:
		return appendScalar(dst, n)
	case n.Kind == yaml.SequenceNode:
		dst = append(dst, '[')
		for i, item := range n.Content {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = r.json(dst, item, depth+1)
		}
		return append(dst, ']')
	case n.Kind == yaml.MappingNode:
		dst = append(dst, '{')
		for i := 0; i+1 < len(n.Content); i += 2 {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendText(dst, n.Content[i].Value)
			dst = r.json(append(dst, ':'), n.Content[i+1], depth+1)
		}
		return append(dst, '}')
	default:
		r.fault(n, "want a value%s", isNot(n))
	}
	return dst
}

func appendScalar(dst []byte, n *yaml.Node) []byte {
	plain := slices.Contains([]string{"!!int", "!!float", "!!bool", "!!null"}, n.Tag)
	if plain && json.Valid([]byte(n.Value)) {
		return append(dst, n.Value...)
	}
	switch {
	case n.Tag == "!!null":
		return append(dst, "null"...)
	case n.Tag == "!!bool" && (n.Value == "True" || n.Value == "TRUE"):
		return append(dst, "true"...)
	case n.Tag == "!!bool" && (n.Value == "False" || n.Value == "FALSE"):
		return append(dst, "false"...)
	}
	return appendText(dst, n.Value)
}

func appendText(dst []byte, text string) []byte {
	encoded, err := json.Marshal(text)
	if err != nil {
		panic("BUG: encoding a text: " + err.Error())
	}
	return append(dst, encoded...)
}
