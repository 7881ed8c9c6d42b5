package config

import (
	"errors"
	"fmt"
	"os"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// maxFileBytes bounds a settings file. A real one has a few hundred bytes.
const maxFileBytes = 1 << 20

// fromFile returns what a YAML file gives, and every mistake in it.
func (t table) fromFile(name string) ([]candidate, Faults) {
	source, err := os.ReadFile(name)
	switch {
	case err != nil:
		var path *os.PathError
		if errors.As(err, &path) {
			err = path.Err
		}
		return nil, Faults{{"file " + quoteName(name), "reading settings: " + err.Error()}}
	case len(source) > maxFileBytes:
		return nil, Faults{{"file " + quoteName(name), "is larger than " + formatSize(maxFileBytes)}}
	}
	return t.fromYAML(name, source)
}

// fromYAML reads one mapping of keys to scalars and lists of scalars. Anchors, tags and nested mappings
// have no use here and are mistakes.
func (t table) fromYAML(name string, source []byte) ([]candidate, Faults) {
	r := yamlReader{table: t, file: quoteName(name), seen: map[string]int{}}
	root, err := parseYAML(source)
	if err != nil {
		var at yaml.Error
		if errors.As(err, &at) && at.GetToken() != nil {
			r.fault(at.GetToken(), "no YAML: "+oneLine(at.GetMessage()))
		} else {
			r.faults = append(r.faults, Fault{"file " + r.file, "no YAML: " + oneLine(err.Error())})
		}
		return nil, r.faults
	}
	for _, doc := range root.Docs {
		r.document(doc)
	}
	return r.found, r.faults
}

// parseYAML parses, and takes a panic of the parser for a syntax error.
func parseYAML(source []byte) (root *ast.File, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("parser stopped: %v", p)
		}
	}()
	return parser.ParseBytes(source, 0, parser.AllowDuplicateMapKey())
}

// yamlReader gathers what one file gives.
type yamlReader struct {
	table  table
	file   string
	seen   map[string]int // key -> line of its first use
	found  []candidate
	faults Faults
}

func (r *yamlReader) document(doc *ast.DocumentNode) {
	switch body := doc.Body.(type) {
	case nil, *ast.CommentGroupNode, *ast.NullNode:
	case ast.MapNode:
		for entry := body.MapRange(); entry.Next(); {
			r.entry(entry.Key(), entry.Value())
		}
	default:
		r.fault(body.GetToken(), "want settings, one `name: value` a line")
	}
}

func (r *yamlReader) entry(key ast.MapKeyNode, value ast.Node) {
	name, _, plain := scalar(key)
	at := key.GetToken()
	row := r.table.lookup(name)
	switch {
	case !plain || row == nil || row.notInFile:
		r.fault(at, "no such setting: "+quoteName(name)+didYouMean(name, r.keys()))
	case r.seen[name] > 0:
		r.fault(at, fmt.Sprintf("%s stands in line %d already", name, r.seen[name]))
	default:
		r.seen[name] = at.Position.Line
		r.value(row, at, value)
	}
}

func (r *yamlReader) value(row *Setting, key *token.Token, value ast.Node) {
	items, isList := value.(*ast.SequenceNode)
	if !isList {
		word, at, plain := scalar(value)
		switch {
		case !plain:
			r.fault(key, row.Name+": want "+row.shape()+"; allowed: "+row.Allowed)
		case word == "" && at == nil:
			r.fault(key, row.Name+": has no value; allowed: "+row.Allowed)
		default:
			r.add(row, at, row.split(word))
		}
		return
	}
	words := make([]string, 0, len(items.Values))
	for _, item := range items.Values {
		word, at, plain := scalar(item)
		if !plain || at == nil || !row.many {
			r.fault(key, row.Name+": want "+row.shape()+"; allowed: "+row.Allowed)
			return
		}
		words = append(words, word)
	}
	r.add(row, items.GetToken(), words)
}

// shape says what may stand after the key.
func (s *Setting) shape() string {
	if s.many {
		return "one value or a list of them"
	}
	return "one value"
}

// scalar returns the text of a scalar as it is written, without quotes. Null has no token.
func scalar(node ast.Node) (word string, at *token.Token, plain bool) {
	switch n := node.(type) {
	case nil, *ast.NullNode:
		return "", nil, true
	case *ast.StringNode:
		return n.Value, n.GetToken(), true
	case *ast.LiteralNode:
		return n.Value.Value, n.GetToken(), true
	case *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, n.GetToken(), true
	default:
		return "", nil, false
	}
}

func (r *yamlReader) add(row *Setting, at *token.Token, words []string) {
	r.found = append(r.found, candidate{row, words, r.origin(at)})
}

func (r *yamlReader) fault(at *token.Token, text string) {
	r.faults = append(r.faults, Fault{r.origin(at).String(), text})
}

func (r *yamlReader) origin(at *token.Token) Origin {
	o := Origin{Source: FromFile, Name: r.file, Line: 1, Column: 1}
	if at != nil && at.Position != nil {
		o.Line, o.Column = at.Position.Line, at.Position.Column
	}
	return o
}

func (r *yamlReader) keys() []string {
	var keys []string
	for i := range r.table {
		if key := r.table[i].Key(); key != "" {
			keys = append(keys, key)
		}
	}
	return keys
}
